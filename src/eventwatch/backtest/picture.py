"""The counts around an incident, as they are known at the end of the span.

By the time rows occurred, but where loading is what went wrong (freshness, duplicates) by the time they
were loaded. What had come by the day of the alert may have been less; the sentence says what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from eventwatch.backtest.incident import Incident
from eventwatch.backtest.recording import Recording
from eventwatch.backtest.span import DAY
from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import HOUR, SeriesKey
from eventwatch.model.result import Spark
from eventwatch.model.status import KindName

BY_LOAD = frozenset((KindName.FRESHNESS, KindName.DUPLICATES))
BEFORE = timedelta(days=3)
AFTER = timedelta(days=1)
BY_HOUR = timedelta(days=12)
"""Longer windows are shown by the day."""
LONGEST = timedelta(days=120)


@dataclass(frozen=True)
class Picture:
    """Counts of buckets from ``start_at``, ``step`` wide, and what was expected of some of them."""

    start_at: datetime
    step: timedelta
    counts: tuple[float, ...]
    expected: tuple[tuple[datetime, float], ...] = ()
    """Start of a bucket → rows expected in it, as was known then."""
    by_load: bool = False
    """Buckets are of the load time."""


def picture(recording: Recording, incident: Incident, last_at: datetime) -> Picture | None:
    """None where nothing of it was ever counted."""
    result = incident.opened
    since = result.since or incident.began_at
    end = min((incident.ended_at or last_at) + AFTER, last_at)
    start = max(min(since, incident.began_at) - BEFORE, end - LONGEST)
    by_hour = end - start <= BY_HOUR
    if not by_hour:
        start = max(start - 3 * BEFORE, end - LONGEST)
    step = HOUR if by_hour else DAY
    part = "rows" if result.cut is None else "cuts"
    part = "duplicates" if result.kind is KindName.DUPLICATES else part
    by_load = result.kind in BY_LOAD
    wanted = np.array([_is_of(key, incident) for key in recording.keys[part]], dtype=np.bool_)
    begin = int(start.timestamp()) // step * step
    stop = int(end.timestamp()) // step * step + step
    counts = np.zeros((stop - begin) // step)
    first = recording.place(begin // DAY * DAY)
    days = recording.old[part].part(first, recording.day_count)
    if not wanted.any() or not len(days["rows"]):
        return None
    times = days["loaded" if by_load else "occurred"].astype(np.int64)
    inside = wanted[days["series"]] & (times >= begin) & (times < stop)
    np.add.at(counts, (times[inside] - begin) // step, days["rows"][inside])
    spark = incident.worst.spark if result.kind is KindName.VOLUME else None
    expected = _expected(spark, step, begin, stop)
    return Picture(
        from_epoch(begin), timedelta(seconds=step), tuple(counts.tolist()), expected, by_load
    )


def _is_of(key: SeriesKey, incident: Incident) -> bool:
    result = incident.opened
    if result.cut is not None and (key.dimension, key.value) != (
        result.cut.dimension,
        result.cut.value,
    ):
        return False
    if result.aspect == "null_type":
        return key.event_type is None
    return result.event_type is None or key.event_type == result.event_type


def _expected(
    spark: Spark | None, step: int, begin: int, stop: int
) -> tuple[tuple[datetime, float], ...]:
    if spark is None or spark.step.total_seconds() != step:
        return ()
    marks = [
        (spark.start_at + i * spark.step, float(value)) for i, value in enumerate(spark.expected)
    ]
    return tuple((at, value) for at, value in marks if begin <= at.timestamp() < stop)
