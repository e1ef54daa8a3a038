"""The life of an alert: what one cycle's results do to what is remembered.

============== =========================== ==================================================
result         pending                     firing
============== =========================== ==================================================
FAIL           fires after ``hold``        stays as it is
PASS           expires                     good; RESOLVED after ``keep`` of good results
absent, judged expires                     as PASS
absent, not    held as it is               held as it is
ERROR          held as it is               held as it is
SKIPPED        held; expires after         held; RESOLVED as "not judged" after
LEARNING       ``UNJUDGED`` without FAIL   ``UNJUDGED`` without FAIL
============== =========================== ==================================================

SKIPPED means that a bigger trouble, a suppression or the rarity of the events speaks for it, and
LEARNING that nothing can be said yet: neither is a proof that it is good again. Both may last for
ever, though, and an alert must not; hence the limit. An ERROR under an aspect of ``trouble`` counts
as FAIL of its own alert. Who is told what of it, and how often, is not decided here: alerts become
incidents, and those are told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from eventwatch.alerting.trouble import PERSISTS, is_trouble
from eventwatch.model.alert import Alert, AlertState, Change, Transition
from eventwatch.model.durations import format_duration
from eventwatch.model.result import LATE, NEW_LEVEL, Result
from eventwatch.model.status import Status

UNJUDGED = timedelta(days=3)
"""How long an alert outlives its last FAIL while its check gives SKIPPED or LEARNING."""

BACK_TO_NORMAL = "back to normal"
NO_LONGER_FOUND = "no longer found"


def track(
    open_alerts: Sequence[Alert],
    results: Sequence[Result],
    now: datetime,
    *,
    judged: Callable[[Alert], bool],
    dismissed: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Transition, ...]:
    """Every open alert and every failing result after this cycle, in the order of fingerprints.

    ``judged`` says of an open alert without a result whether that means anything: its kind ran
    without trouble on a measured exposure, and nothing restricted the run. ``dismissed`` are the
    fingerprints a person called no problem, and why: such an alert ends as soon as it fails no more.
    """
    by_fingerprint = {a.fingerprint: a for a in open_alerts if a.open}
    verdicts = _verdicts(results)
    transitions = []
    for fingerprint in sorted(by_fingerprint.keys() | verdicts.keys()):
        alert, result = by_fingerprint.get(fingerprint), verdicts.get(fingerprint)
        if alert is None:
            if result is not None and _is_bad(result):
                transitions.append(_opened(result, now))
        elif result is None:
            good = judged(alert)
            transitions.append(
                _good(alert, now, alert.result.keep, NO_LONGER_FOUND) if good else _held(alert)
            )
        elif _is_bad(result):
            transitions.append(_failed(alert, result, now))
        elif fingerprint in dismissed:
            transitions.append(_good(alert, now, timedelta(0), dismissed[fingerprint]))
        elif result.status is Status.PASS:
            keep = max(alert.result.keep, result.keep)
            transitions.append(_good(alert, now, keep, _over(result)))
        elif result.status in (Status.SKIPPED, Status.LEARNING):
            transitions.append(_unjudged(alert, result, now))
        else:
            transitions.append(_held(alert))
    return tuple(transitions)


def alert_id(fingerprint: str, started_at: datetime) -> str:
    """The same trouble from the same start has the same id, whoever computes it."""
    text = f"{fingerprint} {started_at.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_bad(result: Result) -> bool:
    return result.status is Status.FAIL or is_trouble(result)


_RANK = {Status.PASS: 0, Status.LEARNING: 1, Status.SKIPPED: 2, Status.ERROR: 3, Status.FAIL: 4}


def _verdicts(results: Sequence[Result]) -> dict[str, Result]:
    """One result per fingerprint: a kind that says two things of one is taken at its worst."""
    worst: dict[str, Result] = {}
    for result in results:
        other = worst.get(result.fingerprint)
        if other is None or _weight(result) > _weight(other):
            worst[result.fingerprint] = result
    return worst


def _weight(result: Result) -> tuple[int, int]:
    return _RANK[result.status], result.severity.rank


def _opened(result: Result, now: datetime) -> Transition:
    alert = Alert(
        id=alert_id(result.fingerprint, now),
        fingerprint=result.fingerprint,
        state=AlertState.PENDING,
        result=result,
        started_at=now,
        seen_at=now,
    )
    return _fired_if_it_lasted(alert, now) or Transition(alert, Change.PENDING)


def _failed(alert: Alert, result: Result, now: datetime) -> Transition:
    # A clock that was ahead and stepped back must not leave an alert waiting for years.
    started_at = min(alert.started_at, now)
    alert = replace(alert, result=result, seen_at=now, started_at=started_at, good_since=None)
    if alert.state is AlertState.PENDING:
        return _fired_if_it_lasted(alert, now) or _held(alert)
    return _held(alert)


def _fired_if_it_lasted(alert: Alert, now: datetime) -> Transition | None:
    result = alert.result
    hold = PERSISTS if is_trouble(result) and not result.hold else result.hold
    if result.total or now - alert.started_at >= hold:
        return Transition(replace(alert, state=AlertState.FIRING, fired_at=now), Change.FIRED)
    return None


def _good(alert: Alert, now: datetime, keep: timedelta, reason: str) -> Transition:
    if alert.state is AlertState.PENDING:
        return _ended(alert, now, AlertState.EXPIRED, reason)
    since = now if alert.good_since is None else min(alert.good_since, now)
    alert = replace(alert, good_since=since)
    if now - since >= keep:
        return _ended(alert, now, AlertState.RESOLVED, reason)
    return Transition(alert, Change.NONE)


def _over(result: Result) -> str:
    """Why a good result ends an alert: the rows came after all, as it is now is the usual, or it is as
    before."""
    for fact in result.facts:
        if fact.label == LATE:
            return f"{LATE}: {fact.text}" if fact.text else LATE
        if fact.label == NEW_LEVEL:
            return fact.text
    return BACK_TO_NORMAL


def _unjudged(alert: Alert, result: Result, now: datetime) -> Transition:
    if now - alert.seen_at < UNJUDGED:
        return _held(alert)
    word = "skipped" if result.status is Status.SKIPPED else "too little history"
    reason = f"not judged for {format_duration(now - alert.seen_at)} ({word})"
    pending = alert.state is AlertState.PENDING
    return _ended(alert, now, AlertState.EXPIRED if pending else AlertState.RESOLVED, reason)


def _ended(alert: Alert, now: datetime, state: AlertState, reason: str) -> Transition:
    change = Change.RESOLVED if state is AlertState.RESOLVED else Change.EXPIRED
    return Transition(replace(alert, state=state, ended_at=now, end_reason=reason), change)


def _held(alert: Alert) -> Transition:
    return Transition(alert, Change.NONE)
