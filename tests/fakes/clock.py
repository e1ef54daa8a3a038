"""Time that moves when it is told to."""

from __future__ import annotations

from datetime import datetime, timedelta


class FakeClock:
    """A clock that stands still between steps."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.at

    def monotonic(self) -> float:
        """Seconds that follow ``now``."""
        return self.at.timestamp()

    def step(self, span: timedelta) -> datetime:
        """Moves on and gives the new instant."""
        self.at += span
        return self.at
