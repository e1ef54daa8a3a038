"""Blind spots: for each event type, the smallest change that would be told, and what would not be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from eventwatch.alerting.routing import Directory
from eventwatch.alerting.silence import suppressed_by
from eventwatch.app.adapters import adapter
from eventwatch.app.blind_advice import Advice, Case, advice
from eventwatch.app.house import House, RunOptions
from eventwatch.app.runs import holidays_of, new_run_id
from eventwatch.kinds.blind_habits import Habit, habits
from eventwatch.kinds.blind_silence import silences
from eventwatch.kinds.blind_trial import HORIZONS
from eventwatch.kinds.definition import Check, Rules, rules_for
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_blind import volume_sights
from eventwatch.model.contract import Contract, Direction, LifecycleState
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState
from eventwatch.model.status import KindName, Status
from eventwatch.model.view import ExposureView
from eventwatch.pipeline.cycle import Watch, look
from eventwatch.pipeline.judge import Restriction
from eventwatch.ports.history import History
from eventwatch.ports.store import StateReader

NOTHING = (None,) * len(HORIZONS)

__all__ = ["HORIZONS", "BlindSpots", "EventTypeSight", "ExposureSight", "Standing", "blind_spots"]


class Standing(StrEnum):
    """What is to be said of an event type, the worst first."""

    BLIND = "blind"
    """A drop to zero would not be told in time."""
    LEARNING = "learning"
    """Not yet: there is too little history. What comes without it, would be told."""
    SEEN = "seen"
    OFF = "off"
    """Nothing is to be told, on purpose."""


@dataclass(frozen=True)
class EventTypeSight:
    """One event type. Tuples are for each of HORIZONS."""

    event_type: str
    team: str
    contract: Contract | None
    habit: Habit | None
    by_day: bool
    """Whether its counts are judged by the day."""
    drops: tuple[float | None, ...]
    """Part that must be missing, 1.0 everything; None: not even that is told."""
    rises: tuple[float | None, ...]
    """Factor; None: none that was tried (up to ten)."""
    stop_by_volume: timedelta | None
    """When a drop to zero is told at the latest, nine times in ten; None: not within a day."""
    stop_by_freshness: timedelta | None
    """The same by its silence; None: not within two weeks, or never."""
    learning_until: datetime | None
    off: str
    """Why nothing is told on purpose; empty: it is told."""
    advice: tuple[Advice, ...] = ()

    @property
    def stop(self) -> tuple[timedelta, KindName] | None:
        """When a stop is told at the latest, and by which kind of check; None: it is not."""
        found = [
            (after, kind)
            for after, kind in (
                (self.stop_by_volume, KindName.VOLUME),
                (self.stop_by_freshness, KindName.FRESHNESS),
            )
            if after is not None
        ]
        return min(found, key=lambda each: each[0], default=None)

    def drop(self, place: int) -> float | None:
        """Smallest drop told within a horizon, by whatever kind."""
        stop = self.stop
        if self.drops[place] is None and stop is not None and stop[0] <= HORIZONS[place]:
            return 1.0
        return self.drops[place]

    def standing(self, place: int) -> Standing:
        """Within one of HORIZONS."""
        if self.drop(place) is not None:
            return Standing.SEEN
        if self.off:
            return Standing.OFF
        return Standing.BLIND if self.learning_until is None else Standing.LEARNING


@dataclass(frozen=True)
class ExposureSight:
    """One exposure."""

    name: str
    at: datetime
    event_types: tuple[EventTypeSight, ...] = ()
    error: str = ""
    """Why it could not be measured; empty: it was."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class BlindSpots:
    """The whole answer."""

    at: datetime
    within: int
    """Place in HORIZONS of the one that decides what is blind."""
    exposures: tuple[ExposureSight, ...]
    elapsed_seconds: float = 0.0

    def count(self, standing: Standing) -> int:
        """Event types of that standing, over all exposures."""
        return sum(
            s.standing(self.within) is standing for e in self.exposures for s in e.event_types
        )

    @property
    def total(self) -> int:
        """Event types, over all exposures."""
        return sum(len(e.event_types) for e in self.exposures)

    def exit_code(self, fail_from: int | None) -> int:
        """1 from so many blind event types on, 3 where something could not be measured; 1 wins."""
        if fail_from is not None and self.count(Standing.BLIND) >= fail_from:
            return 1
        return 3 if any(e.error for e in self.exposures) else 0


def blind_spots(house: House, options: RunOptions, within: int) -> BlindSpots:
    """Looks at each exposure as it is now, or was at ``options.at``, and asks what would be told next.
    Sends and records nothing but the measurements."""
    began = time.monotonic()
    now = house.clock.now() if options.at is None else options.at
    reader: StateReader | None = adapter("reader")(house.settings.state)
    try:
        found = tuple(
            _exposure(house, options, exposure, reader, now=now, within=within)
            for exposure in house.chosen(options)
        )
    finally:
        if reader is not None:
            reader.close()
    return BlindSpots(now, within, found, time.monotonic() - began)


def _exposure(
    house: House,
    options: RunOptions,
    exposure: Exposure,
    reader: StateReader | None,
    *,
    now: datetime,
    within: int,
) -> ExposureSight:
    as_of = options.at is not None
    state = ExposureState() if reader is None else reader.exposure_state(exposure.name, now)
    if as_of:
        state = ExposureState(labels=state.labels)
    checks = tuple(house.loaded.checks)
    watch = Watch(
        exposure=exposure,
        catalog=house.catalog,
        checks=checks,
        directory=house.directory(),
        notify=house.settings.notify,
        state=state,
        remembers=True,
        now=now,
        as_of=as_of,
        restriction=Restriction(kinds=(KindName.VOLUME,)),
        run_id=new_run_id(now),
        holidays=holidays_of(exposure, now),
    )
    history: History = adapter("memory")() if as_of else adapter("history")(house.settings.history)
    seen = look(watch, house.warehouse, history, options.progress)
    if seen.measured is None:
        return ExposureSight(exposure.name, now, error=seen.report.error)
    asked = _Asked(seen.measured.view, checks, house.directory(), options, within)
    return ExposureSight(
        exposure.name,
        now,
        asked.answers(seen.assessment.results),
        notes=seen.report.notes,
    )


@dataclass(frozen=True)
class _Asked:
    view: ExposureView
    checks: tuple[Check, ...]
    directory: Directory
    options: RunOptions
    within: int

    def answers(self, results: Iterable[Result]) -> tuple[EventTypeSight, ...]:
        """Of every event type that is wanted, the worst first."""
        view = self.view
        learning = {
            r.event_type: r.learning_until
            for r in results
            if r.aspect == "bucket" and r.status is Status.LEARNING
        }
        known = habits(view)
        declared = {c.event_type for c in view.catalog.declared_in(view.exposure.name)}
        names = [name for name in sorted(declared | set(known)) if self._wants(name)]
        name_of, catalog = view.exposure.name, view.catalog
        volume = rules_for(VolumeCheck(), self.checks, name_of, catalog)
        freshness = rules_for(FreshnessCheck(), self.checks, name_of, catalog)
        off = {name: self._off(name, volume, KindName.VOLUME) for name in names}
        silent_off = {name: self._off(name, freshness, KindName.FRESHNESS) for name in names}
        counted = {name for name in names if not off[name] and name not in learning}
        judged = volume_sights(view, volume, counted.__contains__, self._progress())
        silent = silences(view, freshness, [name for name in names if not silent_off[name]])
        made = []
        for name in names:
            why, own = off[name], judged.get(name)
            if not why and own is not None and own.direction is Direction.SPIKE:
                why = "only rises are to be told: alert_on in its contract or checks, or deprecated"
            if not why and name not in known:
                why = "nothing came in the look-back: that is drift's to tell"
            sight = EventTypeSight(
                event_type=name,
                team=self._team(name),
                contract=view.catalog.of(name),
                habit=known.get(name),
                by_day=own is not None and own.by_day,
                drops=NOTHING if own is None else own.sight.drops,
                rises=NOTHING if own is None else own.sight.rises,
                stop_by_volume=None if own is None else own.sight.stop,
                stop_by_freshness=silent.get(name),
                learning_until=learning.get(name),
                off=why,
            )
            if sight.standing(self.within) is Standing.BLIND:
                case = Case(
                    event_type=name,
                    contract=sight.contract,
                    habit=sight.habit,
                    judged=own,
                    stop=None if sight.stop is None else sight.stop[0],
                    within=HORIZONS[self.within],
                    freshness_off=silent_off[name],
                    source=volume.for_event_type(name).source,
                )
                sight = replace(sight, advice=advice(case))
            made.append(sight)
        return tuple(sorted(made, key=lambda s: _order(s, self.within)))

    def _wants(self, name: str) -> bool:
        restriction = self.options.restriction
        if not restriction.wants_event_type(name):
            return False
        return not restriction.teams or self._team(name) in restriction.teams

    def _team(self, name: str) -> str:
        contract = self.view.catalog.of(name)
        team = "" if contract is None else contract.owner.team
        return team or self.directory.fallback_team

    def _progress(self) -> Callable[[float], None] | None:
        progress = self.options.progress
        if progress is None:
            return None
        word = f"trying changes in {self.view.exposure.name}"
        return lambda share: progress(share, word)

    def _off(self, name: str, rules: Rules[Any], kind: KindName) -> str:
        """Why the kind tells nothing of it on purpose; empty: it does."""
        contract = self.view.catalog.of(name)
        check = rules.for_event_type(name)
        if not check.enabled:
            return f"{kind.value} is switched off{f' in {check.source}' if check.source else ''}"
        if contract is not None and contract.state in (
            LifecycleState.DRAFT,
            LifecycleState.RETIRED,
        ):
            return f"{contract.state.value} in its contract"
        result = Result(self.view.exposure.name, kind, "bucket", Status.FAIL, name)
        off = suppressed_by(result, contract, self.view.now)
        if off is not None:
            return f"switched off in the contract until {off.until}: {off.reason}"
        return ""


def _order(sight: EventTypeSight, within: int) -> tuple[object, ...]:
    """The worst first: by standing, then by what is missed for longest, then the largest first."""
    worst = (Standing.BLIND, Standing.LEARNING, Standing.SEEN, Standing.OFF)
    stop = sight.stop
    late = float("inf") if stop is None else stop[0].total_seconds()
    drop = sight.drop(within)
    per_day = 0.0 if sight.habit is None else sight.habit.per_day
    return (
        worst.index(sight.standing(within)),
        -(2.0 if drop is None else drop),
        -late,
        -per_day,
        sight.event_type,
    )
