"""A drill: a fault is put into a copy of the measurements, and everything that follows is played.

Nothing is written, neither to the data nor to the history nor to the state: the measurements are read
from the history, changed in memory, and judged as cycles would have judged them; what they say goes
through the same grouping, routing and rendering as in earnest, on an empty board.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.app.adapters import adapter
from eventwatch.app.feedback import Unclear
from eventwatch.app.house import House
from eventwatch.app.runs import holidays_of
from eventwatch.backtest.follow import Follower, Setting
from eventwatch.backtest.judging import Calm, Key, Said, as_alerts, key_of
from eventwatch.backtest.past import Scene
from eventwatch.model.alert import Action, Delivery, DeliveryState
from eventwatch.model.incident import Changes, Incident, MomentKind
from eventwatch.model.measurement import Cells
from eventwatch.model.names import nearest
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView
from eventwatch.pipeline.evidence import evidence
from eventwatch.pipeline.judge import Restriction, judge
from eventwatch.pipeline.measure import Job, as_seen_at, remembered
from eventwatch.ports.store import StateReader
from eventwatch.ports.warehouse import Progress

LONGEST = timedelta(days=2)
MOST_STEPS = 40
AFTER = 0.7
"""How long what follows the fault is played, in lengths of the fault."""


_HAPPENED = {
    MomentKind.OPENED: "opens",
    MomentKind.WORSE: "is worse",
    MomentKind.JOINED: "goes on: a further alert joins it",
    MomentKind.LEFT: "goes on: one of its alerts is over",
    MomentKind.REMINDED: "reminds: nobody acknowledged it",
    MomentKind.ESCALATED: "is escalated",
    MomentKind.RESOLVED: "is over",
    MomentKind.REOPENED: "opens again",
}


@dataclass(frozen=True)
class Fault:
    """What goes wrong."""

    event_type: str
    keeps: float
    """Part of the rows that come: 0.4 is a drop of 60 %, 0 a stop, 3 three times as many."""
    lasts: timedelta
    dimension: str = ""
    value: str = ""
    """Only the rows of this value; empty: all."""


@dataclass(frozen=True)
class Event:
    """One thing in the timeline."""

    at: datetime
    what: str
    """For people, unescaped."""


@dataclass(frozen=True)
class Drilled:
    """What would have happened."""

    exposure: str
    fault: Fault
    began_at: datetime
    ended_at: datetime
    step: timedelta
    rows_before: int
    """Rows of the event type in the span of the fault, before it."""
    rows_after: int
    events: tuple[Event, ...]
    messages: tuple[Delivery, ...]
    """New messages, in the order in which they would have gone out."""
    told_after: timedelta | None
    """From the beginning of the fault to the first message about it; None: nobody would be told."""


def drill(
    house: House, exposure: Exposure, fault: Fault, progress: Progress | None = None
) -> Drilled:
    """Plays it on the last hours. Raises Unclear where there is nothing to play on."""
    view = _view(house, exposure)
    now = view.now
    if not fault.lasts or fault.lasts > LONGEST:
        raise Unclear(f"--for must be more than nothing and at most {LONGEST.days} days")
    length = fault.lasts * (1 + AFTER)
    step = max(exposure.every, length / MOST_STEPS)
    began = now - length
    ended = began + fault.lasts
    names = {key.event_type for key in view.rows.keys}
    if fault.event_type not in names:
        close = nearest(fault.event_type, sorted(name for name in names if name is not None))
        meant = f"; did you mean {' or '.join(close)}?" if close else ""
        raise Unclear(f"{exposure.name} has had no row of {fault.event_type!r}{meant}")
    if fault.dimension and fault.dimension not in {d.name for d in exposure.dimensions}:
        known = ", ".join(d.name for d in exposure.dimensions) or "none"
        raise Unclear(f"{fault.dimension} is not watched in {exposure.name}; watched are: {known}")
    before = _count(view.rows, fault.event_type, began, ended)
    faulty = _with_fault(view, fault, began, ended)
    listener = _Listener(fault)
    scene = Scene(exposure, house.catalog, began, view.holidays, ())
    setting = Setting(scene, house.directory(), house.settings.notify, (), Restriction())
    follower = Follower(setting, listener.heard)
    checks = tuple(house.loaded.checks)
    # What fails without the fault too is not the drill's.
    quiet: set[str] = set()
    steps = int(length / step)
    for k in range(steps + 1):
        at = began + k * step
        if progress is not None:
            progress(k / max(steps, 1), f"playing {exposure.name}")
        quiet |= _failing(judge(as_seen_at(view, at), checks, Restriction()))
        seen = as_seen_at(faulty, at)
        results = [r for r in judge(seen, checks, Restriction()) if r.fingerprint not in quiet]
        listener.judged(at, results)
        follower.cycle(at, _said(seen, results, at), new_day=True)
    told = listener.told_at
    return Drilled(
        exposure=exposure.name,
        fault=fault,
        began_at=began,
        ended_at=ended,
        step=step,
        rows_before=before,
        rows_after=_count(faulty.rows, fault.event_type, began, ended),
        events=tuple(
            sorted(
                [
                    Event(began, "the fault begins"),
                    Event(ended, "the fault ends"),
                    *listener.events,
                ],
                key=lambda e: e.at,
            )
        ),
        messages=tuple(listener.messages),
        told_after=None if told is None else told - began,
    )


def _view(house: House, exposure: Exposure) -> ExposureView:
    now = house.clock.now()
    reader: StateReader | None = adapter("reader")(house.settings.state)
    try:
        state = ExposureState() if reader is None else reader.exposure_state(exposure.name, now)
    finally:
        if reader is not None:
            reader.close()
    job = Job(
        exposure=exposure,
        catalog=house.catalog,
        state=state,
        now=now,
        as_of=False,
        duplicates_over=None,
        holidays=holidays_of(exposure, now),
    )
    view = remembered(job, adapter("history")(house.settings.history))
    if view is None:
        raise Unclear(
            f"nothing of {exposure.name} was measured yet: `eventwatch run-once` measures it"
        )
    return view


def _with_fault(view: ExposureView, fault: Fault, began: datetime, ended: datetime) -> ExposureView:
    """The view with some rows fewer or more. A fault of one value takes its part from the totals."""
    cuts = _scaled(view.cuts, fault, began, ended, by_value=bool(fault.value))
    if not fault.value:
        return replace(view, rows=_scaled(view.rows, fault, began, ended), cuts=cuts)
    total = _count(view.rows, fault.event_type, began, ended)
    mine = _count(view.cuts, fault.event_type, began, ended, fault.dimension, fault.value)
    share = min(mine / total, 1.0) if total else 0.0
    whole = replace(fault, keeps=1.0 - share * (1.0 - fault.keeps), dimension="", value="")
    return replace(view, rows=_scaled(view.rows, whole, began, ended), cuts=cuts)


def _scaled(
    cells: Cells, fault: Fault, began: datetime, ended: datetime, *, by_value: bool = False
) -> Cells:
    """Every cell keeps its part of the rows, the fractions added up so that the sum is right."""
    hit = _mask(cells, fault.event_type, began, ended)
    if by_value:
        named = [k.dimension == fault.dimension and k.value == fault.value for k in cells.keys]
        hit &= np.array(named, dtype=np.bool_)[cells.series]
    rows = cells.rows.copy()
    wanted = np.cumsum(rows[hit] * fault.keeps)
    rows[hit] = np.diff(np.floor(wanted + 0.5).astype(np.int64), prepend=0)
    changed = replace(cells, rows=rows)
    return changed.where(rows > 0)


def _mask(cells: Cells, event_type: str, began: datetime, ended: datetime) -> NDArray[np.bool_]:
    if not cells.keys:
        return np.zeros(0, dtype=np.bool_)
    mine = np.array([key.event_type == event_type for key in cells.keys], dtype=np.bool_)
    start, stop = int(began.timestamp()), int(ended.timestamp())
    return np.asarray(mine[cells.series] & (cells.occurred >= start) & (cells.occurred < stop))


def _count(  # noqa: PLR0917 - which rows
    cells: Cells,
    event_type: str,
    began: datetime,
    ended: datetime,
    dimension: str = "",
    value: str = "",
) -> int:
    hit = _mask(cells, event_type, began, ended)
    if dimension:
        named = [k.dimension == dimension and k.value == value for k in cells.keys]
        hit = hit & np.array(named, dtype=np.bool_)[cells.series]
    return int(cells.rows[hit].sum())


def _failing(results: Iterable[Result]) -> set[str]:
    """Fingerprints."""
    return {r.fingerprint for r in results if r.status in (Status.FAIL, Status.ERROR)}


def _said(view: ExposureView, results: Iterable[Result], at: datetime) -> Said:
    bad: list[Result] = []
    calm: dict[Key, Calm] = {}
    for result in results:
        if result.status in (Status.FAIL, Status.ERROR):
            bad.append(result)
        else:
            key = key_of(result)
            calm[key] = (*calm.get(key, ()), (result.status, result.keep, result.severity))
    return Said(tuple(bad), calm, evidence(view, as_alerts(bad, at)))


class _Listener:
    """Writes down what happens."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._failed: set[str] = set()
        self.events: list[Event] = []
        self.messages: list[Delivery] = []
        self.told_at: datetime | None = None

    def judged(self, at: datetime, results: Iterable[Result]) -> None:
        """The first time each check fails."""
        for result in results:
            if result.status is not Status.FAIL or result.fingerprint in self._failed:
                continue
            self._failed.add(result.fingerprint)
            name = result.exposure if result.event_type is None else result.event_type
            self.events.append(
                Event(at, f"{result.kind.value}/{result.aspect} of {name} fails: {result.summary}")
            )

    def heard(self, at: datetime, changes: Changes) -> None:
        """One telling step."""
        incidents = {i.id: i for i in changes.incidents}
        for moment in changes.moments:
            incident = incidents.get(moment.incident_id)
            if incident is not None:
                self.events.append(Event(at, _moment(moment.kind, incident, moment.text)))
        for row in changes.deliveries:
            if row.action is not Action.POST or row.state is DeliveryState.WITHHELD:
                continue
            self.messages.append(row)
            where = row.channel or "standard output"
            self.events.append(Event(at, f"message to {where} ({row.team or 'no team'})"))
            if self.told_at is None:
                self.told_at = at


def _moment(kind: MomentKind, incident: Incident, text: str) -> str:
    words = _HAPPENED.get(kind, kind.value)
    more = f": {text}" if text else ""
    return f"incident {incident.id} about {incident.cause.subject} {words}{more}"
