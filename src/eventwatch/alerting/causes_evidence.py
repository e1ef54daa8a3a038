"""How the event types that moved did by the values of the watched dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Moved:
    """What came of one event type under one value of a dimension, in the span that was judged."""

    observed: float
    """Rows."""
    expected: float
    """Rows; as in earlier weeks."""


@dataclass(frozen=True)
class Evidence:
    """Rows by value of the event types that moved."""

    moved: Mapping[tuple[str, str], Mapping[str, Moved]] = field(default_factory=dict)
    """(event type, dimension) → value → rows."""
