"""Runs what is due: a slot goes into the ledger before its cycle and gets its end after it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from structlog.contextvars import bound_contextvars

from eventwatch import app
from eventwatch.app.runs import lease_time
from eventwatch.contracts.keeper import CatalogKeeper
from eventwatch.daemon import agenda as words
from eventwatch.daemon.agenda import Agenda
from eventwatch.daemon.ledger import Ledger
from eventwatch.daemon.memory import Trimmer
from eventwatch.daemon.right import blocked
from eventwatch.daemon.steady import SteadyClock
from eventwatch.model.errors import EventwatchError, LeaseHeld
from eventwatch.model.schedule import schedule_of
from eventwatch.model.settings import Exposure
from eventwatch.model.state import Slot, SlotStatus
from eventwatch.pipeline.report import ExposureReport
from eventwatch.ports.history import History
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

WAITS = 5.0
"""Seconds for which a slot may wait for a worker before the ledger says that it does."""
STOPPED = "the daemon was stopped in the middle of it; it is run again at the next start"
GIVEN_UP = "it did not end within its time limit, and neither did its cancelling"


@dataclass(frozen=True)
class Scene:
    """What cycles work with until the configuration changes."""

    house: app.House
    """With the daemon's own clock."""
    keeper: CatalogKeeper
    history: History
    refused: str = ""
    """Why a changed configuration was not taken; empty: the newest one is used."""


@dataclass(frozen=True)
class Deeds:
    """Whom to tell what happened."""

    ended: Callable[[Slot, ExposureReport | None, timedelta], None]
    """A slot got its end; the report where there is one, and how long it took."""
    lost: Callable[[LeaseHeld], None]
    """Another daemon has the state."""


class Rounds:
    """Agendas, one per exposure. ``run`` is for worker threads: never two with one name."""

    def __init__(
        self,
        scene: Callable[[], Scene],
        *,
        store: Store,
        clock: SteadyClock,
        ledger: Ledger,
        holder: str,
        deeds: Deeds,
    ) -> None:
        self._scene, self._store, self._clock = scene, store, clock
        self._ledger, self._holder, self._deeds = ledger, holder, deeds
        self._trimmer = Trimmer()
        self._lock = threading.Lock()
        self._agendas: dict[str, Agenda] = {}
        self._current: dict[str, Slot] = {}
        self._late: set[str] = set()
        self.stopping = threading.Event()

    def resume(self, exposure: Exposure, now: datetime) -> None:
        """Takes up an exposure's slots where the ledger ends; for one that is known, its new
        schedule. Raises StoreError."""
        schedule = schedule_of(exposure)
        with self._lock:
            known = self._agendas.get(exposure.name)
            if known is not None:
                known.schedule = schedule
                return
        made = Agenda(exposure.name, schedule)
        left = made.resume(self._ledger.newest(exposure.name, now), now)
        self._ledger.write(left)
        with self._lock:
            self._agendas[exposure.name] = made

    def forget(self, names: set[str]) -> None:
        """These exposures are watched no more."""
        with self._lock:
            for name in names:
                self._agendas.pop(name, None)

    @property
    def names(self) -> set[str]:
        """Exposures that are watched."""
        with self._lock:
            return set(self._agendas)

    def next_start(self, name: str) -> datetime | None:
        """On the machine's clock."""
        with self._lock:
            agenda = self._agendas.get(name)
        at = (
            None
            if agenda is None
            else agenda.schedule.next(self._clock.now() - agenda.schedule.spread)
        )
        if agenda is None or at is None:
            return None
        return self._clock.on_the_wall(at + agenda.schedule.spread)

    def held_up(self) -> None:
        """The process stood still: what was missed meanwhile is not the workers' fault."""
        with self._lock:
            for agenda in self._agendas.values():
                agenda.reason = words.PAUSED

    def set_back(self, now: datetime) -> None:
        """The clock went back, and that is believed."""
        with self._lock:
            for agenda in self._agendas.values():
                agenda.set_back(now)

    def limit(self, name: str) -> float:
        """Seconds that one cycle of an exposure may take."""
        exposure = self._scene().house.settings.exposure(name)
        return 3600.0 if exposure is None else lease_time(exposure).total_seconds()

    def waits(self, name: str, seconds: float) -> None:
        """No worker is free for it: the ledger says so, once per slot."""
        with self._lock:
            agenda = self._agendas.get(name)
            if agenda is None or name in self._late or seconds < WAITS:
                return
            self._late.add(name)
            if agenda.reason == words.BUSY:
                agenda.reason = words.WAITED
            slot = agenda.schedule.latest(self._clock.now())
            late = slot is not None and (agenda.last is None or slot > agenda.last)
            if slot is not None and late:
                agenda.wanted(slot)
        log.warning("%s: no worker has been free for %.0f s", name, seconds)
        if slot is not None and late:
            reason = "waiting for a free worker"
            self._ledger.write((Slot(name, slot, SlotStatus.DUE, reason),))

    def given_up(self, name: str) -> None:
        """Its thread hangs."""
        log.critical("%s: %s; other exposures go on", name, GIVEN_UP)
        with self._lock:
            slot = self._current.get(name)
        if slot is not None:
            self._end(slot, SlotStatus.FAILED, GIVEN_UP, None, 0.0)

    def leave(self) -> None:
        """The process ends now: what still runs is noted, to be run again."""
        with self._lock:
            left = tuple(self._current.values())
        self._ledger.write([replace(s, status=SlotStatus.DUE, reason=STOPPED) for s in left])

    def run(self, name: str) -> None:
        """What is due of one exposure, if anything is."""
        with self._lock:
            agenda = self._agendas.get(name)
            exposure = self._scene().house.settings.exposure(name)
            self._late.discard(name)
            if agenda is None or exposure is None or self.stopping.is_set():
                return
            due = agenda.due(self._clock.now())
            if due is None:
                return
            agenda.reason = words.BUSY
            self._current[name] = due.slot
        try:
            self._ledger.write((*due.skipped, due.slot))
            run_id = app.new_run_id(self._clock.now())
            with bound_contextvars(exposure=name, run_id=run_id):
                self._cycle(exposure, replace(due.slot, run_id=run_id))
            self._trimmer.now_and_then()
        finally:
            with self._lock:
                self._current.pop(name, None)
                missed: tuple[Slot, ...] = ()
                # Taken out of the config meanwhile, it has no schedule any more.
                kept = self._agendas.get(name) is agenda
                if kept and agenda.reason == words.BUSY and not self.stopping.is_set():
                    missed = agenda.pass_over(self._clock.now(), words.BUSY)
            if missed:
                log.warning("%s: %d slots came while it ran; they are skipped", name, len(missed))
                self._ledger.write(missed)

    def _cycle(self, exposure: Exposure, slot: Slot) -> None:
        scene, began = self._scene(), time.monotonic()
        report = None
        try:
            other = blocked(self._store, exposure, self._holder, self._clock.now())
            if other:
                reason = f"{other} is running it"
                self._end(slot, SlotStatus.SKIPPED, reason, None, time.monotonic() - began)
                return
            report = self._measured(scene, exposure, slot.run_id)
            status = SlotStatus.FAILED if report.error else SlotStatus.RAN
            reason = report.error or (slot.reason if slot.reason == words.AGAIN else "")
        except LeaseHeld as error:
            self._deeds.lost(error)
            status, reason = SlotStatus.FAILED, str(error)
        except EventwatchError as error:
            status, reason = SlotStatus.FAILED, str(error)
        except Exception as error:
            log.exception("%s: the cycle failed", exposure.name)
            status, reason = SlotStatus.FAILED, f"{type(error).__name__}: {error}"
        if status is SlotStatus.FAILED and self.stopping.is_set():
            status, reason = SlotStatus.DUE, STOPPED
        self._end(slot, status, reason, report, time.monotonic() - began)

    def _measured(self, scene: Scene, exposure: Exposure, run_id: str) -> ExposureReport:
        catalog, trouble = scene.keeper.current()
        place = app.Workplace(
            scene.house,
            self._store,
            scene.history,
            catalog,
            trouble,
            refused=scene.refused,
            holder=self._holder,
            given_up=self.stopping.is_set,
        )
        # A little less than the lease, so that the end can still be recorded under it.
        within = app.adapter("deadline")(max(1.0, self.limit(exposure.name) - 60.0))
        with within:
            return app.run_cycle(place, exposure, app.RunOptions(), run_id)

    def _end(
        self,
        slot: Slot,
        status: SlotStatus,
        reason: str,
        report: ExposureReport | None,
        seconds: float,
    ) -> None:
        now = self._clock.now()
        ended = replace(slot, status=status, reason=reason, ended_at=now)
        self._ledger.write((ended,))
        if status is SlotStatus.RAN and report is not None:
            log.info(
                "%s: %d rows read, %d findings",
                slot.exposure,
                report.rows_read,
                len(report.findings),
            )
        else:
            log.warning("%s: %s: %s", slot.exposure, status.value, reason)
        with contextlib.suppress(Exception):
            self._deeds.ended(ended, report, timedelta(seconds=seconds))
