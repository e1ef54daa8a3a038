"""drift of values within one event type: what its contract names must come, and nothing else may.

What the contract does not speak of is judged by history alone, and only where it was a substantial
part of the rows. A value that stopped in the whole exposure is told there, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from eventwatch.kinds.arrivals import IntArray
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.drift_check import DriftCheck
from eventwatch.kinds.drift_known import shown
from eventwatch.kinds.drift_novelty import Novelty, watched_by
from eventwatch.kinds.drift_scene import (
    LEARNED_HISTORY,
    LEARNED_P,
    LEARNED_ROWS,
    NEW_NORMAL,
    Scene,
    expected,
    percent,
    picture,
    suspicious,
)
from eventwatch.kinds.drift_stops import Stop, weigh_stops
from eventwatch.model.contract import Contract, LifecycleState
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import OTHER, SeriesKey
from eventwatch.model.names import is_misspelling
from eventwatch.model.result import Amount, Cut, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

NAMED_P, NAMED_ROWS = 1e-5, 8.0
"""Of a value that a contract names: chance, and rows expected since, from which it is missing."""
LEARNED_SHARE = 0.05
"""Of an event type's rows; a smaller part that nobody named is nobody's promise."""
STRAGGLES = 2 * 3600
"""Seconds between an hour's first load and its last from which the last is a straggler's."""
MIN_ROWS = 20
"""Rows of an event type from which a value's first coming may be asked for."""


def judge_parts(
    scene: Scene,
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
    rows = view.cuts.row_count
    dimensions = [dimension.name for dimension in view.exposure.dimensions]
    watched: dict[tuple[str, ...], list[str]] = {}
    suspected = {(view.cuts.keys[i].event_type, view.cuts.keys[i].dimension) for i in stops}
    recent_rows: dict[timedelta, IntArray] = {}
    for name, contract in contracts.items():
        check = checks.get(name)
        if check is None:
            continue
        if check.dimensions not in watched:
            watched[check.dimensions] = [d for d in dimensions if watched_by(check.dimensions, d)]
        of_type = by_type.get(name, {})
        for dimension in watched[check.dimensions]:
            series = of_type.get(dimension, [])
            named = bool(contract.expected_values.get(dimension))
            if not named and not series:
                continue
            part = _Part(scene, contract, check, dimension, series, stops, gone)
            found: list[Result] = []
            if named:
                if check.recent not in recent_rows:
                    recent_rows[check.recent] = _rows_since(view, check.recent)
                yield from part.named(rows)
                found = list(part.unexpected(recent_rows[check.recent]))
            elif (name, dimension) in suspected:
                found = list(part.learned())
            yield from found
            if series and not found:
                yield part.fine()
        yield from _unwatched(scene, contract, check)


def _rows_since(view: ExposureView, span: timedelta) -> IntArray:
    """Rows per series that were loaded in the last ``span``. A cell of the cuts holds all loads of an
    hour's rows within one day: of one whose loads began long before, a straggler came lately, and the
    hour did not."""
    cells, since = view.cuts, int((view.now - span).timestamp())
    late = cells.last_loaded > since
    spans = late & (cells.first_loaded <= since)
    straggler = spans & (cells.last_loaded - cells.first_loaded > STRAGGLES)
    rows = np.where(straggler, 1, cells.rows)
    return np.bincount(cells.series[late], weights=rows[late], minlength=len(cells.keys)).astype(
        np.int64
    )


def _stopped_parts(
    scene: Scene,
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
    loose = suspicious(sums, NAMED_ROWS, 0.0)
    strict = suspicious(sums, LEARNED_ROWS, LEARNED_SHARE)
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

    scene: Scene
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
            spark=None if stop is None else picture(self.scene, stop),
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
            few = f"only {counted(total, 'row')} came at all: too few to miss a value"
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
            f"{self.dimension} {shown(value)} stopped: it had {percent(stop.share)} of the rows, "
            f"and none of the {stop.others:,} since; {why}",
            value,
            amount=expected(stop),
            since=from_epoch(stop.last_loaded),
            stop=stop,
        )

    def learned(self) -> Iterator[Result]:
        """Where the contract names no value: by history alone. (Where it does, one that it does not
        name and that stopped is what everybody hoped for.)"""
        keys, now = self.scene.view.cuts.keys, self.scene.view.now
        for i in self.series:
            stop, value = self.stops.get(i), keys[i].value
            if stop is not None and (
                stop.p_value <= LEARNED_P
                and stop.expected >= LEARNED_ROWS
                and stop.history_hours >= LEARNED_HISTORY
                and from_epoch(stop.last_loaded) >= now - NEW_NORMAL
            ):
                yield self._stopped(value, stop, "its history makes that very unlikely")

    def fine(self) -> Result:
        """Nothing is wrong with the values as a set."""
        return self._make("value_all", Status.PASS, f"no {self.dimension} is wrong", "")

    def unexpected(self, recent: IntArray) -> Iterator[Result]:
        """Values that came lately and that the contract does not name."""
        view = self.scene.view
        keys, named = view.cuts.keys, self.contract.expected_values[self.dimension]
        total = int(sum(recent[i] for i in self.series))
        for i in self.series:
            value, count = keys[i].value, int(recent[i])
            if not count or value in named or value == OTHER:
                continue
            if count <= self.check.max_unexpected * total:
                continue
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


def _unwatched(scene: Scene, contract: Contract, check: DriftCheck) -> Iterator[Result]:
    """A contract that names values of a dimension nobody watches must not pass in silence."""
    watched = {d.name for d in scene.view.exposure.dimensions}
    for dimension in sorted(d for d in contract.expected_values if d not in watched):
        yield scene.maker.make(
            check,
            "value_all",
            Status.SKIPPED,
            f"the contract names values of {dimension}, which the exposure does not watch; add it to "
            "dimensions in the config",
            event_type=contract.event_type,
            contract=contract,
            cut=Cut(dimension, ""),
        )
