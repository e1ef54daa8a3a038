"""One message per second and channel: what Slack allows, kept before it has to refuse."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

INTERVAL = timedelta(seconds=1)
_FARTHEST = timedelta(hours=1)


class Pace:
    """Remembers when each channel may be spoken to again. Thread-safe."""

    def __init__(self, interval: timedelta = INTERVAL) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._free_at: dict[str, datetime] = {}

    def take(self, channel: str, now: datetime) -> datetime | None:
        """None: speak now, and the turn is taken. Else when to come back."""
        with self._lock:
            free_at = self._free_at.get(channel)
            # A clock that stepped back must not silence a channel.
            if free_at is not None and now < free_at <= now + _FARTHEST:
                return free_at
            self._free_at[channel] = now + self._interval
            return None

    def rest(self, channel: str, until: datetime) -> None:
        """Nobody speaks there before."""
        with self._lock:
            self._free_at[channel] = until
