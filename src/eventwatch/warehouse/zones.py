"""Times without a zone, as pieces of constant offset.

No engine converts local times like another one: what "02:30" means on the night the clock goes back
is a matter of its time-zone library. So the pieces are worked out here and the engine only compares
and subtracts integers. A time that exists twice is its first occurrence, one that does not exist is
read with the offset before the gap: what ``datetime`` does with ``fold=0``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_STEP = 12 * 3600
"""No zone has changed its offset twice within 12 hours."""


@dataclass(frozen=True)
class Piece:
    """Local seconds in [start, next piece's start) are ``offset`` seconds ahead of UTC."""

    start: int | None
    """Seconds since 1970-01-01 00:00 on the local clock; None: the first piece."""
    offset: int


@lru_cache(maxsize=64)
def pieces(zone: ZoneInfo, first: int, last: int) -> tuple[Piece, ...]:
    """The pieces that cover UTC epoch seconds [first, last], in order; at least one."""
    found = [Piece(None, _offset(zone, first))]
    before = first
    while before < last:
        after = min(before + _STEP, last)
        was, now = _offset(zone, before), _offset(zone, after)
        if was != now:
            found.append(Piece(_change(zone, before, after) + max(was, now), now))
        before = after
    return tuple(found)


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second after ``low`` with the offset of ``high``."""
    goal = _offset(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(zone, middle) == goal else (middle, high)
    return high


def _offset(zone: ZoneInfo, second: int) -> int:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    found = at.astimezone(zone).utcoffset()
    return 0 if found is None else int(found.total_seconds())
