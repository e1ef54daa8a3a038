"""How unusual a silence is, held against the stream's own past: a chance, and how often it is asked.

Three things a reader would get wrong. A silence is tested once, not once per cycle: while it grows
its chance only falls, so the number of tests is the number of pauses. Pauses are measured on a clock
of the stream's own, which runs by its usual week and stands still while the whole table is silent:
a night, a weekend, a holiday of the table is a short pause. And a stream with rows in most hours is
judged by its rate, since its many short pauses say nothing of long ones; any other by its pauses,
since bursts make its rate say too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.rate import (
    LEVEL_HALF_LIFE,
    expected_arrivals,
    gap_p_value,
    rate_dispersion,
    silence_p_value,
)
from eventwatch.kinds.arrivals import FloatArray, IntArray
from eventwatch.model.measurement import HOUR

WEEK = 168
RATE_HOURS = 60 * 24
"""Hours the rate is learned from: its level forgets in weeks anyway."""
MOST_DISPERSION = 0.5
"""From here on a rate says too little of the next hours; the pauses say more."""
MIN_PAUSES = 7
LEAST_SURE = 0.005
"""However few the tests: a pause that one in 200 reaches is no news."""
LATELY = 60 * 86400.0
ENOUGH_PAUSES = 60
OUTLIERS_IN = 300
"""One pause in so many is taken for an incident of the past and left out, at most three."""


@dataclass(frozen=True)
class Week:
    """What to expect in each hour of the week (UTC, counted from the epoch) of S streams."""

    rate: FloatArray
    """[S, 168] rows, as before the silence that runs."""
    shape: FloatArray
    """[S, 168] the same with mean 1: how fast the stream's own clock runs."""
    dispersion: FloatArray
    """[S]"""


def learn_week(counts: IntArray, start: int, silent_hours: FloatArray, tz: ZoneInfo) -> Week:
    """The usual week of streams that have been silent for ``silent_hours`` [S] hours.

    The level is an exponential average that the silence itself has lowered; it is raised to where it
    stood before, by the weight of the hours that were silent.
    """
    recent = counts[:, -RATE_HOURS:]
    begin = start + HOUR * (counts.shape[1] - recent.shape[1])
    ahead = expected_arrivals(recent, begin, tz, WEEK)
    rate = np.empty_like(ahead)
    end_hour = begin // HOUR + recent.shape[1]
    rate[:, (end_hour + np.arange(WEEK)) % WEEK] = ahead
    born = np.where((recent > 0).any(axis=1), (recent > 0).argmax(axis=1), 0)
    life = 0.5 ** ((recent.shape[1] - born) / LEVEL_HALF_LIFE)
    silent = 0.5 ** (silent_hours / LEVEL_HALF_LIFE)
    rate *= ((1.0 - life) / np.maximum(silent - life, 1e-3))[:, None]
    mean = rate.mean(axis=1, keepdims=True)
    shape = np.where(mean > 0, rate / np.maximum(mean, 1e-12), 1.0)
    return Week(rate, shape, rate_dispersion(recent, begin, tz))


@dataclass(frozen=True)
class Silence:
    """One running silence: how unlikely, and in which words to say so."""

    p_value: float
    per_day: float
    """How many pauses, hence tests, the stream has on a day."""
    expected: float
    """Rows expected within the silence."""
    pause_count: int
    usual: timedelta | None
    """The longest of 99 in 100 of its pauses by the clock on the wall; None: too few."""
    longest: timedelta | None
    by_rate: bool


@dataclass(frozen=True)
class Stream:
    """What is known of one stream when its silence is weighed."""

    begins: FloatArray
    """Past pauses: epoch seconds they began and ended at, oldest first."""
    ends: FloatArray
    last: float
    """The last arrival."""
    regular: bool
    """Rows in most of the hours it could have any."""
    trusts_rate: bool | None = None
    """What the contract's pattern says; None: learned."""


@dataclass(frozen=True)
class Ticks:
    """The hours of the table."""

    edges: FloatArray
    """[H+1] epoch seconds."""
    ticking: NDArray[np.bool_]
    """[H] in which of them the table as a whole had arrivals (and could be measured): the others do
    not count."""
    now: float
    """Epoch seconds."""


def weigh(stream: Stream, week: Week, series: int, ticks: Ticks) -> Silence:
    """The chance of this silence under the stream's own past. ``series`` is its row in ``week``."""
    edges, ticking, now = ticks.edges, ticks.ticking, ticks.now
    slots = (int(edges[0]) // HOUR + np.arange(len(ticking))) % WEEK
    clock = np.concatenate(([0.0], np.cumsum(week.shape[series, slots] * ticking)))
    rows = np.concatenate(([0.0], np.cumsum(week.rate[series, slots] * ticking)))
    expected = float(np.interp(now, edges, rows) - np.interp(stream.last, edges, rows))
    elapsed = float(np.interp(now, edges, clock) - np.interp(stream.last, edges, clock))
    # Streams grow and fade: what they did lately, or as lately as it takes to have seen enough.
    lately = int(np.searchsorted(stream.begins, stream.last - LATELY))
    since = max(min(lately, len(stream.begins) - ENOUGH_PAUSES), 0)
    begins, ends = stream.begins[since:], stream.ends[since:]
    lengths = np.interp(ends, edges, clock) - np.interp(begins, edges, clock)
    wall = np.sort(ends - begins)
    wall = wall[wall > 0]
    first = float(begins[0]) if len(begins) else float(edges[0])
    days = max((stream.last - first) / 86400.0, 1.0)
    phi = float(week.dispersion[series])
    # A silence that its own past has seen more than once a month is no news, whatever the rate says.
    seen_before = int((lengths >= elapsed).sum()) > 1 + days / 30
    by_rate = stream.regular and phi <= MOST_DISPERSION
    if stream.trusts_rate is not None:
        by_rate = stream.trusts_rate
    if by_rate:
        p_value = 1.0 if seen_before else float(silence_p_value(expected, phi))
        per_day = max(float(week.rate[series].sum()) / 7.0, 1 / 30)
    else:
        p_value = gap_p_value(_without_outliers(lengths), elapsed)
        per_day = max(len(lengths) / days, 1 / 30)
    return Silence(
        p_value=p_value,
        per_day=per_day,
        expected=expected,
        pause_count=len(wall),
        usual=timedelta(seconds=float(np.quantile(wall, 0.99))) if len(wall) else None,
        longest=timedelta(seconds=float(wall[-1])) if len(wall) else None,
        by_rate=by_rate,
    )


def _without_outliers(lengths: FloatArray) -> FloatArray:
    dropped = min(len(lengths) // OUTLIERS_IN, 3)
    return np.sort(lengths)[: len(lengths) - dropped] if dropped else lengths


def threshold(per_week: float, streams: int, per_day: float, cycles_per_day: float) -> float:
    """The p value from which a silence counts, so that about ``per_week`` false ones come a week.

    Bonferroni over ``streams`` and over the pauses each has a day; looks between two cycles do not
    happen, so there are never more of them than cycles.
    """
    looks = max(min(per_day, cycles_per_day), 1e-3)
    return min(per_week / 7.0 / (max(streams, 1) * looks), LEAST_SURE)
