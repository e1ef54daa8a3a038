"""freshness of event types: how long each has been silent.

Event types are judged as of the table's last arrival when the table itself is late: what is silent
only because everything is gets SKIPPED, and one alert tells the one cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.kinds.arrivals import NEVER, pauses
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.kinds.freshness_odds import (
    MIN_PAUSES,
    Silence,
    Stream,
    Ticks,
    Week,
    learn_week,
    threshold,
    weigh,
)
from eventwatch.kinds.freshness_table import LEARNING, Scene, Table, roughly
from eventwatch.model.contract import Contract, LifecycleState, Pattern
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import HOUR, SeriesKey
from eventwatch.model.result import Amount, Fact, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

REGULAR = 0.5
"""Share of hours with rows from which a stream counts as regular."""
RECENT_HOURS = 28 * 24
TOTAL = 1e-3
"""A silence this much less likely than the threshold asks for fires at once."""


@dataclass(frozen=True)
class Awaited:
    """A declared, active event type that ever came."""

    contract: Contract
    check: FreshnessCheck
    series: int | None
    """Row of ``Arrivals``; None: only the ledger remembers it."""
    last_at: datetime


def judge_silences(scene: Scene, rules: Rules[FreshnessCheck], table: Table) -> Iterator[Result]:
    """One result per declared, active event type that ever came."""
    view, arrivals = scene.view, scene.arrivals
    place = {name: i for i, name in enumerate(arrivals.names)}
    contracts = {c.event_type: c for c in view.catalog.declared_in(view.exposure.name)}
    learned: list[Awaited] = []
    for name, check in rules.each(tuple(contracts)):
        contract = contracts[name or ""]
        series = place.get(name)
        last_at = _last_arrival(scene, contract, series)
        if last_at is None or not check.enabled or not _is_awaited(contract, view):
            continue
        awaited = Awaited(contract, check, series, last_at)
        if contract.max_gap is not None:
            yield _against_limit(scene, table, awaited, contract.max_gap)
        elif series is None or arrivals.last[series] == NEVER:
            yield scene.maker.make(
                check,
                "silence",
                Status.SKIPPED,
                "nothing came in the look-back; the last row came "
                f"{format_duration(view.now - last_at)} ago. max_gap in the contract would judge it",
                event_type=contract.event_type,
                contract=contract,
            )
        else:
            learned.append(awaited)
    if learned:
        yield from _learned(scene, table, learned)


def _is_awaited(contract: Contract, view: ExposureView) -> bool:
    """Whether rows should come: not of drafts, not of what ends or has ended."""
    if contract.state is not LifecycleState.ACTIVE:
        return False
    today = view.now.astimezone(view.exposure.time_zone).date()
    if contract.sunset is not None and contract.sunset <= today:
        return False
    return contract.since is None or contract.since <= today


def _last_arrival(scene: Scene, contract: Contract, series: int | None) -> datetime | None:
    arrivals, now = scene.arrivals, scene.view.now
    if series is not None and arrivals.last[series] != NEVER:
        return from_epoch(min(float(arrivals.last[series]), arrivals.now))
    seen = scene.view.ledger.get(SeriesKey(contract.event_type))
    return None if seen is None else min(seen.last_at, now)


_EXPLAINED = "the exposure itself is late"


def _against_limit(scene: Scene, table: Table, awaited: Awaited, limit: timedelta) -> Result:
    now, contract = scene.view.now, awaited.contract
    elapsed = now - awaited.last_at
    as_of = now if not table.late or table.last is None else from_epoch(table.last)
    bad = elapsed > limit
    explained = bad and table.late and as_of - awaited.last_at <= limit
    status = Status.SKIPPED if explained else Status.FAIL if bad else Status.PASS
    fails = status is Status.FAIL
    words = f"silent for {format_duration(elapsed)}; the contract allows {format_duration(limit)}"
    if not bad:
        words = f"last row {format_duration(elapsed)} ago"
    return scene.maker.make(
        awaited.check,
        "silence",
        status,
        _EXPLAINED if explained else words,
        event_type=contract.event_type,
        contract=contract,
        amount=Amount("seconds", elapsed.total_seconds(), upper=limit.total_seconds()),
        since=awaited.last_at if fails else None,
        spark=scene.arrivals.spark(awaited.series)
        if fails and awaited.series is not None
        else None,
        total=fails,
    )


def _learned(scene: Scene, table: Table, judged: list[Awaited]) -> Iterator[Result]:
    arrivals, now = scene.arrivals, scene.view.now
    rows = np.array([awaited.series for awaited in judged], dtype=np.int64)
    facts = _Facts.of(scene, table, rows)
    chosen = np.flatnonzero(facts.suspicious)
    week: Week | None = None
    if len(chosen):
        silent = facts.elapsed[chosen] / HOUR
        zone = scene.view.exposure.time_zone
        week = learn_week(arrivals.counts[rows[chosen]], arrivals.start, silent, zone)
    order = {int(i): n for n, i in enumerate(chosen)}
    for i, awaited in enumerate(judged):
        elapsed = now - awaited.last_at
        born = from_epoch(float(facts.born[i]))
        came = int(facts.occasions[i])
        status, summary, learning_until = Status.PASS, "", None
        weighed: Silence | None = None
        if now - born < LEARNING:
            status, learning_until = Status.LEARNING, born + LEARNING
        elif came <= MIN_PAUSES:
            often = "once" if came == 1 else f"in {came} hours only"
            status = Status.SKIPPED
            summary = f"too rare to say what silence is usual: it came {often} in the look-back"
        elif i in order and week is not None:
            weighed = _weigh(scene, table, awaited, (week, order[i]), bool(facts.regular[i]))
            per_week, looks = awaited.check.false_silences_per_week, scene.cycles_per_day
            alpha = threshold(per_week, len(judged), weighed.per_day, looks)
            if weighed.p_value <= alpha and elapsed > scene.floor:
                yield _silent(scene, awaited, weighed, alpha)
                continue
            if table.late:
                status, summary = Status.SKIPPED, _EXPLAINED
        yield scene.maker.make(
            awaited.check,
            "silence",
            status,
            summary or f"last row {format_duration(elapsed)} ago",
            event_type=awaited.contract.event_type,
            contract=awaited.contract,
            amount=Amount(
                "seconds",
                elapsed.total_seconds(),
                p_value=None if weighed is None else weighed.p_value,
            ),
            learning_until=learning_until,
        )


@dataclass(frozen=True)
class _Facts:
    """What is cheap to know of every series at once, [n] each."""

    elapsed: NDArray[np.float64]
    """Seconds from the last arrival to now."""
    born: NDArray[np.float64]
    """Epoch seconds of the first arrival."""
    occasions: NDArray[np.int64]
    """Hours with rows."""
    regular: NDArray[np.bool_]
    suspicious: NDArray[np.bool_]
    """Worth a close look."""

    @staticmethod
    def of(scene: Scene, table: Table, rows: NDArray[np.int64]) -> _Facts:
        view, arrivals = scene.view, scene.arrivals
        busy = arrivals.counts[rows] > 0
        occasions = busy.sum(axis=1)
        last = np.minimum(arrivals.last[rows].astype(np.float64), arrivals.now)
        first_hour = busy.argmax(axis=1)
        born = (arrivals.start + HOUR * first_hour).astype(np.float64)
        for i, series in enumerate(rows):
            seen = view.ledger.get(SeriesKey(arrivals.names[series]))
            if seen is not None:
                born[i] = seen.first_at.timestamp()  # exact, where the hour is not
        elapsed = arrivals.now - last
        last_hour = (last // HOUR).astype(np.int64) - arrivals.start // HOUR
        since = np.maximum(first_hour, last_hour - RECENT_HOURS)
        # Hours in which the table itself had rows, between a stream's birth and its last row.
        ticks = np.concatenate(([0], np.cumsum(table.ticking)))
        could = ticks[np.clip(last_hour + 1, 0, arrivals.hours)] - ticks[since]
        used = np.cumsum(busy, axis=1, dtype=np.int32)
        did = used[:, -1] - used[np.arange(len(rows)), since]
        hours = np.maximum(last_hour + 1 - first_hour, 1)
        per_hour = arrivals.counts[rows].sum(axis=1) / hours
        waited = elapsed / HOUR
        suspicious = (waited * per_hour >= 5) & (waited * occasions >= 1.5 * hours)
        dense = did >= 0.9 * could
        return _Facts(
            elapsed=elapsed,
            born=born,
            occasions=occasions,
            regular=(did >= REGULAR * could) & (did >= 24),
            suspicious=suspicious | (dense & (waited * per_hour >= 5)),
        )


def _weigh(
    scene: Scene, table: Table, awaited: Awaited, week: tuple[Week, int], regular: bool
) -> Silence:
    view, arrivals = scene.view, scene.arrivals
    series = -1 if awaited.series is None else awaited.series
    begins, ends = pauses(view.rows, series, arrivals.start)
    trusts = {Pattern.CONTINUOUS: True, Pattern.BURSTY: False, Pattern.SPARSE: False}
    stream = Stream(
        begins,
        ends,
        awaited.last_at.timestamp(),
        regular,
        trusts_rate=trusts.get(awaited.contract.pattern),
    )
    as_of = table.last if table.late and table.last is not None else arrivals.now
    return weigh(stream, *week, Ticks(arrivals.edges, table.ticking, as_of))


def _silent(scene: Scene, awaited: Awaited, weighed: Silence, alpha: float) -> Result:
    elapsed = scene.view.now - awaited.last_at
    span = format_duration(elapsed)
    if weighed.by_rate:
        rows = f"{weighed.expected:,.0f}" if weighed.expected >= 10 else f"{weighed.expected:.1f}"
        summary = f"silent for {span}, in which about {rows} rows usually arrive"
    else:
        usual = "" if weighed.usual is None else roughly(weighed.usual)
        summary = f"silent for {span}; it hardly ever pauses for more than {usual}"
    facts = []
    if weighed.longest is not None:
        facts.append(Fact("longest silence before", format_duration(weighed.longest)))
    return scene.maker.make(
        awaited.check,
        "silence",
        Status.FAIL,
        summary,
        event_type=awaited.contract.event_type,
        contract=awaited.contract,
        amount=Amount(
            "seconds",
            elapsed.total_seconds(),
            expected=None if weighed.usual is None else weighed.usual.total_seconds(),
            p_value=weighed.p_value,
        ),
        since=awaited.last_at,
        facts=facts,
        spark=None if awaited.series is None else scene.arrivals.spark(awaited.series),
        total=weighed.p_value <= alpha * TOTAL,
    )
