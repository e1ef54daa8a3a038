"""freshness of the exposure as a whole: how old is its newest arrival.

Rows with an impossible time of occurrence have arrived all the same. Only loads count here; that they
come late after they occurred is the lag.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.kinds.arrivals import NEVER, Arrivals, pauses, spark_of
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.kinds.freshness_odds import (
    MIN_PAUSES,
    Silence,
    Stream,
    Ticks,
    learn_week,
    threshold,
    weigh,
)
from eventwatch.kinds.results import Maker
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import FINE, HOUR
from eventwatch.model.result import Amount, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

LEARNING = timedelta(days=7)
"""One week shows every hour of the week once; before it a stream is not known."""
FLOOR = timedelta(minutes=15)
"""No silence that is learned is shorter, nor shorter than two cycles."""


@dataclass(frozen=True)
class Table:
    """The exposure as a whole."""

    last: float | None
    """Epoch seconds of the newest arrival; None: never."""
    late: bool
    """Its newest arrival is too old."""
    ticking: NDArray[np.bool_]
    """[H] hours in which anything arrived."""


@dataclass(frozen=True)
class Scene:
    """What every part of the judging looks at."""

    view: ExposureView
    arrivals: Arrivals
    maker: Maker

    @property
    def floor(self) -> timedelta:
        """No learned silence is shorter: two cycles may lie between a row and our next look."""
        return max(FLOOR, 2 * self.view.exposure.every)

    @property
    def cycles_per_day(self) -> float:
        """How often it is looked at."""
        return 86400 / max(self.view.exposure.every.total_seconds(), 1.0)


def judge_staleness(scene: Scene, check: FreshnessCheck) -> tuple[Result, Table]:
    """The result about the newest arrival, and what is known of the table for what follows."""
    view, arrivals, maker = scene.view, scene.arrivals, scene.maker
    counts = arrivals.counts.sum(axis=0)
    bad = view.bad_times.loaded // HOUR - arrivals.start // HOUR
    inside = (bad >= 0) & (bad < arrivals.hours)
    counts = counts + np.bincount(
        bad[inside], weights=view.bad_times.rows[inside], minlength=arrivals.hours
    ).astype(np.int64)
    ticking = (counts > 0) & arrivals.measured
    last = _last_of(view, arrivals)
    if last is None:
        return _empty(scene, check), Table(None, True, ticking)
    elapsed = timedelta(seconds=arrivals.now - last)
    limit, words = check.max_staleness, "its limit"
    weighed: Silence | None = None
    if limit is None:
        weighed = _weigh_table(scene, counts, last)
        if weighed.pause_count < MIN_PAUSES:
            return _learning_table(scene, check, elapsed), Table(last, False, ticking)
        per_week = check.false_silences_per_week
        alpha = threshold(per_week, 1, weighed.per_day, scene.cycles_per_day)
        late = weighed.p_value <= alpha and elapsed > scene.floor
    else:
        late = elapsed > limit
    expected = limit if weighed is None else weighed.usual
    if weighed is None:
        words = f"the limit is {format_duration(limit or FLOOR)}"
    elif weighed.usual is not None:
        words = f"its arrivals are hardly ever more than {roughly(weighed.usual)} apart"
    summary = f"nothing arrived for {format_duration(elapsed)}; {words}"
    result = maker.make(
        check,
        "staleness",
        Status.FAIL if late else Status.PASS,
        summary if late else f"newest arrival {format_duration(elapsed)} ago; {words}",
        amount=Amount(
            "seconds",
            elapsed.total_seconds(),
            expected=None if weighed is None or expected is None else expected.total_seconds(),
            upper=None if limit is None else limit.total_seconds(),
            p_value=None if weighed is None else weighed.p_value,
        ),
        since=from_epoch(last) if late else None,
        spark=spark_of(counts, arrivals.start) if late else None,
        total=late,
    )
    return result, Table(last, late, ticking)


def _last_of(view: ExposureView, arrivals: Arrivals) -> float | None:
    """By the rows; by the ledger only when the look-back holds none."""
    last = int(arrivals.last.max()) if len(arrivals.last) else NEVER
    if len(view.bad_times.last_loaded):
        last = max(last, int(view.bad_times.last_loaded.max()))
    if last != NEVER:
        return float(min(last, arrivals.now))
    known = [s.last_at for key, s in view.ledger.items() if key.dimension == ""]
    return min(max(known), view.now).timestamp() if known else None


def _weigh_table(scene: Scene, counts: NDArray[np.int64], last: float) -> Silence:
    view, arrivals = scene.view, scene.arrivals
    begins, ends = pauses(view.rows, None, arrivals.start)
    silent = np.array([(arrivals.now - last) / HOUR])
    week = learn_week(counts[None, :], arrivals.start, silent, view.exposure.time_zone)
    stream = Stream(begins, ends, last, regular=False)
    return weigh(stream, week, 0, Ticks(arrivals.edges, arrivals.measured, arrivals.now))


def _empty(scene: Scene, check: FreshnessCheck) -> Result:
    view, maker = scene.view, scene.maker
    watched = view.now - view.measured_from
    limit = check.max_staleness if check.max_staleness is not None else scene.floor
    if watched <= limit:
        return maker.make(
            check,
            "staleness",
            Status.LEARNING,
            "nothing arrived yet",
            learning_until=view.measured_from + limit,
        )
    return maker.make(
        check,
        "staleness",
        Status.FAIL,
        f"nothing arrived in the {format_duration(watched)} that were looked at",
        amount=Amount("seconds", watched.total_seconds(), upper=limit.total_seconds()),
        since=view.measured_from,
        total=True,
    )


def _learning_table(scene: Scene, check: FreshnessCheck, elapsed: timedelta) -> Result:
    view, maker = scene.view, scene.maker
    until = view.measured_from + LEARNING
    age = f"newest arrival {format_duration(elapsed)} ago"
    amount = Amount("seconds", elapsed.total_seconds())
    if until > view.now:
        return maker.make(
            check, "staleness", Status.LEARNING, age, amount=amount, learning_until=until
        )
    return maker.make(
        check,
        "staleness",
        Status.SKIPPED,
        f"{age}; too few loads to say what is usual, set max_staleness to judge it",
        amount=amount,
    )


def roughly(span: timedelta) -> str:
    """A span for people, never finer than the buckets it was measured in."""
    return format_duration(max(span, timedelta(seconds=FINE)))
