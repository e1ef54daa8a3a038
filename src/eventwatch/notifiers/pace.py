"""Token buckets: what a service allows, kept before it has to refuse.

Whoever comes too early is given a turn, which is kept under the key of the message: it comes back
once, however many wait, and the order stays. A turn that nobody comes for is lost, no more.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_FARTHEST = timedelta(hours=1)
_MANY = 10_000


@dataclass(frozen=True)
class Rate:
    """One each ``every``, and up to ``burst`` at once after a pause."""

    every: timedelta
    burst: int = 1


@dataclass
class _Lane:
    next_at: datetime | None = None
    """When the bucket would have its next token, had it no burst."""
    rests_until: datetime | None = None
    """Somebody said so."""
    turns: dict[str, datetime] = field(default_factory=dict)


class Pace:
    """One bucket per lane, all of one rate. Thread-safe. The instants given are the callers' clock;
    one that stepped back by more than an hour forgets what was, so that it silences nobody."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._slack = rate.every * (rate.burst - 1)
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}

    def take(self, lane: str, now: datetime, key: str) -> datetime | None:
        """None: go now, and the token is taken. Else when to come back, under the same key."""
        with self._lock:
            of = self._lane(lane, now)
            turn = of.turns.pop(key, None)
            if turn is None or (of.rests_until is not None and turn < of.rests_until):
                turn = self._free_at(of, now)
                of.next_at = max(of.next_at or now, now) + self._rate.every
            if turn <= now:
                return None
            of.turns[key] = turn
            return turn

    def next(self, lane: str, now: datetime) -> datetime | None:
        """When the next one may go; None: now. Takes nothing."""
        with self._lock:
            free_at = self._free_at(self._lane(lane, now), now)
            return free_at if free_at > now else None

    def rest(self, lane: str, until: datetime) -> None:
        """Nobody goes before; turns given out for earlier are given out anew. After it there is no
        burst, which may have been what brought it about."""
        with self._lock:
            of = self._lanes.setdefault(lane, _Lane())
            of.rests_until = until
            of.next_at = until + self._slack

    def _free_at(self, of: _Lane, now: datetime) -> datetime:
        return now if of.next_at is None else of.next_at - self._slack

    def _lane(self, lane: str, now: datetime) -> _Lane:
        of = self._lanes.get(lane)
        stepped_back = of is not None and max(
            of.next_at or now, of.rests_until or now
        ) > now + _FARTHEST + self._rate.every * (len(of.turns) + self._rate.burst)
        if of is None or stepped_back:
            of = self._lanes[lane] = _Lane()
        if len(of.turns) > _MANY:
            of.turns = {k: at for k, at in of.turns.items() if at > now - _FARTHEST}
        return of
