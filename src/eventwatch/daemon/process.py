"""The process: signals, the right to run, and the end, which is never later than eight seconds."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from eventwatch import app
from eventwatch.app.outcry import Outcry
from eventwatch.app.vitals import Watching
from eventwatch.daemon.reload import Reloader
from eventwatch.daemon.right import (
    LEASE,
    POLL_EVERY,
    FileLock,
    ServerLease,
    identity,
    state_file,
)
from eventwatch.daemon.signals import heard
from eventwatch.daemon.steady import SteadyClock
from eventwatch.daemon.tenure import Tenure
from eventwatch.model.errors import EventwatchError, LeaseHeld, StoreError
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

DIED = 70
TICK = 0.4
"""Seconds between two looks at the clock and the threads."""
GRACE = 6.0
"""How long running work may take to end after a signal; container engines kill after ten."""
HARD = 7.0
"""So long after the signal the process ends whatever it is waiting for; eight seconds are promised, and
a busy machine needs some of them."""


class Daemon:
    """Runs until it is told to stop. ``serve`` is for the main thread."""

    def __init__(
        self,
        house: app.House,
        *,
        load: Callable[[], app.House] | None = None,
        watch: bool = False,
        clock: SteadyClock | None = None,
    ) -> None:
        """``load`` reads the configuration again, on SIGHUP, and when it changes with ``watch``."""
        self._house = house
        self._clock = SteadyClock() if clock is None else clock
        self._stop = threading.Event()
        self._failed = ""
        self._signals = 0
        self._lock, self._ending = threading.Lock(), False
        self._refused = ""
        self._tenure: Tenure | None = None
        self._holder = identity()
        self._file = state_file(house)
        self._store: Store | None = None
        self._watching: Watching | None = None
        self._outcry = Outcry(lambda: self._house)
        self._led = False
        """It was the daemon of its state, as far as it knows."""
        self._waits_for = "the daemon is starting"
        self._reloader: Reloader | None = None
        if load is not None:
            self._reloader = Reloader(house, load, self._take, self._refuse, watch=watch)

    @property
    def alive(self) -> bool:
        """Scheduler and workers run, or it stands by."""
        return not self._failed

    @property
    def leads(self) -> bool:
        """It has the right to run cycles; False: it stands by, or starts."""
        return self._tenure is not None

    @property
    def not_ready(self) -> str:
        """Why it is not as it should be; empty: it is."""
        tenure = self._tenure
        return self._waits_for if tenure is None else tenure.not_ready

    @property
    def tenure(self) -> Tenure | None:
        """What runs now; None: it stands by."""
        return self._tenure

    def stop(self) -> None:
        """Asks for a clean stop; returns at once."""
        self._stop.set()

    def serve(self) -> int:
        """Blocks until SIGTERM, SIGINT or ``stop``; 0 after a clean stop, 70 when a thread died.

        Raises StateOwned when another daemon has the state, StoreError when it cannot be used.
        """
        heard(self._on_stop, self._on_reload)
        threading.excepthook = self._on_death
        try:
            code = self._serve_file() if self._file is not None else self._serve_server()
        except BaseException:
            # Not to be held up by threads that are still there.
            self._end(in_order=False)
            raise
        return code

    def _serve_file(self) -> int:
        assert self._file is not None
        lock = FileLock(self._file)
        lock.take()
        try:
            self._store = app.store(self._house)
            watching = self._watch(self._store)
            code = self._hold(self._tenure_of(self._store, watching))
        finally:
            lock.give()
        return code

    def _serve_server(self) -> int:
        self._store = app.store(self._house)
        watching = self._watch(self._store)
        lease = ServerLease(self._store, self._clock, self._holder)
        try:
            while not self._stop.is_set():
                fenced = self._right(lease)
                if fenced is None:
                    break
                try:
                    code = self._hold(self._tenure_of(fenced, watching, lease))
                except StoreError as error:
                    # Nothing was begun; the server may be back in a moment.
                    log.error("the watch could not begin: %s", error)
                    self._stop.wait(POLL_EVERY.total_seconds())
                    continue
                if code or self._stop.is_set():
                    return code
                log.warning("standing by")
        finally:
            lease.give()
        return self._end(in_order=True)

    def _tenure_of(
        self, store: Store, watching: Watching, lease: ServerLease | None = None
    ) -> Tenure:
        return Tenure(
            self._house,
            store,
            self._clock,
            self._holder,
            lease,
            watching=watching,
            unwritable=self._outcry.look,
        )

    def _watch(self, opened: Store) -> Watching:
        """Health and metrics, for as long as the process lives, while it stands by as well. Raises
        ConfigError where the address cannot be had."""
        made = Watching(self._house, opened, now=self._clock.now)
        made.start(
            alive=lambda: self.alive, not_ready=lambda: self.not_ready, leads=lambda: self.leads
        )
        self._watching = made
        return made

    def _right(self, lease: ServerLease) -> Store | None:
        """Stands by until the state is ours; None: it is to stop."""
        assert self._store is not None
        said = ""
        while not self._stop.is_set():
            self._clock.look()
            try:
                return self._store.fenced(lease.take())
            except LeaseHeld as error:
                self._waits_for = f"standing by: {error.holder} has the state"
                self._led = False
            except StoreError as error:
                self._waits_for = str(error)
                if self._led:
                    self._outcry.look(str(error))
            if self._waits_for != said:
                said = self._waits_for
                log.info("%s", said)
            self._stop.wait(POLL_EVERY.total_seconds())
        return None

    def _hold(self, tenure: Tenure) -> int:
        """From the start of a tenure to its end. 0: it was told to stop, or another daemon took over."""
        if self._refused:
            tenure.refuse(self._refused)
        if self._stop.is_set():
            return self._end(in_order=True)
        try:
            tenure.start()
        except LeaseHeld as error:
            if error.name != LEASE:
                raise
            tenure.lost = error.holder
        self._tenure, self._led = tenure, True
        self._start_reloading()
        while not self._stop.wait(TICK):
            self._failed = self._failed or tenure.check()
            if self._failed:
                log.critical("%s; a supervisor is to start the daemon again", self._failed)
                return self._end(in_order=True)
            if tenure.lost:
                tenure.end(time.monotonic() + GRACE)
                self._waits_for = f"standing by: {tenure.lost} has the state"
                self._tenure = None
                return 0
        return self._end(in_order=True)

    def _end(self, *, in_order: bool) -> int:
        """The way out, always in time: what hangs is left behind. The state is changed in single
        transactions, so nothing is left half done."""
        code = DIED if self._failed else 0
        self._end_hard_later()
        if self._reloader is not None:
            self._reloader.stop()
        tenure, self._tenure = self._tenure, None
        quiet = True
        if tenure is not None and in_order:
            quiet = tenure.end(time.monotonic() + GRACE)
        elif tenure is not None:
            quiet = False
        if self._watching is not None:
            self._watching.stop()
        if self._store is not None and quiet:
            with suppress(EventwatchError):
                self._store.close()
        if in_order:
            log.info("stopped")
        return code

    def _end_hard_later(self) -> None:
        """Counted from the signal, also where that came in the middle of a start."""
        with self._lock:
            if not self._ending:
                self._ending = True
                threading.Thread(target=self._hard_end, name="hard-end", daemon=True).start()

    def _hard_end(self) -> None:
        time.sleep(HARD)
        log.warning("work was still running after %.0f s and was cut", HARD)
        logging.shutdown()
        os._exit(DIED if self._failed else 0)

    def _start_reloading(self) -> None:
        if self._reloader is not None and self._reloader.thread.ident is None:
            self._reloader.thread.start()

    def _take(self, house: app.House) -> None:
        tenure = self._tenure
        if tenure is not None:
            tenure.swap(house)
        self._house, self._refused = house, ""

    def _refuse(self, why: str) -> None:
        self._refused = why
        tenure = self._tenure
        if tenure is not None:
            tenure.refuse(why)

    def _on_stop(self, number: int) -> None:
        self._signals += 1
        if self._signals > 1:
            # Whoever asks twice does not want to wait.
            os._exit(128 + number)
        self._end_hard_later()
        self._stop.set()

    def _on_reload(self) -> None:
        if self._reloader is not None:
            self._reloader.ask()

    def _on_death(self, arguments: threading.ExceptHookArgs) -> None:
        name = "a thread" if arguments.thread is None else arguments.thread.name
        kind, value, trace = arguments.exc_type, arguments.exc_value, arguments.exc_traceback
        info = (kind, value, trace) if value is not None else None
        log.critical("%s died", name, exc_info=info)
