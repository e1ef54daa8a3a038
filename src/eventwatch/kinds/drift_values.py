"""drift of values: a platform that stopped, never came, or that nobody named.

Three questions, from the surest to the most careful. What a contract names must come, and what it
does not name must not. What a contract does not speak of is judged by history alone, and only where
it was a substantial part. Dimensions whose values change all the time, as app versions do, are left
alone unless a contract names their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from eventwatch.kinds.arrivals import IntArray, spark_of
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.delays import quantile, summed_bins
from eventwatch.kinds.drift_check import DriftCheck
from eventwatch.kinds.drift_known import shown
from eventwatch.kinds.drift_novelty import Novelty, novelty_of, watched_by
from eventwatch.kinds.drift_stops import Members, Stop, Sums, numbered, sum_up, weigh_stops
from eventwatch.kinds.results import Maker
from eventwatch.model.contract import Contract, LifecycleState
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import HOUR, OTHER, SeriesKey
from eventwatch.model.names import is_misspelling
from eventwatch.model.result import Amount, Cut, Fact, Result, Spark
from eventwatch.model.status import Severity, Status
from eventwatch.model.view import ExposureView, Seen

NAMED_P, NAMED_ROWS = 1e-5, 8.0
"""Of a value that a contract names: chance, and rows expected since, from which it is missing."""
LEARNED_P, LEARNED_ROWS = 1e-6, 20.0
LEARNED_SHARE = 0.05
"""Of an event type's rows; a smaller part that nobody named is nobody's promise."""
WHOLE_SHARE = 0.01
"""Of the exposure's rows."""
WHOLE_TIME_P = 5e-4
"""Of a silence by the value's own pauses; enough for the few values of a whole exposure, whose other
values may come so seldom that their hours prove nothing."""
LEARNED_HISTORY = 7 * 24
"""Hours a value must have been there before its absence says anything."""
NEW_NORMAL = timedelta(days=14)
"""A value that nobody named and that is gone for longer is not expected any more."""
MIN_ROWS = 20
"""Rows of an event type from which a value's first coming may be asked for."""


@dataclass(frozen=True)
class _Scene:
    """What the parts share."""

    view: ExposureView
    maker: Maker

    @cached_property
    def settled(self) -> int:
        """Epoch hour up to which most of what occurred has arrived, on every platform."""
        lag = 0.0
        if self.view.exposure.has_load_time:
            bins = summed_bins(self.view.delays, self.view.now, hours=24)
            lag = quantile(bins, 0.95) if bins.any() else 0.0
        wait = min(max(lag, HOUR), 24.0 * HOUR)
        return int(self.view.now.timestamp() - wait) // HOUR

    @cached_property
    def whole(self) -> tuple[Members, list[tuple[str, str]], Sums]:
        """Every value of every dimension over all event types."""
        cells = self.view.cuts
        of_series, pairs = numbered([(k.dimension, k.value) for k in cells.keys])
        groups, dims = numbered([dimension for dimension, _ in pairs])
        members = Members(of_series[cells.series], groups, len(dims))
        return members, pairs, sum_up(cells, members, self.settled)

    @cached_property
    def parts(self) -> tuple[Members, Sums]:
        """Every value of every dimension of every event type."""
        cells = self.view.cuts
        groups, labels = numbered([(k.event_type, k.dimension) for k in cells.keys])
        members = Members(cells.series.astype(np.int64), groups, len(labels))
        return members, sum_up(cells, members, self.settled)


def judge_values(view: ExposureView, rules: Rules[DriftCheck], maker: Maker) -> Iterator[Result]:
    """Results about values of watched dimensions, of the exposure and of each event type."""
    scene = _Scene(view, maker)
    novelty = {d.name: novelty_of(view, d.name) for d in view.exposure.dimensions}
    check = rules.for_exposure()
    gone: set[tuple[str, str]] = set()
    if view.exposure.dimensions:
        stopped = _stopped_whole(scene, novelty)
        gone = set(stopped)
        if check.enabled:
            for dimension in view.exposure.dimensions:
                if watched_by(check.dimensions, dimension.name):
                    yield from _of_dimension(scene, check, novelty[dimension.name], stopped)
    yield from _of_types(scene, rules, novelty, gone)


def _stopped_whole(scene: _Scene, novelty: dict[str, Novelty]) -> dict[tuple[str, str], Stop]:
    members, pairs, sums = scene.whole
    if not pairs:
        return {}
    judged = np.array(
        [d in novelty and not novelty[d].is_usual and v != OTHER for d, v in pairs], dtype=np.bool_
    )
    chosen = np.flatnonzero(judged & _suspicious(sums, LEARNED_ROWS, WHOLE_SHARE))
    stops = weigh_stops(scene.view.cuts, members, sums, chosen)
    oldest = scene.view.now - NEW_NORMAL
    return {
        pairs[s.member]: s
        for s in stops
        if (s.p_value <= LEARNED_P or (s.by_rows <= LEARNED_P and s.by_time <= WHOLE_TIME_P))
        and s.history_hours >= LEARNED_HISTORY
        and from_epoch(s.last_loaded) >= oldest
    }


def _suspicious(
    sums: Sums, rows: float, share: float
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    absent = (sums.last >= 0) & (sums.last < sums.hours) & (sums.since > 0)
    found = absent & (sums.since * sums.share >= rows) & (sums.share >= share)
    return np.asarray(found, dtype=np.bool_)


def _of_dimension(
    scene: _Scene,
    check: DriftCheck,
    novelty: Novelty,
    stopped: dict[tuple[str, str], Stop],
) -> Iterator[Result]:
    """Values of one dimension over all event types."""
    maker, name = scene.maker, novelty.dimension
    if novelty.is_usual:
        yield maker.make(check, "value_unknown", Status.PASS, novelty.reason)
        return
    for value, seen in novelty.values:
        cut = Cut(name, value)
        stop = stopped.get((name, value))
        if stop is not None:
            yield maker.make(
                check,
                "value_stopped",
                Status.FAIL,
                f"{name} {shown(value)} stopped in the whole exposure: it had "
                f"{_percent(stop.share)} of the rows, and none of the {stop.others:,} since",
                cut=cut,
                amount=_expected(stop),
                since=from_epoch(stop.last_loaded),
                spark=_picture(scene, stop),
                total=True,
            )
        else:
            yield maker.make(check, "value_stopped", Status.PASS, "it comes", cut=cut)
        yield _novel(scene, check, novelty, cut, seen)


def _novel(scene: _Scene, check: DriftCheck, novelty: Novelty, cut: Cut, seen: Seen) -> Result:
    view, maker = scene.view, scene.maker
    if view.now - novelty.began_at < timedelta(days=7):
        until = novelty.began_at + timedelta(days=7)
        return maker.make(
            check,
            "value_unknown",
            Status.LEARNING,
            "the values of this dimension are still being learned",
            cut=cut,
            learning_until=until,
        )
    is_new = seen.first_at > view.now - check.recent and cut.value != OTHER
    age = format_duration(view.now - seen.first_at)
    others = [v for v, _ in novelty.values if v != cut.value]
    slip = is_misspelling(cut.value, others) if is_new else None
    summary = f"{cut.dimension} {shown(cut.value)} is new, it first came {age} ago"
    if slip is not None:
        summary += f"; it looks like a misspelling of {slip}"
    types = sorted(
        {
            k.event_type
            for k in view.cuts.keys
            if k.dimension == cut.dimension and k.value == cut.value and k.event_type is not None
        }
        if is_new
        else ()
    )
    facts = [Fact("event types", ", ".join(types[:5]) + (" …" if len(types) > 5 else ""))]
    return maker.make(
        check,
        "value_unknown",
        Status.FAIL if is_new else Status.PASS,
        summary if is_new else f"known for {age}",
        cut=cut,
        severity=Severity.WARNING if is_new else None,
        since=seen.first_at if is_new else None,
        facts=facts if is_new and types else (),
    )


def _of_types(
    scene: _Scene,
    rules: Rules[DriftCheck],
    novelty: dict[str, Novelty],
    gone: set[tuple[str, str]],
) -> Iterator[Result]:
    view = scene.view
    contracts = {
        c.event_type: c
        for c in view.catalog.declared_in(view.exposure.name)
        if c.state in (LifecycleState.ACTIVE, LifecycleState.DEPRECATED)
        and (c.sunset is None or c.sunset > view.now.date())
    }
    if not contracts:
        return
    checks: dict[str | None, DriftCheck] = {
        name: own for name, own in rules.each(tuple(contracts)) if own.enabled
    }
    stops = _stopped_parts(scene, contracts, checks, novelty, gone)
    by_type: dict[str, dict[str, list[int]]] = {}
    for i, key in enumerate(view.cuts.keys):
        if key.event_type in contracts:
            by_type.setdefault(key.event_type, {}).setdefault(key.dimension, []).append(i)
    rows = np.bincount(
        view.cuts.series, weights=view.cuts.rows, minlength=len(view.cuts.keys)
    ).astype(np.int64)
    recent_rows: dict[timedelta, IntArray] = {}
    for name, contract in contracts.items():
        check = checks.get(name)
        if check is None:
            continue
        if check.recent not in recent_rows:
            recent_rows[check.recent] = _rows_since(view, check.recent)
        of_type = by_type.get(name, {})
        for dimension in view.exposure.dimensions:
            if not watched_by(check.dimensions, dimension.name):
                continue
            series = of_type.get(dimension.name, [])
            part = _Part(scene, contract, check, dimension.name, series, stops, gone)
            if contract.expected_values.get(dimension.name):
                yield from part.named(rows)
                yield from part.unexpected(recent_rows[check.recent])
            yield from part.learned()
        yield from _unwatched(scene, contract, check)


def _rows_since(view: ExposureView, span: timedelta) -> IntArray:
    late = view.cuts.last_loaded > (view.now - span).timestamp()
    return np.bincount(
        view.cuts.series[late], weights=view.cuts.rows[late], minlength=len(view.cuts.keys)
    ).astype(np.int64)


def _stopped_parts(
    scene: _Scene,
    contracts: dict[str, Contract],
    checks: dict[str | None, DriftCheck],
    novelty: dict[str, Novelty],
    gone: set[tuple[str, str]],
) -> dict[int, Stop]:
    """Close looks at what may have stopped, by series of the cuts."""
    keys = scene.view.cuts.keys
    if not keys:
        return {}
    members, sums = scene.parts
    loose = _suspicious(sums, NAMED_ROWS, 0.0)
    strict = _suspicious(sums, LEARNED_ROWS, LEARNED_SHARE)
    chosen = []
    for i in np.flatnonzero(loose):
        key = keys[i]
        contract = contracts.get(key.event_type or "")
        check = checks.get(key.event_type)
        if contract is None or check is None or (key.dimension, key.value) in gone:
            continue
        if key.dimension not in novelty or not watched_by(check.dimensions, key.dimension):
            continue
        named = key.value in contract.expected_values.get(key.dimension, ())
        if named or (strict[i] and not novelty[key.dimension].is_usual and key.value != OTHER):
            chosen.append(i)
    return {
        s.member: s
        for s in weigh_stops(scene.view.cuts, members, sums, np.array(chosen, dtype=np.int64))
    }


@dataclass(frozen=True)
class _Part:
    """One dimension of one declared event type."""

    scene: _Scene
    contract: Contract
    check: DriftCheck
    dimension: str
    series: list[int]
    """Its series in the cuts."""
    stops: dict[int, Stop]
    gone: set[tuple[str, str]]

    def _make(
        self,
        aspect: str,
        status: Status,
        summary: str,
        value: str | None = None,
        *,
        amount: Amount | None = None,
        since: datetime | None = None,
        learning_until: datetime | None = None,
        stop: Stop | None = None,
    ) -> Result:
        return self.scene.maker.make(
            self.check,
            aspect,
            status,
            summary,
            event_type=self.contract.event_type,
            contract=self.contract,
            cut=None if value is None else Cut(self.dimension, value),
            amount=amount,
            since=since,
            learning_until=learning_until,
            spark=None if stop is None else _picture(self.scene, stop),
        )

    def named(self, rows: IntArray) -> Iterator[Result]:
        """Values that the contract names must come."""
        keys = self.scene.view.cuts.keys
        place = {keys[i].value: i for i in self.series}
        total = int(sum(rows[i] for i in self.series))
        for value in self.contract.expected_values[self.dimension]:
            i = place.get(value)
            stop = None if i is None else self.stops.get(i)
            if (self.dimension, value) in self.gone:
                reason = f"{self.dimension} {shown(value)} stopped in the whole exposure"
                yield self._make("value_missing", Status.SKIPPED, reason, value)
            elif i is None or not rows[i]:
                yield self._never(value, total)
            elif stop is not None and stop.p_value <= NAMED_P:
                yield self._stopped(value, stop, "the contract names it")
            else:
                yield self._make("value_missing", Status.PASS, "it comes", value)

    def _never(self, value: str, total: int) -> Result:
        view = self.scene.view
        seen = view.ledger.get(SeriesKey(self.contract.event_type, self.dimension, value))
        if total < MIN_ROWS:
            few = f"only {total:,} rows came at all: too few to miss a value"
            return self._make("value_missing", Status.SKIPPED, few, value)
        words = f"{self.dimension} {shown(value)}"
        if seen is not None:
            gone = format_duration(view.now - seen.last_at)
            return self._make(
                "value_missing",
                Status.FAIL,
                f"{words} stopped {gone} ago, though the contract names it",
                value,
                amount=Amount("events", 0.0),
                since=seen.last_at,
            )
        born = view.ledger.get(SeriesKey(self.contract.event_type))
        due = view.measured_from if born is None else born.first_at
        if self.contract.since is not None:
            zone = view.exposure.time_zone
            due = max(due, datetime.combine(self.contract.since, datetime.min.time(), zone))
        if view.now < due + self.check.grace:
            until = due + self.check.grace
            early = f"{words} has not come yet"
            return self._make("value_missing", Status.LEARNING, early, value, learning_until=until)
        return self._make(
            "value_missing",
            Status.FAIL,
            f"{words} never came, though the contract names it; {total:,} rows have other values",
            value,
            amount=Amount("events", 0.0),
            since=due,
        )

    def _stopped(self, value: str, stop: Stop, why: str) -> Result:
        return self._make(
            "value_missing",
            Status.FAIL,
            f"{self.dimension} {shown(value)} stopped: it had {_percent(stop.share)} of the rows, "
            f"and none of the {stop.others:,} since; {why}",
            value,
            amount=_expected(stop),
            since=from_epoch(stop.last_loaded),
            stop=stop,
        )

    def learned(self) -> Iterator[Result]:
        """Values that the contract does not name, by history alone."""
        keys, now = self.scene.view.cuts.keys, self.scene.view.now
        named = self.contract.expected_values.get(self.dimension, ())
        found = False
        for i in self.series:
            stop, value = self.stops.get(i), keys[i].value
            # Where values are named, one that is not and stops is what everybody hoped for.
            if stop is None or named:
                continue
            if (
                stop.p_value <= LEARNED_P
                and stop.expected >= LEARNED_ROWS
                and stop.history_hours >= LEARNED_HISTORY
                and from_epoch(stop.last_loaded) >= now - NEW_NORMAL
            ):
                found = True
                yield self._stopped(value, stop, "its history makes that very unlikely")
        if not found and not named and self.series:
            yield self._make("value_missing", Status.PASS, f"no {self.dimension} stopped")

    def unexpected(self, recent: IntArray) -> Iterator[Result]:
        """Values that came lately and that the contract does not name."""
        view = self.scene.view
        keys, named = view.cuts.keys, self.contract.expected_values[self.dimension]
        total = int(sum(recent[i] for i in self.series))
        found = False
        for i in self.series:
            value, count = keys[i].value, int(recent[i])
            if not count or value in named or value == OTHER:
                continue
            if count <= self.check.max_unexpected * total:
                continue
            found = True
            seen = view.ledger.get(keys[i])
            slip = is_misspelling(value, named)
            rows = "1 row has" if count == 1 else f"{count:,} rows have"
            summary = (
                f"{rows} {self.dimension} {shown(value)} in the last "
                f"{format_duration(self.check.recent)}, which the contract does not name"
            )
            if slip is not None:
                summary += f"; it looks like a misspelling of {slip}"
            yield self._make(
                "value_unexpected",
                Status.FAIL,
                summary,
                value,
                amount=Amount("events", count, expected=0.0),
                since=None if seen is None else seen.first_at,
            )
        if not found:
            words = f"every {self.dimension} is one that the contract names"
            yield self._make("value_unexpected", Status.PASS, words)


def _unwatched(scene: _Scene, contract: Contract, check: DriftCheck) -> Iterator[Result]:
    """A contract that names values of a dimension nobody watches must not pass in silence."""
    watched = {d.name for d in scene.view.exposure.dimensions}
    missing = sorted(d for d in contract.expected_values if d not in watched)
    if missing:
        yield scene.maker.make(
            check,
            "value_missing",
            Status.SKIPPED,
            f"the contract names values of {', '.join(missing)}, which the exposure does not watch; "
            "add it to dimensions in the config",
            event_type=contract.event_type,
            contract=contract,
            cut=Cut(missing[0], ""),
        )


def _expected(stop: Stop) -> Amount:
    return Amount("events", 0.0, expected=stop.expected, p_value=stop.p_value)


def _picture(scene: _Scene, stop: Stop) -> Spark | None:
    return spark_of(stop.hourly, (scene.settled - len(stop.hourly)) * HOUR)


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.01 else f"{share * 100:.1g} %"
