"""Two threads that speak for the daemon: one turns alerts into messages to send, one sends them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from eventwatch import app
from eventwatch.model.contract import Catalog
from eventwatch.model.errors import EventwatchError, LeaseHeld
from eventwatch.ports.notifier import Notifier
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

TELL_EVERY = timedelta(seconds=15)
"""While something is open: reminders, escalations, ends of silences and of flush windows."""
TELL_IDLE = timedelta(minutes=2)
"""While nothing is: a daily message may be due, or a person did something from elsewhere."""
TELL_AT_MOST = 1.0
"""Seconds between two steps: cycles that end together are told together."""
SEND_EVERY = timedelta(seconds=5)
MOST_FAILURES, FAILING = 5, 60.0
"""So often in a row, and for so many seconds, a step may fail for a reason that nobody foresaw; then
its thread ends, and the process with it: a restart may help, and is seen."""


@dataclass(frozen=True)
class Voice:
    """What both threads work with at one moment."""

    house: app.House
    store: Store
    speaker: Notifier
    catalog: Callable[[], Catalog]


class Desk:
    """``start`` and ``stop`` once each."""

    def __init__(self, voice: Callable[[], Voice], lost: Callable[[LeaseHeld], None]) -> None:
        self._voice, self._lost = voice, lost
        self._stop = threading.Event()
        self._tell, self._send = threading.Event(), threading.Event()
        self._something_open = True
        self.threads = (
            threading.Thread(target=self._tells, name="telling", daemon=True),
            threading.Thread(target=self._sends, name="sending", daemon=True),
        )

    def start(self) -> None:
        """Returns at once."""
        for thread in self.threads:
            thread.start()

    def wake(self) -> None:
        """Something changed that people are to be told of."""
        self._tell.set()

    def stop(self) -> None:
        """Nothing further is claimed or told; returns at once."""
        self._stop.set()
        self._tell.set()
        self._send.set()

    def join(self, until: float) -> bool:
        """Waits up to an instant of ``time.monotonic``. Whether both have ended."""
        for thread in self.threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)

    def _tells(self) -> None:
        self._loop(self._tell, self._tell_once, self._pace)

    def _pace(self) -> float:
        return (TELL_EVERY if self._something_open else TELL_IDLE).total_seconds()

    def _tell_once(self) -> None:
        voice = self._voice()
        changes = app.tell(voice.house, voice.store, voice.speaker, voice.catalog())
        if changes.deliveries:
            self._send.set()
        self._something_open = bool(
            changes.posts or changes.incidents or voice.store.incidents(open_only=True, limit=1)
        )
        self._stop.wait(TELL_AT_MOST)

    def _sends(self) -> None:
        self._loop(self._send, self._send_once, SEND_EVERY.total_seconds)

    def _send_once(self) -> None:
        voice = self._voice()
        app.send_due(voice.house, voice.store, voice.speaker, stop=self._stop.is_set)

    def _loop(
        self, woken: threading.Event, step: Callable[[], None], pace: Callable[[], float]
    ) -> None:
        failures, since, said = 0, 0.0, ""
        while not self._stop.is_set():
            try:
                step()
                failures, said = 0, ""
            except LeaseHeld as error:
                self._lost(error)
            except EventwatchError as error:
                if str(error) != said:
                    said = str(error)
                    log.error("%s waits: %s", threading.current_thread().name, said)
            except Exception:
                failures += 1
                since = time.monotonic() if failures == 1 else since
                log.exception("%s failed", threading.current_thread().name)
                if failures >= MOST_FAILURES and time.monotonic() - since >= FAILING:
                    raise
            woken.wait(pace())
            woken.clear()
