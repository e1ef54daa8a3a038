"""Judges once more what an incident was decided on: the measurements of then, the settings of today.

A number that comes out otherwise is shown beside the one that was decided on, with every reason that
can be told. What cannot be judged again says why. Nothing is recorded or sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from eventwatch.app.adapters import adapter
from eventwatch.app.house import House
from eventwatch.app.incident_rows import Then, then
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_explain import explain as explain_volume
from eventwatch.kinds.volume_explanation import Explanation
from eventwatch.model.alert import Alert
from eventwatch.model.counting import counted
from eventwatch.model.errors import StoreError
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.result import Amount, Basis, Result
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName, Status
from eventwatch.pipeline.basis import basis_of
from eventwatch.pipeline.judge import Restriction, judge
from eventwatch.ports.history import History
from eventwatch.ports.store import StateReader

MOST = 12
"""Instants that are judged again; each is as dear as a cycle."""
EXPLAINED = 4
"""Counts of which season, score and threshold are told as well."""
SAME = 1e-6
"""Relative difference up to which two numbers are one."""
NEAR = 0.1
"""The same where measurements of then were kept more finely than now."""


class Agreement(StrEnum):
    """How the number that was decided on and the one that was worked out again stand."""

    SAME = "same"
    CLOSE = "close"
    """It fails again; the numbers differ by no more than what the measurements of then leave open."""
    OTHER = "other"
    """It fails again on other numbers."""
    PASSES = "passes"
    """It would not fail."""
    UNKNOWN = "unknown"
    """It could not be judged again."""


@dataclass(frozen=True)
class Again:
    """One alert, judged once more as of the cycle that it was last decided in."""

    alert: Alert
    agreement: Agreement
    reasons: tuple[str, ...]
    """Why it differs, or could not be judged; with SAME what changed since and did not matter."""
    result: Result | None = None
    """None: nothing is said of it, or it could not be judged."""
    volume: Explanation | None = None
    """Of counts of an event type: everything that decides."""
    came: int = 0
    """Rows of the judged span that came after it, later than rows usually do."""
    in_time: Result | None = None
    """What would have been said with these; None: there are none."""


def rejudged(house: House, reader: StateReader, alerts: Sequence[Alert]) -> Mapping[str, Again]:
    """By id of the alert. The first ones count most: behind MOST instants nothing is judged."""
    work = _Work(house, reader, adapter("history")(house.settings.history))
    groups: dict[tuple[str, datetime], list[Alert]] = {}
    for alert in alerts:
        groups.setdefault((alert.result.exposure, alert.seen_at), []).append(alert)
    found: dict[str, Again] = {}
    for number, ((exposure, at), some) in enumerate(groups.items()):
        if number >= MOST:
            told = [_unknown(each, f"only the first {MOST} instants are judged") for each in some]
        else:
            told = list(work.of(exposure, at, some))
        found.update({each.alert.id: each for each in told})
    return found


@dataclass
class _Work:
    house: House
    reader: StateReader
    history: History
    explained: int = field(default=0)

    def of(self, name: str, at: datetime, alerts: Sequence[Alert]) -> Iterator[Again]:
        about_data = [alert for alert in alerts if alert.result.status is not Status.ERROR]
        for alert in alerts:
            if alert.result.status is Status.ERROR:
                yield _unknown(alert, "it is about eventwatch or its source, not about rows")
        exposure = next((e for e in self.house.settings.exposures if e.name == name), None)
        if not about_data:
            return
        if exposure is None:
            seen: Then | str = "the exposure is not in the config any more"
        else:
            try:
                state = self.reader.exposure_state(name, at)
                seen = then(self.house, exposure, state, self.history, at)
            except StoreError as error:
                seen = str(error)
        if isinstance(seen, str) or exposure is None:
            yield from (_unknown(alert, str(seen)) for alert in about_data)
            return
        yield from self._judged(exposure, seen, about_data)

    def _judged(self, exposure: Exposure, seen: Then, alerts: Sequence[Alert]) -> Iterator[Again]:
        kinds = tuple(dict.fromkeys(alert.result.kind for alert in alerts))
        checks = tuple(self.house.loaded.checks)
        results = _by_fingerprint(judge(seen.view, checks, Restriction(kinds=kinds)))
        came = {alert.id: _came(seen, alert.result) for alert in alerts}
        in_time: Mapping[str, Result] = {}
        if seen.later is not None and any(came.values()):
            in_time = _by_fingerprint(judge(seen.later, checks, Restriction(kinds=kinds)))
        basis = basis_of(exposure, self.house.catalog, checks)
        for alert in alerts:
            result = results.get(alert.fingerprint)
            agreement = _agreement(alert.result, result, seen)
            yield Again(
                alert=alert,
                agreement=agreement,
                reasons=tuple(_reasons(alert.result, result, agreement, seen, basis)),
                result=result,
                volume=self._volume(seen, alert.result),
                came=came[alert.id],
                in_time=in_time.get(alert.fingerprint) if came[alert.id] else None,
            )

    def _volume(self, seen: Then, result: Result) -> Explanation | None:
        counts = result.kind is KindName.VOLUME and result.aspect == "bucket"
        if not counts or result.cut is not None or result.event_type is None:
            return None
        self.explained += 1
        if self.explained > EXPLAINED:
            return None
        view, house = seen.view, self.house
        rules = rules_for(
            VolumeCheck(), tuple(house.loaded.checks), view.exposure.name, house.catalog
        )
        return explain_volume(view, rules, result.event_type)


def _unknown(alert: Alert, reason: str) -> Again:
    return Again(alert, Agreement.UNKNOWN, (reason,))


def _by_fingerprint(results: Iterable[Result]) -> dict[str, Result]:
    """Where two are of one, the failing one."""
    found: dict[str, Result] = {}
    for result in results:
        if result.status is Status.FAIL or result.fingerprint not in found:
            found[result.fingerprint] = result
    return found


def _key(result: Result) -> SeriesKey:
    cut = result.cut
    return SeriesKey(
        result.event_type, "" if cut is None else cut.dimension, "" if cut is None else cut.value
    )


def _came(seen: Then, result: Result) -> int:
    amount = result.amount
    start = result.since if amount is None or amount.start_at is None else amount.start_at
    end = seen.view.now if amount is None or amount.end_at is None else amount.end_at
    return 0 if start is None or start >= end else seen.came(_key(result), start, end)


def _agreement(decided: Result, again: Result | None, seen: Then) -> Agreement:
    if again is None or again.status is not Status.FAIL:
        error = again is not None and again.status is Status.ERROR
        return Agreement.UNKNOWN if error else Agreement.PASSES
    if _numbers(decided.amount) is None and _numbers(again.amount) is None:
        return Agreement.SAME
    if all(_is_same(a, b) for a, b in pairs(decided.amount, again.amount)):
        return Agreement.SAME
    return Agreement.CLOSE if _left_open(decided, again, seen) else Agreement.OTHER


def pairs(
    decided: Amount | None, again: Amount | None
) -> Iterator[tuple[float | None, float | None]]:
    """Each number of both, in the order of ``Amount``."""
    for name in ("observed", "expected", "lower", "upper", "z", "p_value"):
        yield getattr(decided, name, None), getattr(again, name, None)


def _numbers(amount: Amount | None) -> float | None:
    return None if amount is None else amount.observed


def _is_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SAME, abs_tol=1e-12) or (
        math.isnan(one) and math.isnan(other)
    )


def _left_open(decided: Result, again: Result, seen: Then) -> bool:
    """Whether the difference is what the measurements of then leave open: which rows of a bucket had
    come, and how long rows took by the minute."""
    one, other = decided.amount, again.amount
    open_rows = seen.straddling(_key(decided))
    if one is None or other is None or not (open_rows or seen.coarse):
        return False
    if one.unit == "events":
        seen_alike = abs(one.observed - other.observed) <= open_rows
    else:
        seen_alike = math.isclose(one.observed, other.observed, rel_tol=NEAR)
    rest = ((one.expected, other.expected), (one.lower, other.lower), (one.upper, other.upper))
    return seen_alike and all(
        a is b or (a is not None and b is not None and math.isclose(a, b, rel_tol=NEAR))
        for a, b in rest
    )


def _reasons(
    decided: Result, again: Result | None, agreement: Agreement, seen: Then, basis: Basis
) -> Iterator[str]:
    yield from _changed(decided.basis, basis)
    if agreement is Agreement.SAME:
        return
    if again is None:
        yield (
            "the check says nothing of it now: it may be switched off, or what was told of rows that "
            "cannot be counted is not in the measurements"
        )
    elif again.status is not Status.FAIL and again.summary:
        yield f"now it says {again.status.value}: {again.summary}"
    yield from _moved(decided, again, seen)
    if seen.coarse:
        yield (
            "loads older than two days are kept by the hour, those of then were by five minutes: how "
            "long rows take is known less well"
        )
    open_rows = seen.straddling(_key(decided))
    if open_rows:
        yield (
            f"buckets that hold loads of before and after the cycle have {counted(open_rows, 'row')}: "
            "how many of them it saw is an estimate"
        )
    if seen.pruned:
        yield (
            f"measurements from before {seen.view.measured_from:%Y-%m-%d} are not kept any more, so "
            "less is learned from"
        )


def _moved(decided: Result, again: Result | None, seen: Then) -> Iterator[str]:
    one = decided.amount
    other = None if again is None else again.amount
    if not seen.view.exposure.has_load_time:
        yield (
            "no load time is mapped: rows that came since cannot be told from those that were there"
        )
    if one is None or other is None or one.unit != "events":
        return
    if (one.start_at, one.end_at) != (other.start_at, other.end_at):
        yield "another span speaks now"
        return
    open_rows = seen.straddling(_key(decided))
    more = round(other.observed - one.observed)
    if more > open_rows and seen.view.exposure.has_load_time:
        yield (
            f"by their load times {counted(more, 'row')} came before the cycle, which did not see "
            "them: committed late"
        )
    if -more > open_rows:
        yield f"of the rows that it saw {-more:,} are gone, or were loaded anew since"


def _changed(decided: Basis | None, now: Basis) -> Iterator[str]:
    if decided is None:
        yield "it was decided before eventwatch kept what it decides with: changed settings do not show"
        return
    for what, before, after in (
        ("eventwatch", decided.version, now.version),
        ("the contracts", decided.contracts, now.contracts),
        ("the checks", decided.checks, now.checks),
        ("the exposure's settings", decided.exposure, now.exposure),
    ):
        if before != after:
            yield f"{what} changed since: {before} then, {after} now"
