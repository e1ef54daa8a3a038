"""All that happens while this process is the daemon of its state: from taking the right to losing it
or to the end of the process."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eventwatch import app
from eventwatch.app.buttons import Buttons
from eventwatch.app.farewell import forgotten, say_farewell
from eventwatch.app.pulse import DAEMON_BEAT, STEADY_BEAT, STOPPED_BEAT
from eventwatch.app.vitals import Watching
from eventwatch.contracts.keeper import CatalogKeeper
from eventwatch.daemon.desk import Desk, Voice
from eventwatch.daemon.ledger import CLOCK, Ledger
from eventwatch.daemon.right import ServerLease, take_over
from eventwatch.daemon.rounds import Deeds, Rounds, Scene
from eventwatch.daemon.steady import HELD_UP, Jump, SteadyClock
from eventwatch.daemon.timer import Timer
from eventwatch.daemon.workers import MOST_GIVEN_UP, Workers
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration
from eventwatch.model.errors import DeliveryError, EventwatchError, LeaseHeld, StoreError
from eventwatch.model.state import Slot, SlotStatus
from eventwatch.pipeline.report import ExposureReport
from eventwatch.ports.notifier import Notifier
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

BEAT_EVERY = timedelta(seconds=10)
MOST_WORKERS = 8
SCHEDULER_DEAD = timedelta(seconds=60)
"""Without an alarm for so long, although one is due every ten seconds."""
FAREWELL_EVERY = 3600.0
"""Seconds between two looks for exposures that nobody watches any more."""
_HEART = "@heart"
WARNING_SHOT = 1.5
"""Seconds that cycles get to end by themselves before their queries are cancelled."""


@dataclass
class Told:
    """What the last cycle of one exposure came to, for whoever asks."""

    report: ExposureReport | None = None
    ended_at: datetime | None = None
    took: timedelta = timedelta(0)
    rows_read: int = 0
    """By all cycles of this process."""


class Tenure:
    """``start``, then ``check`` all the time, then ``end``; all from one thread."""

    def __init__(
        self,
        house: app.House,
        store: Store,
        clock: SteadyClock,
        holder: str,
        lease: ServerLease | None = None,
        *,
        watching: Watching | None = None,
        unwritable: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``lease``: the right to run is one, and this keeps it. ``watching`` hears of every slot,
        ``unwritable`` with every heartbeat why the state could not be written, or that it could."""
        self._watching, self._unwritable = watching, unwritable
        self._lease = lease
        self._store, self._clock, self._holder = store, clock, holder
        self._scene = _scene(replace(house, clock=clock), "")
        self._speaker = _speaker(self._scene.house, store)
        self._ledger = Ledger(lambda: store)
        self.lost = ""
        """Who has the state now; empty: it is still ours."""
        self.told: dict[str, Told] = {}
        self._rounds = Rounds(
            lambda: self._scene,
            store=store,
            clock=clock,
            ledger=self._ledger,
            holder=holder,
            deeds=Deeds(ended=self._ended, lost=self._lose),
        )
        self._workers = Workers(self._size(), self._rounds.run)
        self._desk = Desk(self._voice, self._lose)
        self._timer = Timer()
        self._stopped = threading.Event()
        self._beat = threading.Event()
        self._rang = clock.monotonic()
        self._clerk = threading.Thread(target=self._clerks, name="clerk", daemon=True)
        self._buttons = self._new_buttons()
        self._began = clock.now()
        self._removed: set[str] = set()
        """Exposures that a newer configuration does not have."""
        self._farewell_at = clock.monotonic()
        self._no_beat = ""
        """Why the last heartbeat could not be written."""

    def start(self) -> None:
        """Raises StoreError."""
        # What was done before this, such as the upgrade of a large state, was no pause.
        jump, _ = self._clock.look()
        self._rang = self._clock.monotonic()
        if self._watching is not None:
            self._watching.use(self._scene.house, self._scene.keeper)
        now, exposures = self._clock.now(), self._scene.house.settings.exposures
        take_over(self._store, exposures, self._holder, now)
        for exposure in exposures:
            self._rounds.resume(exposure, now)
        self._store.heartbeat(DAEMON_BEAT, self._clock.on_the_wall(now))
        self._workers.start()
        self._timer.start()
        self._timer.set(_HEART, self._next_beat, self._ring_heart)
        for exposure in exposures:
            self._set(exposure.name)
        self._desk.start()
        self._clerk.start()
        self._start_buttons()
        if jump is not None:
            self._jumped(jump)
        log.info("watching %s", counted(len(exposures), "exposure"))

    def check(self) -> str:
        """Looks at the clock and at every thread; why the process must end, or empty. To be called
        at least once a second."""
        self._look()
        timer = self._timer.thread
        threads = [*self._workers.threads, *self._desk.threads, self._clerk]
        dead = [t.name for t in threads if t.ident is not None and not t.is_alive()]
        if timer is None or not timer.is_alive():
            dead.append("scheduler")
        if dead:
            return f"a thread died: {', '.join(sorted(dead))}"
        if self._clock.monotonic() - self._rang > SCHEDULER_DEAD.total_seconds():
            return "the scheduler stands still"
        for name in self._workers.give_up(self._rounds.limit):
            self._rounds.given_up(name)
        if self._workers.given_up > MOST_GIVEN_UP:
            return "too many cycles hang"
        return ""

    def swap(self, house: app.House) -> None:
        """Another configuration from now on; cycles that run end with the one they began with.
        Raises EventwatchError, and then nothing is changed. For the thread that reloads."""
        scene = _scene(replace(house, clock=self._clock), "")
        speaker = _speaker(scene.house, self._store)
        now, before = self._clock.now(), self._rounds.names
        slack = self._scene.house.settings.notify.slack != house.settings.notify.slack
        for exposure in house.settings.exposures:
            if exposure.name not in before:
                self._rounds.resume(exposure, now)
        if self._watching is not None:
            self._watching.use(scene.house, scene.keeper)
        self._scene, self._speaker = scene, speaker
        gone = before - {e.name for e in house.settings.exposures}
        self._rounds.forget(gone)
        self._removed = self._removed.union(gone) - self._rounds.names
        self._farewell_at = self._clock.monotonic()
        for name in gone:
            self._timer.remove(name)
        for exposure in house.settings.exposures:
            if exposure.name in before:
                self._rounds.resume(exposure, now)
            self._set(exposure.name)
        self._workers.grow(self._size())
        if slack:
            self._buttons.stop(2.0)
            self._buttons = self._new_buttons()
            self._start_buttons()
        self._desk.wake()

    def refuse(self, why: str) -> None:
        """A changed configuration was not taken: the operators are told with the next cycles."""
        self._scene = replace(self._scene, refused=why)

    @property
    def not_ready(self) -> str:
        """Why this daemon is not as it should be; empty: it is."""
        if self.lost:
            return f"the state is held by {self.lost}"
        if self._scene.refused:
            return f"the changed configuration was refused: {self._scene.refused}"
        if self._ledger.behind:
            return "the state cannot be written"
        if self._workers.given_up:
            return f"cycles that hang: {self._workers.given_up}"
        return ""

    def end(self, until: float) -> bool:
        """Ends everything that runs, up to an instant of ``time.monotonic``. False: something hangs
        and has to be left behind."""
        self._timer.stop()
        self._desk.stop()
        self._workers.stop()
        soon = min(until, time.monotonic() + WARNING_SHOT)
        if not self._workers.join(soon):
            self._rounds.stopping.set()
            app.adapter("cancel")()
        # Short: the socket of the buttons waits for nobody.
        self._buttons.stop(max(0.1, min(1.0, until - time.monotonic())))
        quiet = self._workers.join(until) & self._desk.join(until)
        self._stopped.set()
        self._beat.set()
        self._clerk.join(max(0.1, until - time.monotonic()))
        if not self.lost:
            self._rounds.leave()
            self._ledger.catch_up()
            with contextlib.suppress(StoreError):
                self._store.heartbeat(STOPPED_BEAT, self._wall_now())
        return quiet and not self._clerk.is_alive()

    def _look(self) -> None:
        jump, pause = self._clock.look()
        if jump is not None:
            self._jumped(jump)
        if pause > HELD_UP:
            log.warning("the process stood still for %s", format_duration(pause))
            self._rang = self._clock.monotonic()
            self._workers.forgive(pause.total_seconds())
            self._rounds.held_up()
            self._note(
                self._clock.now(), f"pause: the process stood still for {format_duration(pause)}"
            )
        if jump is not None or pause > HELD_UP:
            self._timer.ring_all()

    def _jumped(self, jump: Jump) -> None:
        said = format_duration(jump.by)
        if jump.taken:
            log.warning("the machine's clock stayed %s ahead of ours: it is believed", said)
            self._note(jump.at, f"clock_jump: {said} was believed")
            if jump.by < timedelta(0):
                self._rounds.set_back(self._clock.now())
            else:
                self._rounds.held_up()
        elif jump.by:
            log.warning("the machine's clock jumped by %s; ours goes on as before", said)
            self._note(jump.at, f"clock_jump: the machine's clock jumped by {said}")
        else:
            log.warning("the machine's clock came back")
            self._note(jump.at, "clock_jump: the machine's clock came back")

    def _note(self, at: datetime, reason: str) -> None:
        self._ledger.write((Slot(CLOCK, at, SlotStatus.SKIPPED, reason, ended_at=at),))

    def _set(self, name: str) -> None:
        self._timer.set(name, lambda: self._rounds.next_start(name), self._ring)

    def _ring(self, name: str) -> None:
        """An exposure may be due. In the scheduler's thread: no state, no waiting."""
        self._workers.offer(name)

    def _next_beat(self) -> datetime:
        return self._clock.on_the_wall(self._clock.now() + BEAT_EVERY)

    def _ring_heart(self, _name: str) -> None:
        self._rang = self._clock.monotonic()
        self._beat.set()

    def _clerks(self) -> None:
        """The heartbeat that went through the scheduler goes into the state; the lease is renewed."""
        while not self._stopped.is_set():
            beat = self._beat.wait(1.0)
            self._beat.clear()
            if self._stopped.is_set():
                return
            if self._lease is not None and not self._lease.keep():
                self._lose(LeaseHeld("daemon", "another daemon"))
            for name, seconds in self._workers.waiting().items():
                self._rounds.waits(name, seconds)
            if beat and not self.lost:
                self._put_beat()
            if beat and not self.lost and self._clock.monotonic() >= self._farewell_at:
                self._say_farewell()

    def _put_beat(self) -> None:
        try:
            self._ledger.catch_up()
            self._store.heartbeat(DAEMON_BEAT, self._wall_now())
            self._store.heartbeat(STEADY_BEAT, self._clock.now())
        except LeaseHeld as error:
            self._lose(error)
        except StoreError as error:
            if str(error) != self._no_beat:
                log.warning("the heartbeat cannot be written; this is said once: %s", error)
            self._no_beat = str(error)
            self._unwritable(str(error))
        else:
            self._no_beat = ""
            self._unwritable("")

    def _say_farewell(self) -> None:
        """To exposures that nobody watches any more."""
        self._farewell_at = self._clock.monotonic() + FAREWELL_EVERY
        removed, watched = self._removed, self._rounds.names
        try:
            for name in forgotten(self._store, watched, removed, self._clock.now()):
                now = self._clock.now()
                count = say_farewell(self._store, name, app.new_run_id(now), self._holder, now)
                if count:
                    log.warning(
                        "%s is watched no more: %s of it %s",
                        name,
                        counted(count, "open alert"),
                        "ends" if count == 1 else "end",
                    )
                    self._desk.wake()
                else:
                    # A last cycle is still at it: soon again.
                    self._farewell_at = self._clock.monotonic()
        except LeaseHeld as error:
            self._lose(error)
        except EventwatchError as error:
            log.warning("what is open of exposures watched no more could not be ended: %s", error)

    def _wall_now(self) -> datetime:
        return self._clock.on_the_wall(self._clock.now())

    def _lose(self, error: LeaseHeld) -> None:
        if error.name == "daemon" and not self.lost:
            log.error("the right to run was lost to %s", error.holder)
            self.lost = error.holder or "nobody"

    def _ended(self, slot: Slot, report: ExposureReport | None, took: timedelta) -> None:
        told = self.told.setdefault(slot.exposure, Told())
        if report is not None:
            told.report, told.took, told.ended_at = report, took, slot.ended_at
            told.rows_read += report.rows_read
        if self._watching is not None:
            self._watching.slot_ended(slot, report, took)
        self._desk.wake()

    def _voice(self) -> Voice:
        scene = self._scene
        return Voice(scene.house, self._store, self._speaker, lambda: scene.keeper.current()[0])

    def _size(self) -> int:
        return min(len(self._scene.house.settings.exposures), MOST_WORKERS)

    def _new_buttons(self) -> Buttons | _NoButtons:
        try:
            return Buttons(
                self._scene.house,
                self._store,
                wake=self._desk.wake,
                directory=lambda: self._scene.house.directory(self._scene.keeper.current()[0]),
            )
        except DeliveryError as error:
            log.error("there are no buttons: %s", error)
            return _NoButtons()

    def _start_buttons(self) -> None:
        try:
            self._buttons.start()
        except EventwatchError as error:
            log.error("there are no buttons: %s", error)


class _NoButtons:
    """Stands for buttons that could not be made; everything else works."""

    def start(self) -> None:
        """Nothing."""

    def stop(self, seconds: float = 5.0) -> None:
        """Nothing."""


def _scene(house: app.House, refused: str) -> Scene:
    keeper: CatalogKeeper = app.keeper(house)
    return Scene(house, keeper, app.adapter("history")(house.settings.history), refused)


def _speaker(house: app.House, store: Store) -> Notifier:
    from eventwatch.app.chart import drawer

    return app.notifier(house.settings.notify, drawer(house, store))
