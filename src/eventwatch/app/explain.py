"""Explains one event type: everything that decided about its counts at an instant, and what the other
kinds of checks say of it then. Sends and records nothing but the measurements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from eventwatch.alerting.routing import route
from eventwatch.alerting.silence import silenced_by, suppressed_by
from eventwatch.app.adapters import adapter
from eventwatch.app.house import House, RunOptions
from eventwatch.app.runs import holidays_of, new_run_id
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_explain import explain as explain_volume
from eventwatch.kinds.volume_explanation import Explanation
from eventwatch.model.contract import Contract
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState
from eventwatch.model.status import KindName, Status
from eventwatch.pipeline.cycle import Watch, look
from eventwatch.pipeline.judge import Restriction
from eventwatch.ports.history import History
from eventwatch.ports.store import StateReader

OTHERS = tuple(kind for kind in KINDS if kind is not KindName.VOLUME)


@dataclass(frozen=True)
class Explained:
    """One event type of one exposure."""

    exposure: str
    event_type: str
    now: datetime
    zone: str
    team: str
    """Who would be told."""
    contract: Contract | None
    volume: Explanation | None
    """None: none of its rows came in the look-back."""
    muted: str
    """Why nobody would be told of what volume says; empty: somebody would."""
    others: tuple[Result, ...]
    """What freshness, drift and duplicates say of it, and whether the exposure as a whole is late."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What was found."""

    found: tuple[Explained, ...]
    """One per exposure that has the event type."""
    known: tuple[str, ...]
    """Every event type that is declared or came, of the exposures that could be measured."""
    unmeasured: tuple[tuple[str, str], ...] = ()
    """Exposure and reason."""


def explain(
    house: House, options: RunOptions, event_type: str, days: float | None = None
) -> Answer:
    """Looks at each chosen exposure as it is now, or was at ``options.at``, and explains the event type
    in those that have it. ``days``: how much the picture shows; None: what fits."""
    now = house.clock.now() if options.at is None else options.at
    reader: StateReader | None = adapter("reader")(house.settings.state)
    made = _Asked(house, options, event_type, days, now)
    found: list[Explained] = []
    known: set[str] = set()
    unmeasured: list[tuple[str, str]] = []
    try:
        for exposure in house.chosen(options):
            one = made.of(exposure, reader)
            if isinstance(one, str):
                unmeasured.append((exposure.name, one))
                continue
            known |= one.known
            if one.explained is not None:
                found.append(one.explained)
    finally:
        if reader is not None:
            reader.close()
    return Answer(tuple(found), tuple(sorted(known)), tuple(unmeasured))


@dataclass(frozen=True)
class _One:
    known: frozenset[str]
    explained: Explained | None


@dataclass(frozen=True)
class _Asked:
    house: House
    options: RunOptions
    event_type: str
    days: float | None
    now: datetime

    def of(self, exposure: Exposure, reader: StateReader | None) -> _One | str:
        """What the exposure has of it, or why it could not be measured."""
        house, name = self.house, self.event_type
        watch = self._watch(exposure, reader)
        history: History = (
            adapter("memory")() if watch.as_of else adapter("history")(house.settings.history)
        )
        seen = look(watch, house.warehouse, history, self.options.progress)
        if seen.measured is None:
            return seen.report.error
        view = seen.measured.view
        declared = {c.event_type for c in house.catalog.declared_in(exposure.name)}
        came = {key.event_type for key in view.rows.keys if key.event_type is not None}
        known = frozenset(declared | came)
        if name not in known:
            return _One(known, None)
        rules = rules_for(VolumeCheck(), watch.checks, exposure.name, house.catalog)
        told = explain_volume(view, rules, name, days=self.days)
        contract = house.catalog.of(name)
        return _One(
            known,
            Explained(
                exposure=exposure.name,
                event_type=name,
                now=self.now,
                zone=exposure.time_zone.key,
                team=self._team(watch, contract, told),
                contract=contract,
                volume=told,
                muted="" if told is None else self._muted(watch, contract, told.result),
                others=tuple(_about(seen.assessment.results, name)),
                notes=seen.report.notes,
            ),
        )

    def _watch(self, exposure: Exposure, reader: StateReader | None) -> Watch:
        house, now = self.house, self.now
        as_of = self.options.at is not None
        state = ExposureState() if reader is None else reader.exposure_state(exposure.name, now)
        if as_of:
            state = ExposureState(silences=state.silences, labels=state.labels)
        return Watch(
            exposure=exposure,
            catalog=house.catalog,
            checks=tuple(house.loaded.checks),
            directory=house.directory(),
            notify=house.settings.notify,
            state=state,
            # Only what is said now is asked, not how long it has lasted.
            remembers=True,
            now=now,
            as_of=as_of,
            restriction=Restriction(kinds=OTHERS),
            run_id=new_run_id(now),
            holidays=holidays_of(exposure, now),
        )

    def _team(self, watch: Watch, contract: Contract | None, told: Explanation | None) -> str:
        if told is None:
            owner = "" if contract is None else contract.owner.team
            return owner or watch.directory.fallback_team
        return route(told.result, contract, watch.exposure, watch.directory).team

    def _muted(self, watch: Watch, contract: Contract | None, result: Result) -> str:
        if result.status is not Status.FAIL:
            return ""
        off = suppressed_by(result, contract, watch.now)
        if off is not None:
            return f"switched off in the contract until {off.until}: {off.reason}"
        team = route(result, contract, watch.exposure, watch.directory).team
        silence = silenced_by(result, team, watch.state.silences, watch.now)
        if silence is None:
            return ""
        until = f"{silence.ends_at:%Y-%m-%d %H:%M} UTC"
        return f"silenced until {until} by {silence.author}: {silence.reason}"


def _about(results: Iterable[Result], event_type: str) -> Iterable[Result]:
    """Of the event type; and, since it may be why, that the exposure as a whole is late or could not be
    judged."""
    for result in results:
        late = result.kind is KindName.FRESHNESS and result.status is Status.FAIL
        whole = result.event_type is None and (late or result.status is Status.ERROR)
        if result.event_type == event_type or whole:
            yield result
