"""When the floor and the ceiling of a contract would tell a change: by whole days and by the running
one, as ``volume_promise`` judges them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.settings import DAY
from eventwatch.kinds.volume import Subject
from eventwatch.kinds.volume_panel import Grid, VolumePanel, grid_of
from eventwatch.kinds.volume_promise import SETTLED
from eventwatch.model.contract import LifecycleState
from eventwatch.model.measurement import FINE
from eventwatch.model.view import ExposureView

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """What comes in one possible future, for every size of change."""

    grid: Grid
    first: int
    """Bucket in which the change begins."""
    begins_at: float
    """Epoch seconds."""
    quiet: FloatArray
    """[before, n] counts of the buckets that are still to come before it."""
    counts: FloatArray
    """[sizes, F, n] from that bucket on."""
    looks: FloatArray
    """[F] seconds after the beginning at which those buckets end."""


def told_by_promise(
    view: ExposureView, panel: VolumePanel, subjects: Sequence[Subject], course: Course
) -> FloatArray:
    """Seconds after its beginning at which a change of each size is told [sizes, n]; infinity where
    it is not."""
    told = np.full((course.counts.shape[0], len(subjects)), np.inf)
    some = [i for i, s in enumerate(subjects) if _promises(s)]
    if not some:
        return told
    start = int(view.measured_from.timestamp())
    last = course.first + course.counts.shape[1]
    days = grid_of(start, int(course.grid.edges[last]), DAY, view.exposure.time_zone)
    place = days.place(course.grid.edges[:last])
    settle = _settle(panel)
    known = course.first - len(course.quiet)
    for i in some:
        contract = subjects[i].contract
        if contract is None:
            continue
        past = np.nan_to_num(panel.counts[:known, subjects[i].column])
        before = np.concatenate([past, course.quiet[:, i]])
        for day in range(int(place[course.first]), int(place[last - 1]) + 1):
            if day < 0:
                continue
            inside = place[course.first :] == day
            so_far = before[place[: course.first] == day].sum()
            running = so_far + np.cumsum(course.counts[:, inside, i], axis=1)
            if contract.max_per_day is not None:
                over = running > contract.max_per_day
                at = np.where(over, course.looks[inside], np.inf).min(axis=1, initial=np.inf)
                told[:, i] = np.minimum(told[:, i], at)
            if contract.min_per_day is not None and day < days.size - 1:
                seconds = float(days.edges[day + 1]) - course.begins_at + settle
                short = running[:, -1] < contract.min_per_day
                told[:, i] = np.where(short, np.minimum(told[:, i], seconds), told[:, i])
    return told


def _promises(subject: Subject) -> bool:
    contract = subject.contract
    if contract is None or contract.state in (LifecycleState.DRAFT, LifecycleState.RETIRED):
        return False
    return contract.min_per_day is not None or contract.max_per_day is not None


def _settle(panel: VolumePanel) -> float:
    """Seconds until a day's last rows have arrived."""
    return float(np.searchsorted(panel.fine, SETTLED) + 1) * FINE
