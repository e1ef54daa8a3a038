"""Which buckets are holidays, and which people said something of: arrays beside the counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import DAY, local_seconds
from eventwatch.kinds.volume_panel import Grid
from eventwatch.model.label import Opinion
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.result import Fact
from eventwatch.model.view import ExposureView

FloatArray = NDArray[np.float64]

BESIDE = 0.3
"""The day before and the day after are a little of a holiday: people leave early and bridge days."""
UNIX_DAY = 719_163
"""Of 1970-01-01 in ``date.toordinal``."""


def holiday_marks(view: ExposureView, grid: Grid) -> FloatArray | None:
    """How much of a holiday each bucket of the grid is, 0 to 1 [T]; None: no holidays are set."""
    if not view.exposure.holidays and not view.holidays:
        return None
    if not grid.size:
        return np.zeros(0)
    days = _local_days(view, grid)
    first = int(days.min()) - 1
    marks = np.zeros(int(days.max()) - first + 2)
    places = [h.day.toordinal() - UNIX_DAY - first for h in view.holidays]
    known = np.array([p for p in places if 0 <= p < len(marks)], dtype=np.int64)
    for shift, mark in ((-1, BESIDE), (1, BESIDE), (0, 1.0)):
        at = known + shift
        marks[at[(at >= 0) & (at < len(marks))]] = mark
    return np.asarray(marks[days - first], dtype=np.float64)


def holiday_of(view: ExposureView, grid: Grid, bucket: int) -> tuple[Fact, ...]:
    """The fact that tells the holidays of a bucket's day; empty where there are none."""
    if not view.holidays or not grid.size:
        return ()
    day = int(_local_days(view, grid)[bucket]) + UNIX_DAY
    names: dict[str, list[str]] = {}
    for holiday in view.holidays:
        if holiday.day.toordinal() == day:
            names.setdefault(holiday.name, []).append(holiday.place)
    if not names:
        return ()
    text = "; ".join(f"{name} ({', '.join(places)})" for name, places in names.items())
    return (Fact("holiday", text),)


def _local_days(view: ExposureView, grid: Grid) -> NDArray[np.int64]:
    """Local day (since 1970) of the middle of each bucket."""
    middle = (grid.edges[:-1] + grid.edges[1:]) // 2
    return np.asarray(local_seconds(middle, view.exposure.time_zone) // DAY, dtype=np.int64)


def label_marks(
    view: ExposureView, grid: Grid, keys: Sequence[SeriesKey]
) -> NDArray[np.int8] | None:
    """What people said of each bucket of each series, int8 [T, S]: +1 was real, -1 not a problem;
    None: nothing. A bucket counts that the label's span touches; the newest label wins.

    Of the labels only those count that had been given by ``view.now``.
    """
    marks = np.zeros((grid.size, len(keys)), dtype=np.int8)
    for label in sorted(view.labels, key=lambda each: (each.given_at, each.id)):
        if not label.known_at(view.now) or label.ends_at <= label.starts_at:
            continue
        begin, end = label.starts_at.timestamp(), label.ends_at.timestamp()
        first = int(np.searchsorted(grid.edges, begin, side="right")) - 1
        last = int(np.searchsorted(grid.edges[:-1], end, side="left"))
        columns = [
            s
            for s, key in enumerate(keys)
            if (label.event_type is None or key.event_type == label.event_type)
            and (key.dimension, key.value) == (label.dimension, label.value)
        ]
        sign = 1 if label.opinion is Opinion.WAS_REAL else -1
        if last > max(first, 0) and columns:
            marks[max(first, 0) : last, columns] = sign
    return marks if marks.any() else None
