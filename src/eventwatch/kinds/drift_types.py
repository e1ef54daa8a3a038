"""drift of event types: in the data without a contract, and in the contracts without data.

"New" is said with care: on the first look at a table everything is new to us. Only what came first
well after the table did, as far as loads are known, is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from eventwatch.kinds.arrivals import Arrivals
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.drift_check import DriftCheck
from eventwatch.kinds.drift_known import Coming, Known, day_of
from eventwatch.kinds.results import Maker
from eventwatch.model.contract import Contract, LifecycleState, Pattern
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.names import is_misspelling, kindred, nearest
from eventwatch.model.result import Amount, Fact, Result
from eventwatch.model.status import Severity, Status
from eventwatch.model.view import ExposureView

FROM_THE_START = timedelta(hours=24)
"""What came within so long of the table's beginning was there from the start."""
REMEMBERED = timedelta(days=7)
"""An undeclared event type that stopped is told for this long, or five of its usual pauses."""
LONGEST_REMEMBERED = timedelta(days=60)
SPARSE_GRACE = timedelta(days=30)
"""Grace of an event type whose contract calls it sparse."""
MOST_COMPARED = 50
"""Undeclared event types that are compared with the declared names, most rows first."""
HANDOVER = timedelta(hours=6)
"""A declared type that stopped within this long of the first row of a lookalike was renamed."""


def judge_types(
    view: ExposureView, rules: Rules[DriftCheck], arrivals: Arrivals, maker: Maker
) -> Iterator[Result]:
    """Results about event types as such, their values left out."""
    known = Known(view, arrivals)
    check = rules.for_exposure()
    if check.enabled:
        yield from _untyped(known, check, maker)
    yield from _unseen(known, rules, maker)
    for name, own in rules.each(tuple(view.catalog.contracts)):
        contract = view.catalog.of(name)
        if contract is not None and own.enabled:
            yield from _declared(known, contract, own, maker)


def _untyped(known: Known, check: DriftCheck, maker: Maker) -> Iterator[Result]:
    """Null and empty types, as results of the exposure."""
    total = sum(known.rows_since(name, check.recent) for name in known.types)
    span = format_duration(check.recent)
    groups: tuple[tuple[str, str, list[str | None]], ...] = (
        ("null_type", "no event type (null)", [n for n in known.types if n is None]),
        (
            "empty_type",
            "an empty event type",
            [n for n in known.types if n is not None and not n.strip()],
        ),
    )
    for aspect, words, names in groups:
        count = sum(known.rows_since(name, check.recent) for name in names)
        share = count / max(total, 1)
        bad = count > 0 and share > check.max_untyped
        rows = "1 row has" if count == 1 else f"{count:,} rows have"
        yield maker.make(
            check,
            aspect,
            Status.FAIL if bad else Status.PASS,
            f"{rows} {words} in the last {span}" if count else f"no row has {words}",
            amount=Amount("events", count, upper=check.max_untyped * total),
            since=min(known.types[n].first_at for n in names) if bad else None,
            facts=[fact for n in names for fact in known.value_facts(n)][:5] if bad else (),
        )


def _unseen(known: Known, rules: Rules[DriftCheck], maker: Maker) -> Iterator[Result]:
    catalog, now = known.view.catalog, known.view.now
    undeclared = [
        name
        for name in known.types
        if name is not None and name.strip() and name not in catalog.contracts
    ]
    ordered = sorted(undeclared, key=lambda n: (-known.rows_since(n, LONGEST_REMEMBERED), n))
    compared = set(ordered[:MOST_COMPARED])
    declared = tuple(catalog.contracts)
    for name, check in rules.each(sorted(undeclared)):
        if name is None or not check.enabled:
            continue
        coming = known.types[name]
        if now - coming.last_at > _remembered(coming):
            yield maker.make(
                check,
                "unseen",
                Status.PASS,
                f"no contract declares it, and it has not come for "
                f"{format_duration(now - coming.last_at)}",
                event_type=name,
            )
            continue
        yield _undeclared(known, name, check, maker, declared if name in compared else ())


def _remembered(coming: Coming) -> timedelta:
    pause = (coming.last_at - coming.first_at) / max(coming.occasions - 1, 1)
    return min(max(REMEMBERED, 5 * pause), LONGEST_REMEMBERED)


@lru_cache(maxsize=4096)
def _lookalikes(
    name: str, known: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
    """The names like it, those that it may be a new name of, and the one it is a misspelling of.
    Comparing with thousands of names takes a tenth of a second, and neither side changes often: hence
    the cache."""
    return nearest(name, known), kindred(name, known), is_misspelling(name, known)


def _undeclared(
    known: Known, name: str, check: DriftCheck, maker: Maker, declared: tuple[str, ...]
) -> Result:
    now, coming = known.view.now, known.types[name]
    like, kin, slip = _lookalikes(name, declared)
    age = now - coming.first_at
    from_start = coming.first_at <= known.began_at + FROM_THE_START
    is_new = not from_start and age < check.new_for
    count = known.rows_since(name, check.recent)
    span = format_duration(check.recent)
    rows = "1 row" if count == 1 else f"{count:,} rows"
    if is_new:
        summary = (
            f"no contract declares it; it is new, the first row came {format_duration(age)} ago"
        )
    else:
        least = "at least " if from_start else ""
        summary = f"no contract declares it, though it has come for {least}{format_duration(age)}"
    summary += f"; {rows} in the last {span}"
    ceded = next((n for n in _first_of(slip, kin) if _ceased(known, n, coming)), None)
    if slip is not None:
        summary += f"; it looks like a misspelling of {slip}"
        summary += ", which stopped when it began" if ceded == slip else ""
    elif ceded is not None:
        summary += f"; {ceded} stopped when it began, so it may be its new name"
    facts = [Fact("first row", day_of(coming.first_at))]
    facts += known.value_facts(name)
    if like:
        facts.append(Fact("declared names like it", ", ".join(like)))
    return maker.make(
        check,
        "unseen",
        Status.FAIL,
        summary,
        event_type=name,
        # What nobody declared and still comes is wrong however long it has been; what came once is
        # worth a line.
        severity=Severity.WARNING if is_new or count else Severity.INFO,
        amount=Amount("events", count, expected=0.0),
        since=coming.first_at,
        facts=facts,
        spark=None if coming.series is None else known.arrivals.spark(coming.series),
    )


def _first_of(slip: str | None, like: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys((*(() if slip is None else (slip,)), *like)))


def _ceased(known: Known, name: str, successor: Coming) -> bool:
    """Whether a declared event type stopped about when its successor began, and has been silent for
    much longer than between its rows before."""
    other = known.types.get(name)
    if other is None or other.occasions <= 1 or successor.occasions <= 1:
        return False
    pause = (other.last_at - other.first_at) / (other.occasions - 1)
    return (
        abs(other.last_at - successor.first_at) <= HANDOVER
        and successor.last_at > other.last_at
        and known.view.now - other.last_at > max(3 * pause, timedelta(hours=1))
    )


def _declared(
    known: Known, contract: Contract, check: DriftCheck, maker: Maker
) -> Iterator[Result]:
    view = known.view
    coming = known.types.get(contract.event_type)
    if not contract.lands_in(view.exposure.name):
        if coming is not None:
            yield _misplaced(known, contract, coming, check, maker)
        return
    if _has_ended(view, contract):
        yield _retired(known, contract, coming, check, maker)
    elif contract.state is LifecycleState.DRAFT:
        yield _draft(known, contract, coming, check, maker)
    elif contract.state is LifecycleState.ACTIVE:
        yield _missing(known, contract, coming, check, maker)


def _has_ended(view: ExposureView, contract: Contract) -> bool:
    """Retired, or its sunset is over; a retirement in the future has not happened."""
    if contract.sunset is None:
        return contract.state is LifecycleState.RETIRED
    return view.now >= _midnight(contract.sunset + timedelta(days=1), view)


def _midnight(day: date, view: ExposureView) -> datetime:
    return datetime.combine(day, time(), view.exposure.time_zone).astimezone(UTC)


def _missing(
    known: Known, contract: Contract, coming: Coming | None, check: DriftCheck, maker: Maker
) -> Result:
    view = known.view
    status, summary, since, learning_until = Status.PASS, "it comes", None, None
    facts: list[Fact] = []
    if coming is None:
        due = min(view.watching_since, view.measured_from)
        if contract.since is not None:
            due = max(due, _midnight(contract.since, view))
        sparse = contract.pattern is Pattern.SPARSE
        grace = max(check.grace, SPARSE_GRACE) if sparse else check.grace
        # The look-back cuts the past off: what comes twice a year need not be in it.
        unknown = sparse and (contract.since is None or due <= view.measured_from)
        if view.now < due + grace:
            status, summary, learning_until = Status.LEARNING, "has not come yet", due + grace
        elif not known.types:
            status, summary = Status.SKIPPED, "nothing at all came to the exposure"
        elif unknown:
            looked = format_duration(view.now - view.measured_from)
            status = Status.SKIPPED
            summary = (
                f"no row in the {looked} that are known: too short to miss a sparse event type"
            )
        else:
            waited = format_duration(view.now - due)
            status, since = Status.FAIL, due
            summary = f"declared and active, but no row came in {waited}"
            facts = _stand_ins(known, contract.event_type)
    return maker.make(
        check,
        "missing",
        status,
        summary,
        event_type=contract.event_type,
        contract=contract,
        amount=Amount("events", 0.0) if status is Status.FAIL else None,
        since=since,
        learning_until=learning_until,
        facts=facts,
    )


def _stand_ins(known: Known, event_type: str) -> list[Fact]:
    """Undeclared event types that come and look like one that does not."""
    declared = known.view.catalog.contracts
    undeclared = tuple(sorted(n for n in known.types if n and n.strip() and n not in declared))
    like, _, _ = _lookalikes(event_type, undeclared[:1000])
    return [Fact("undeclared names like it", ", ".join(like))] if like else []


def _misplaced(
    known: Known, contract: Contract, coming: Coming, check: DriftCheck, maker: Maker
) -> Result:
    count = known.rows_since(contract.event_type, check.recent)
    where = ", ".join(contract.exposures)
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return maker.make(
        check,
        "misplaced",
        Status.FAIL if count else Status.PASS,
        f"declared for {where} only, but {rows} came here in the last "
        f"{format_duration(check.recent)}",
        event_type=contract.event_type,
        contract=contract,
        amount=Amount("events", count, expected=0.0),
        since=coming.first_at if count else None,
        facts=known.value_facts(contract.event_type) if count else (),
    )


def _draft(
    known: Known, contract: Contract, coming: Coming | None, check: DriftCheck, maker: Maker
) -> Result:
    """News, not an alarm: somebody is about to ship it."""
    count = known.rows_since(contract.event_type, check.recent)
    if coming is None or not count:
        return maker.make(
            check,
            "draft",
            Status.PASS,
            "a draft that does not come",
            event_type=contract.event_type,
            contract=contract,
        )
    age = format_duration(known.view.now - coming.first_at)
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return maker.make(
        check,
        "draft",
        Status.FAIL,
        f"still a draft, and it began to come {age} ago ({rows} in the last "
        f"{format_duration(check.recent)}); make it active when it is meant to come",
        event_type=contract.event_type,
        contract=contract,
        severity=Severity.INFO,
        amount=Amount("events", count),
        since=coming.first_at,
        facts=known.value_facts(contract.event_type),
    )


def _retired(
    known: Known, contract: Contract, coming: Coming | None, check: DriftCheck, maker: Maker
) -> Result:
    """Rows that occurred before the sunset and come late are no news."""
    view = known.view
    count, since = 0, None
    if coming is not None and coming.series is not None:
        cells = view.rows
        chosen = cells.series == coming.series
        if contract.sunset is not None:
            over = _midnight(contract.sunset + timedelta(days=1), view).timestamp()
            chosen &= cells.occurred >= over
        recent = chosen & (cells.last_loaded > (view.now - check.recent).timestamp())
        count = int(cells.rows[recent].sum())
        if count and contract.sunset is not None:
            since = from_epoch(int(np.min(cells.first_loaded[chosen])))
        elif count:
            since = from_epoch(int(np.min(cells.first_loaded[recent])))
    if contract.sunset is None:
        ended = "retired"
    else:
        ended = f"ended on {contract.sunset.day} {contract.sunset:%b %Y}"
    rows = "1 row" if count == 1 else f"{count:,} rows"
    span = format_duration(check.recent)
    facts = known.value_facts(contract.event_type) if count else []
    if count and contract.replaced_by:
        facts.append(Fact("replaced by", contract.replaced_by))
    return maker.make(
        check,
        "retired",
        Status.FAIL if count else Status.PASS,
        f"{ended}, but {rows} still came in the last {span}"
        if count
        else f"{ended}, comes no more",
        event_type=contract.event_type,
        contract=contract,
        amount=Amount("events", count, expected=0.0),
        since=since,
        facts=facts,
        spark=known.arrivals.spark(coming.series)
        if count and coming is not None and coming.series is not None
        else None,
    )
