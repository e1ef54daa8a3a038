"""Draws the rows of the demo marketplace: counts per hour first, then one row for each.

Counts are negative binomial around a rate with a daily and weekly rhythm and growth; an incident is
a change of the rates, or of the rows that were drawn. Only what had arrived by ``now`` exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eventwatch.demo import incidents
from eventwatch.demo.streams import (
    NIGHTLY_HOUR,
    PLATFORM_WEIGHTS,
    STREAMS,
    TIME_ZONE,
    Payload,
    Rhythm,
    Stream,
)

_GROWTH = 1.2
"""From the first day to the last."""
_SHAPE = 30.0
"""Of the gamma noise on an hour's rate: variance = mean + mean² / 30."""
_DELAY_MEDIAN, _DELAY_SIGMA = 150.0, 0.8
"""Seconds, and the spread of their logarithm: 95 % arrive within ten minutes."""
_LATE_MEDIAN, _LATE_SIGMA = 3600.0, 0.5
_MICRO = 1_000_000
_HOUR = 3600
_WEEK = np.array([1.0, 1.01, 1.03, 1.02, 1.0, 0.97, 0.97])
_EVENING_WEEK = np.array([0.95, 0.96, 0.98, 1.0, 1.05, 1.2, 1.15])
_OFFICE_WEEK = np.array([1.08, 1.1, 1.1, 1.08, 1.0, 0.75, 0.65])

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows as parallel arrays of length N; times in epoch microseconds."""

    event_type: Ints
    """Index into ``types``; -1 is null."""
    platform: Ints
    """Index into ``platforms``."""
    occurred: Ints
    loaded: Ints
    number: Ints
    """Names the row: equal numbers are the same event, sent twice."""
    valid: NDArray[np.bool_]
    """False: the row has no occurred time."""

    def where(self, keep: NDArray[np.bool_] | Ints) -> Rows:
        """The rows that a mask or index keeps."""
        return Rows(
            self.event_type[keep],
            self.platform[keep],
            self.occurred[keep],
            self.loaded[keep],
            self.number[keep],
            self.valid[keep],
        )


@dataclass(frozen=True)
class _Lane:
    """One stream on one platform, with what its rate is multiplied by in each hour."""

    stream: Stream
    platform: str
    share: float
    factor: Floats


def draw(count: int, seed: int, now: datetime) -> pa.Table:
    """About ``count`` rows up to ``now`` (aware), in order of arrival: event_type, platform and
    payload (dictionaries), occurred_at and loaded_at (timestamps without zone, UTC), and number.

    Equal arguments give equal tables.
    """
    rng = np.random.default_rng(seed)
    at = incidents.starts(now)
    hours = int((now - at.first) / timedelta(hours=1)) + 1
    first = int(at.first.timestamp())
    extra = (incidents.UNDECLARED, incidents.MISSPELLED, incidents.RETIRED, incidents.DRAFT)
    streams = (*STREAMS, *extra)
    types = tuple(s.event_type for s in streams)
    platforms = tuple(PLATFORM_WEIGHTS)

    season = {r: _season(r, first, hours) for r in Rhythm}
    noise = {s.event_type: rng.gamma(_SHAPE, 1 / _SHAPE, hours) for s in streams}
    scale = count / sum(s.rank**-0.9 for s in STREAMS)
    lanes = tuple(_lanes(streams, at, hours))
    rates = np.stack(
        [
            scale
            * lane.stream.rank**-0.9
            * lane.share
            * season[lane.stream.rhythm]
            * noise[lane.stream.event_type]
            * lane.factor
            for lane in lanes
        ]
    )
    counts = rng.poisson(rates)
    lane, hour = np.nonzero(counts)
    repeat = counts[lane, hour]
    lane, hour = np.repeat(lane, repeat), np.repeat(hour, repeat)
    n = len(lane)
    occurred = (first + hour * _HOUR) * _MICRO + rng.integers(0, _HOUR * _MICRO, n)
    rows = Rows(
        np.array([types.index(each.stream.event_type) for each in lanes])[lane],
        np.array([platforms.index(each.platform) for each in lanes])[lane],
        occurred,
        occurred + _seconds(rng.lognormal(np.log(_DELAY_MEDIAN), _DELAY_SIGMA, n)),
        np.arange(n, dtype=np.int64),
        np.ones(n, dtype=np.bool_),
    )
    rows = _spoil(rows, types, at, rng)
    rows = rows.where(rows.loaded <= int(now.timestamp() * _MICRO))
    return _table(rows.where(np.argsort(rows.loaded, kind="stable")), streams, platforms)


def _seconds(values: Floats) -> Ints:
    return (values * _MICRO).astype(np.int64)


def _season(rhythm: Rhythm, first: int, hours: int) -> Floats:
    """Share of all rows that falls into each hour."""
    local = [datetime.fromtimestamp(first + h * _HOUR, TIME_ZONE) for h in range(hours)]
    hour = np.array([moment.hour for moment in local])
    weekday = np.array([moment.weekday() for moment in local])
    if rhythm is Rhythm.NIGHTLY:
        shape, week = (hour == NIGHTLY_HOUR) * 1.0, _WEEK
    elif rhythm is Rhythm.OFFICE:
        shape, week = np.exp(0.8 * np.cos((hour - 14) / 12 * np.pi)), _OFFICE_WEEK
    else:
        shape, week = np.exp(0.8 * np.cos((hour - 19) / 12 * np.pi)), _EVENING_WEEK
    values = shape * week[weekday] * _GROWTH ** (np.arange(hours) / hours)
    shares: Floats = values / values.sum()
    return shares


def _lanes(streams: tuple[Stream, ...], at: incidents.Starts, hours: int) -> Iterator[_Lane]:
    def since(moment: datetime, before: float, after: float) -> Floats:
        index = int((moment - at.first) / timedelta(hours=1))
        return np.where(np.arange(hours) < index, before, after)

    factors = {
        incidents.STOPPED: since(at.stopped, 1, 0),
        incidents.HALVED: since(at.halved, 1, 0.5),
        incidents.TRIPLED: since(at.tripled, 1, 3),
        incidents.SILENT: since(at.silent, 1, 0),
        incidents.UNDECLARED.event_type: since(at.undeclared, 0, 1),
        incidents.MISSPELLED.event_type: since(at.misspelled, 0, 1),
        incidents.DRAFT.event_type: since(at.draft, 0, 1),
    }
    for stream in streams:
        factor = factors.get(stream.event_type, np.ones(hours))
        total = sum(PLATFORM_WEIGHTS[p] for p in stream.platforms)
        for platform in stream.platforms:
            share = PLATFORM_WEIGHTS[platform] / total
            gone = stream.event_type == incidents.LOST_ANDROID and platform == "android"
            yield _Lane(stream, platform, share, since(at.lost_android, 1, 0) if gone else factor)
        if stream.event_type == incidents.NEW_PLATFORM:
            yield _Lane(
                stream, "smart_tv", PLATFORM_WEIGHTS["smart_tv"], since(at.new_platform, 0, 1)
            )


def _spoil(
    rows: Rows, types: tuple[str, ...], at: incidents.Starts, rng: np.random.Generator
) -> Rows:
    """The incidents that are not a matter of rates."""
    loaded, event_type = rows.loaded.copy(), rows.event_type.copy()
    occurred, valid = rows.occurred.copy(), rows.valid.copy()

    def since(name: str, moment: datetime) -> Ints:
        return np.flatnonzero(
            (rows.event_type == types.index(name))
            & (rows.occurred >= int(moment.timestamp()) * _MICRO)
        )

    late = since(incidents.LATE, at.late)
    loaded[late] = occurred[late] + _seconds(
        rng.lognormal(np.log(_LATE_MEDIAN), _LATE_SIGMA, len(late))
    )

    bad = since(incidents.BAD_TIMES, at.bad_times)
    valid[bad[::3]] = False
    # A clock that is a day and an hour ahead.
    occurred[bad[1::3]] += 25 * _HOUR * _MICRO

    # Rows that lose their type are additional ones, so that no event type is thinned by it.
    untyped = since("system_sent_notification", at.untyped)[::2]
    again = since(incidents.REPEATED, at.repeated)
    again = again[rng.random(len(again)) < 0.01]
    spoiled = replace(rows, loaded=loaded, occurred=occurred, valid=valid)
    without = replace(
        spoiled.where(untyped),
        event_type=np.full(len(untyped), -1),
        number=len(rows.number) + np.arange(len(untyped)),
    )
    repeats = spoiled.where(again)
    repeats = replace(repeats, loaded=repeats.loaded + 40 * _MICRO)
    parts = (replace(spoiled, event_type=event_type), without, repeats)
    return Rows(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("event_type", "platform", "occurred", "loaded", "number", "valid")
        )
    )


def _table(rows: Rows, streams: tuple[Stream, ...], platforms: tuple[str, ...]) -> pa.Table:
    def named(index: Ints, names: tuple[str, ...], known: NDArray[np.bool_]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(
            pa.array(np.where(known, index, 0).astype(np.int32), mask=~known), pa.array(names)
        )

    typed = rows.event_type >= 0
    kinds = tuple(Payload)
    of_stream = np.array([kinds.index(s.payload) for s in streams])
    return pa.table(
        {
            "event_type": named(rows.event_type, tuple(s.event_type for s in streams), typed),
            "platform": named(rows.platform, platforms, np.ones_like(typed)),
            "payload": named(
                of_stream[rows.event_type], tuple(k.value for k in kinds), np.ones_like(typed)
            ),
            "occurred_at": pa.array(rows.occurred, mask=~rows.valid).cast(pa.timestamp("us")),
            "loaded_at": pa.array(rows.loaded).cast(pa.timestamp("us")),
            "number": pa.array(rows.number),
        }
    )
