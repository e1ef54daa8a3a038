"""The outgoing heartbeat: a service elsewhere is told that a cycle was recorded, and says so when no
more are.

It never costs a cycle anything: ``beat`` returns at once, a thread of its own does the rest. What it
cannot reach is logged once and not tried again before the next cycle; the silence is the signal.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from eventwatch.app.adapters import adapter
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import Secret

log = logging.getLogger(__name__)

AT_MOST_EVERY = timedelta(minutes=1)
TIMEOUT = timedelta(seconds=5)


class Heart:
    """Thread-safe. One per address."""

    def __init__(self, url: Secret, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._last: float | None = None
        self._said = ""
        self._thread: threading.Thread | None = None

    def beat(self) -> bool:
        """A cycle was recorded. Returns at once; False: one was sent less than a minute ago, or is
        still on its way."""
        with self._lock:
            now = self._monotonic()
            soon = self._last is not None and now - self._last < AT_MOST_EVERY.total_seconds()
            if soon or (self._thread is not None and self._thread.is_alive()):
                return False
            self._last = now
            self._thread = threading.Thread(target=self._send, name="heartbeat-url", daemon=True)
            self._thread.start()
        return True

    def wait(self, seconds: float = TIMEOUT.total_seconds() + 1.0) -> None:
        """Until the one under way has ended; for processes that end now."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _send(self) -> None:
        try:
            adapter("ping")(self.url, TIMEOUT.total_seconds())
        except DeliveryError as error:
            self._failed(str(error))
        except Exception as error:
            # Not its text: it may hold the address.
            self._failed(f"heartbeat_url: {type(error).__name__}")
        else:
            if self._said:
                log.info("heartbeat_url answers again")
            self._said = ""

    def _failed(self, why: str) -> None:
        if why != self._said:
            log.warning("%s; this is said once", why)
        self._said = why
