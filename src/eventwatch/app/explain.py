"""Explains one event type, or one value of a watched dimension within it, or the rows without a type:
everything that decided about its counts at an instant, and what the other kinds of checks say of it
then. Sends and records nothing but the measurements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from eventwatch.alerting.routing import route
from eventwatch.alerting.silence import silenced_by, suppressed_by
from eventwatch.app.adapters import adapter
from eventwatch.app.explain_rows import Nameless, nameless
from eventwatch.app.feedback import Unclear
from eventwatch.app.house import House, RunOptions
from eventwatch.app.runs import holidays_of, new_run_id
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_cuts_explain import CutExplanation, explain_cut
from eventwatch.kinds.volume_explain import explain as explain_volume
from eventwatch.kinds.volume_explanation import Explanation
from eventwatch.model.contract import Contract
from eventwatch.model.result import Cut, Result
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState
from eventwatch.model.status import KindName, Status
from eventwatch.model.trace import Trace
from eventwatch.model.view import ExposureView
from eventwatch.pipeline.cycle import Watch, look
from eventwatch.pipeline.judge import Restriction
from eventwatch.ports.history import History
from eventwatch.ports.store import StateReader

NULL_TYPE = "null_type"
"""Aspect under which drift tells of rows without an event type."""
OTHERS = tuple(kind for kind in KINDS if kind is not KindName.VOLUME)


@dataclass(frozen=True)
class About:
    """What is asked for."""

    event_type: str | None
    """None: the rows without one."""
    cut: Cut | None = None
    """Only its rows with this value; None: all."""
    days: float | None = None
    """How much the picture shows; None: what fits."""


@dataclass(frozen=True)
class Explained:
    """One event type of one exposure, or what was asked for of it."""

    exposure: str
    event_type: str | None
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
    cut: CutExplanation | None = None
    """What volume says of the value that was asked for; ``volume`` is then that of all its rows. None:
    none was asked for, or none of its rows ever came."""
    nameless: Nameless | None = None
    """Of the rows without an event type, which volume does not judge."""

    @property
    def trace(self) -> Trace | None:
        """What a chart shows; None: nothing yet."""
        of = (self.cut, self.nameless, self.volume)
        return next((each.trace for each in of if each is not None), None)


@dataclass(frozen=True)
class Answer:
    """What was found."""

    found: tuple[Explained, ...]
    """One per exposure that has the event type."""
    known: tuple[str, ...]
    """Every event type that is declared or came, of the exposures that could be measured."""
    unmeasured: tuple[tuple[str, str], ...] = ()
    """Exposure and reason."""
    values: tuple[str, ...] = ()
    """Where a value was asked for that never came: those that came with the event type."""


def explain(house: House, options: RunOptions, about: About) -> Answer:
    """Looks at each chosen exposure as it is now, or was at ``options.at``, and explains what is asked
    for in those that have it. Raises Unclear for a dimension that none of them watches."""
    _watched(house.chosen(options), about.cut)
    now = house.clock.now() if options.at is None else options.at
    reader: StateReader | None = adapter("reader")(house.settings.state)
    made = _Asked(house, options, about, now)
    found: list[Explained] = []
    known: set[str] = set()
    values: set[str] = set()
    unmeasured: list[tuple[str, str]] = []
    try:
        for exposure in house.chosen(options):
            one = made.of(exposure, reader)
            if isinstance(one, str):
                unmeasured.append((exposure.name, one))
                continue
            known |= one.known
            values |= one.values
            if one.explained is not None:
                found.append(one.explained)
    finally:
        if reader is not None:
            reader.close()
    return Answer(tuple(found), tuple(sorted(known)), tuple(unmeasured), tuple(sorted(values)))


def _watched(exposures: Iterable[Exposure], cut: Cut | None) -> None:
    names = {dimension.name for each in exposures for dimension in each.dimensions}
    if cut is not None and cut.dimension not in names:
        known = ", ".join(sorted(names)) or "none"
        raise Unclear(f"{cut.dimension} is not watched; watched dimensions are: {known}")


@dataclass(frozen=True)
class _One:
    known: frozenset[str]
    explained: Explained | None
    values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Asked:
    house: House
    options: RunOptions
    about: About
    now: datetime

    def of(self, exposure: Exposure, reader: StateReader | None) -> _One | str:
        """What the exposure has of it, or why it could not be measured."""
        house, about = self.house, self.about
        watch = self._watch(exposure, reader)
        history: History = (
            adapter("memory")() if watch.as_of else adapter("history")(house.settings.history)
        )
        seen = look(watch, house.warehouse, history, self.options.progress)
        if seen.measured is None:
            return seen.report.error
        view = seen.measured.view
        rules = rules_for(VolumeCheck(), watch.checks, exposure.name, house.catalog)
        known = self._known(view)
        name, cut = about.event_type, about.cut
        bare = nameless(view, days=about.days) if name is None else None
        if (name is None and bare is None) or (name is not None and name not in known):
            return _One(known, None)
        part = None
        if cut is not None and name is not None:
            part = explain_cut(view, rules, name, cut, days=about.days)
            if part is None:
                return _One(known, None, _values(view, name, cut.dimension))
        told = None if name is None else explain_volume(view, rules, name, days=about.days)
        contract = house.catalog.of(name)
        verdict = told.result if part is None and told is not None else None
        verdict = part.result if part is not None else verdict
        return _One(
            known,
            Explained(
                exposure=exposure.name,
                event_type=name,
                now=self.now,
                zone=exposure.time_zone.key,
                team=self._team(watch, contract, verdict),
                contract=contract,
                volume=told,
                muted="" if verdict is None else self._muted(watch, contract, verdict),
                others=tuple(_about(seen.assessment.results, name, cut)),
                notes=seen.report.notes,
                cut=part,
                nameless=bare,
            ),
        )

    def _known(self, view: ExposureView) -> frozenset[str]:
        declared = {c.event_type for c in self.house.catalog.declared_in(view.exposure.name)}
        came = {key.event_type for key in view.rows.keys if key.event_type is not None}
        return frozenset(declared | came)

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

    def _team(self, watch: Watch, contract: Contract | None, verdict: Result | None) -> str:
        if verdict is None:
            owner = "" if contract is None else contract.owner.team
            return owner or watch.directory.fallback_team
        return route(verdict, contract, watch.exposure, watch.directory).team

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


def _values(view: ExposureView, event_type: str, dimension: str) -> frozenset[str]:
    """Values of a dimension that came with the event type."""
    keys = (key for key in view.cuts.keys if key.event_type == event_type)
    return frozenset(key.value for key in keys if key.dimension == dimension)


def _about(results: Iterable[Result], event_type: str | None, cut: Cut | None) -> Iterable[Result]:
    """Of what is asked for; and, since it may be why, that the exposure as a whole is late or could not
    be judged."""
    for result in results:
        late = result.kind is KindName.FRESHNESS and result.status is Status.FAIL
        whole = result.event_type is None and (late or result.status is Status.ERROR)
        if event_type is None:
            mine = result.aspect == NULL_TYPE
        elif cut is None:
            mine = result.event_type == event_type
        else:
            mine = result.cut == cut and result.event_type in (event_type, None)
        if mine or whole:
            yield result
