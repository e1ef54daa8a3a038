"""What the rows say of a cause: how event types did by the values of the watched dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Moved:
    """What came under one value of a dimension, in the span that was judged."""

    observed: float
    """Rows."""
    expected: float
    """Rows; as in earlier weeks."""


@dataclass(frozen=True)
class Across:
    """One value over all event types, since the newest trouble began."""

    rows: Moved
    known: int
    """Event types with enough rows of it to say anything."""
    fell: tuple[str, ...] = ()
    """Those where it fell by half or more, sorted."""
    rose: tuple[str, ...] = ()
    """Those where it rose to twice or more, sorted."""


@dataclass(frozen=True)
class Handover:
    """Rows of a declared name went missing as a new, similar one began."""

    old: str
    observed: float
    """Rows of the old name since then."""
    expected: float
    """As in the same time just before, and as the other event types did since."""
    came: float
    """Rows of the new name."""


@dataclass(frozen=True)
class Evidence:
    """Rows by value. Empty where nothing moved, or no dimension is watched."""

    moved: Mapping[tuple[str, str], Mapping[str, Moved]] = field(default_factory=dict)
    """(event type, dimension) → value → rows, of the event types that moved, each since its own
    trouble began."""
    hours: Mapping[str, float] = field(default_factory=dict)
    """Event type → length of that span."""
    whole: Mapping[str, Mapping[str, Across]] = field(default_factory=dict)
    """Dimension → value → how it did over all event types."""

    handed: Mapping[str, Handover] = field(default_factory=dict)
    """New, undeclared name → what it seems to have taken over, before that is told by itself."""
    declared: tuple[str, ...] = ()
    """Names that contracts declare, sorted: they say which words tell names apart."""

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Those that anything is known of, sorted."""
        return tuple(sorted({d for _, d in self.moved} | set(self.whole)))
