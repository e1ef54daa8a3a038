"""Tells the operators that the state cannot be written, by the notifier alone.

Everything else is a row before it is said; of this no row can be made. So it is kept by the process:
each one that is started says it again, and an answer that was lost is taken for said.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from eventwatch.alerting import spans
from eventwatch.alerting.route import Route
from eventwatch.alerting.spans import Line, Text
from eventwatch.app.house import House, notifier
from eventwatch.model.alert import Delivery, Message, Verdict
from eventwatch.model.durations import format_duration
from eventwatch.model.errors import EventwatchError

log = logging.getLogger(__name__)

AFTER = timedelta(minutes=2)
"""For so long in a row nothing could be written: a server that restarts is back before."""
AGAIN = timedelta(minutes=1)
"""Between two attempts to say it."""
_LONGEST = 600


class Outcry:
    """``look`` is to be called every few seconds, from any thread; it returns at once."""

    def __init__(
        self,
        house: Callable[[], House],
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house, self._seconds = house, seconds
        self._lock = threading.Lock()
        self._since: float | None = None
        self._said = False
        self._next = 0.0
        self._thread: threading.Thread | None = None

    def look(self, why: str) -> None:
        """``why`` the state cannot be written now; empty: it can."""
        with self._lock:
            now = self._seconds()
            if self._thread is not None and self._thread.is_alive():
                return
            if why and self._since is None:
                self._since = now
            if self._since is None:
                return
            lasted = now - self._since
            if not why:
                self._since = None
                if not self._said:
                    return
            elif self._said or lasted < AFTER.total_seconds() or now < self._next:
                return
            self._next = now + AGAIN.total_seconds()
            # Whoever looks also keeps the lease and the heartbeat, which wait for no one.
            self._thread = threading.Thread(
                target=self._say, args=(why, lasted), name="outcry", daemon=True
            )
            self._thread.start()

    def _say(self, why: str, lasted: float) -> None:
        try:
            house = self._house()
            now = house.clock.now()
            row = message(house.directory().fallback, why, timedelta(seconds=lasted), now)
            outcome = notifier(house.settings.notify).send(row, now)
        except EventwatchError as error:
            log.error("nobody could be told that the state cannot be written: %s", error)
            return
        if outcome.verdict in (Verdict.SENT, Verdict.UNKNOWN):
            self._said = bool(why)
            return
        log.error("nobody could be told that the state cannot be written: %s", outcome.reason)


def message(route: Route, why: str, lasted: timedelta, now: datetime) -> Delivery:
    """What is said, on the fallback route; an empty ``why``: that it is over."""
    for_how_long = format_duration(timedelta(seconds=round(lasted.total_seconds())))
    line: Line = (
        Text(
            f"🔴 eventwatch has not been able to write its state for {for_how_long}: "
            f"{why.rstrip('. ')}. Until it can, nothing new is told to anybody."
            if why
            else f"🟢 eventwatch can write its state again, after {for_how_long}. What was found "
            "meanwhile is told now."
        ),
    )
    text = spans.slack(line, _LONGEST)
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
    key = hashlib.sha256(f"outcry {now.isoformat()}".encode()).hexdigest()[:40]
    said = Message(text, json.dumps([block], ensure_ascii=False), spans.on_terminal(line))
    return Delivery(key, route.channel, route.team, said, (), now, is_fallback=True)
