"""How large a drop or a rise must be before the volume check tells it: sought in futures that start
from the live state of its detector and are judged by its own verdict.

A trial is one possible future: when the change begins is drawn from the coming day, and so is what
comes. In each the smallest change that is told is found by halving; of all trials the quantile is
taken that leaves a tenth of the futures beyond it. So a stated size holds whatever hour the trouble
begins, nine times in ten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.settings import DAY
from eventwatch.kinds.blind_futures import DROPS, RISES
from eventwatch.kinds.blind_trial import HORIZONS, NONE, TRIALS, Stage, Trial
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.volume import Subject, VolumeCheck, subjects_of
from eventwatch.kinds.volume_lived import lived
from eventwatch.kinds.volume_panel import judged_at, panel_of
from eventwatch.model.contract import Direction
from eventwatch.model.measurement import HOUR
from eventwatch.model.view import ExposureView

TOLD_IN = 0.9
"""Part of the futures in which a stated change must be told."""
MARGIN = 0.025
"""So much more is asked for, for what the model has wrong about its own futures."""

IntArray = NDArray[np.int64]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Sight:
    """What the volume check would tell of one event type; for each of HORIZONS."""

    drops: tuple[float | None, ...]
    """Part that must be missing; 1.0: everything; None: not even that is told."""
    rises: tuple[float | None, ...]
    """Factor; None: not even the largest that is tried."""
    stop: timedelta | None
    """When a drop to zero is told at the latest (nine times in ten); None: not within a day."""


@dataclass(frozen=True)
class Judged:
    """One event type as the volume check judges it."""

    by_day: bool
    direction: Direction
    hold: timedelta
    """How long a failure must last before it is told."""
    sight: Sight
    by_day_instead: Sight | None = None
    """Of one that is judged by the hour and whose stop is not told within a day: what would be told
    if it were judged by the day."""


def volume_sights(
    view: ExposureView,
    rules: Rules[VolumeCheck],
    wanted: Callable[[str], bool],
    progress: Progress | None = None,
    trials: int = TRIALS,
) -> dict[str, Judged]:
    """What the volume check would tell of each event type that is wanted. Fewer ``trials`` are faster
    and coarser."""
    if not len(view.rows.series):
        return {}
    at = judged_at(view)
    view = replace(view, rows=lived(view))
    step = max(int(view.exposure.bucket.total_seconds()), HOUR)
    panel = panel_of(view, step, at)
    if panel.grid.size < 2:
        return {}
    some = [s for s in subjects_of(view, rules, panel) if wanted(s.event_type)]
    hourly = [s for s in some if not s.by_day or step >= DAY]
    daily = [s for s in some if s.by_day and step < DAY]
    found = dict(
        zip(_names(hourly), sights(Stage.of(view, panel), hourly, progress, trials), strict=True)
    )
    blind = [] if step >= DAY else [s for s in hourly if found[s.event_type].stop is None]
    instead: dict[str, Sight] = {}
    if daily or blind:
        days = panel_of(view, DAY, at)
        if days.grid.size >= 2:
            both = [*daily, *(replace(s, by_day=True) for s in blind)]
            instead = dict(
                zip(_names(both), sights(Stage.of(view, days), both, None, trials), strict=True)
            )
    judged = {s.event_type: _judged(s, found[s.event_type]) for s in hourly}
    for subject in blind:
        name = subject.event_type
        judged[name] = replace(judged[name], by_day_instead=instead.get(name))
    nothing = Sight((None,) * len(HORIZONS), (None,) * len(HORIZONS), None)
    judged |= {s.event_type: _judged(s, instead.get(s.event_type, nothing)) for s in daily}
    return judged


def _judged(subject: Subject, sight: Sight) -> Judged:
    return Judged(bool(subject.by_day), subject.direction, subject.check.hold, sight)


def _names(subjects: Sequence[Subject]) -> list[str]:
    return [s.event_type for s in subjects]


def sights(
    stage: Stage,
    subjects: Sequence[Subject],
    progress: Progress | None = None,
    trials: int = TRIALS,
) -> tuple[Sight, ...]:
    """What is told of each subject, in their order."""
    if not subjects:
        return ()
    found = np.full((trials, len(HORIZONS), 2, len(subjects)), NONE)
    stops = np.full((trials, len(subjects)), np.inf)
    for trial in range(trials):
        found[trial], stops[trial] = Trial(stage, subjects, trial, trials).run()
        if progress is not None:
            progress((trial + 1) / trials)
    # Of n futures and one more the one more is as likely to be in any place among them.
    rank = min(math.ceil((TOLD_IN + MARGIN) * (trials + 1)), trials) - 1
    sizes = np.sort(found, axis=0)[rank]
    stop = np.sort(stops, axis=0)[rank]
    return tuple(
        _sight(sizes[:, 0, s], sizes[:, 1, s], float(stop[s])) for s in range(len(subjects))
    )


def _sight(drops: IntArray, rises: IntArray, stop: float) -> Sight:
    """Places of the sizes for each horizon, and seconds."""
    # A stop is looked for at the ends of buckets, a drop to zero also when a horizon ends.
    told = [h for place, h in zip(drops, HORIZONS, strict=True) if place < NONE]
    after = [timedelta(seconds=stop)] if np.isfinite(stop) else []
    return Sight(
        drops=tuple((*DROPS, None)[place] for place in drops),
        rises=tuple((*RISES, None)[place] for place in rises),
        stop=min([*after, *told], default=None),
    )
