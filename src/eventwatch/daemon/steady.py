"""A clock that does not jump when somebody sets the machine's.

Wall time is held against a count of seconds that nobody can set (on Linux the one that also counts
while the machine sleeps, so that sleep is no jump). When the two part by more than ``STEP``, the old
time is kept and told on, as if nothing had happened; a difference that stays for ``BELIEVED`` is the
right time, and is taken over. Without this, a clock that is wrong for a minute would make tables look
late, close incidents, or stop all schedules for as long as it went back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

STEP = timedelta(seconds=5)
BELIEVED = timedelta(minutes=15)
HELD_UP = timedelta(seconds=5)
"""A pause between two looks that long is told: the process, or the machine, stood still."""


@dataclass(frozen=True)
class Jump:
    """The machine's clock and its seconds parted, or the time that it shows was believed."""

    at: datetime
    """By the clock that did not jump; with ``taken``, before it was taken over."""
    by: timedelta
    """How much later the machine's clock is."""
    taken: bool
    """It stayed, and is the time from now on."""


def elapsed() -> float:
    """Seconds that nobody can set; those of sleep are counted where the system does."""
    kind = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if kind is None else time.clock_gettime(kind)


class SteadyClock:
    """Implements ``ports.clock.Clock``. For any thread. ``look`` is to be called at least once a
    second, and before anything is decided after a wait."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        seconds: Callable[[], float] = elapsed,
        believed: timedelta = BELIEVED,
    ) -> None:
        self._wall, self._seconds = wall, seconds
        self._believed = believed.total_seconds()
        self._lock = threading.Lock()
        self._offset = wall() - seconds()
        """Our time is the seconds and this."""
        self._parted: tuple[float, float] | None = None
        """Since when (seconds) the wall is ahead by how much; None: it is not."""
        self._last = self._offset + seconds()
        self._looked = seconds()

    def now(self) -> datetime:
        """Aware UTC. Never earlier than before, save when a wall that went back was believed."""
        with self._lock:
            self._last = max(self._last, self._offset + self._seconds())
            return datetime.fromtimestamp(self._last, UTC)

    def monotonic(self) -> float:
        """Seconds that never step back."""
        return self._seconds()

    @property
    def ahead(self) -> timedelta:
        """How much later the machine's clock is now; zero while both agree."""
        with self._lock:
            return timedelta(seconds=0.0 if self._parted is None else self._parted[1])

    def on_the_wall(self, instant: datetime) -> datetime:
        """What the machine's clock shows, or will show, at an instant of ours."""
        with self._lock:
            apart = self._wall() - (self._offset + self._seconds())
        return instant + timedelta(seconds=apart)

    def look(self) -> tuple[Jump | None, timedelta]:
        """What happened to the machine's clock since the last look, and how long ago that was."""
        with self._lock:
            seconds = self._seconds()
            since, self._looked = seconds - self._looked, seconds
            return self._judge(seconds), timedelta(seconds=since)

    def _judge(self, seconds: float) -> Jump | None:
        ours = self._offset + seconds
        apart = self._wall() - ours
        if abs(apart) <= STEP.total_seconds():
            # Small corrections are followed; so is a jump that was taken back.
            self._offset += apart
            was, self._parted = self._parted, None
            return None if was is None else _jump(ours, 0.0)
        if self._parted is None or abs(apart - self._parted[1]) > STEP.total_seconds():
            self._parted = (seconds, apart)
            return _jump(ours, apart)
        if seconds - self._parted[0] < self._believed:
            return None
        self._parted = None
        self._offset += apart
        self._last = self._offset + seconds
        return _jump(ours, apart, taken=True)


def _jump(at: float, by: float, *, taken: bool = False) -> Jump:
    return Jump(datetime.fromtimestamp(at, UTC), timedelta(seconds=round(by, 3)), taken)
