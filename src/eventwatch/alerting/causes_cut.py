"""A value of a watched dimension as the cause: android stopped, and with it half of every event type.

The smallest set of values of one dimension that explains most of the event types which moved. A value
explains an event type when most of the rows that are missing there are missing under it, and the other
values are about as usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eventwatch.alerting.causes_evidence import Evidence, Moved
from eventwatch.model.measurement import NULL_VALUE, OTHER

AT_LEAST = 3
"""Event types that must move together: two may be chance."""
MOST = 0.6
"""Part of the event types that moved which a set of values must explain."""
SHORTFALL = 0.6
"""Part of an event type's missing rows that must be missing under the values."""
DOWN = 0.3
"""Part of a value's own rows that must be missing for it to count as down."""
AS_USUAL = 0.25
"""What the other values may miss of theirs."""
FEW_ROWS = 3.0
MOST_VALUES = 6


@dataclass(frozen=True)
class Cutting:
    """Values of one dimension, and which event types they explain."""

    dimension: str
    values: tuple[str, ...]
    explains: tuple[str, ...]
    lost: float
    """Part of these values' rows that is missing in the event types explained."""


def best_cut(evidence: Evidence, moved: Sequence[str]) -> Cutting | None:
    """The smallest set that explains most of ``moved``; None: no set does."""
    if len(moved) < AT_LEAST:
        return None
    found: list[Cutting] = []
    for dimension in sorted({d for _, d in evidence.moved}):
        tables = {name: table for name in moved if (table := evidence.moved.get((name, dimension)))}
        cutting = _cutting(dimension, tables)
        if cutting is None or len(cutting.explains) < max(AT_LEAST, MOST * len(moved)):
            continue
        found.append(cutting)
    return min(
        found, key=lambda c: (len(c.values), -len(c.explains), -c.lost, c.dimension), default=None
    )


def _cutting(dimension: str, tables: Mapping[str, Mapping[str, Moved]]) -> Cutting | None:
    down: dict[str, set[str]] = {}
    for name, table in tables.items():
        for value, rows in table.items():
            if value in (OTHER, NULL_VALUE) or rows.expected < FEW_ROWS:
                continue
            if rows.observed <= (1.0 - DOWN) * rows.expected:
                down.setdefault(value, set()).add(name)
    chosen: list[str] = []
    explained: set[str] = set()
    for value in sorted(down, key=lambda v: (-len(down[v]), v)):
        if len(chosen) == MOST_VALUES:
            break
        now = {n for n, t in tables.items() if _explains(t, {*chosen, value})}
        if len(now) > len(explained):
            chosen.append(value)
            explained = now
    if not explained:
        return None
    cells = [tables[n][v] for n in explained for v in chosen if v in tables[n]]
    expected = sum(r.expected for r in cells)
    lost = 1.0 - sum(r.observed for r in cells) / expected if expected else 1.0
    return Cutting(dimension, tuple(sorted(chosen)), tuple(sorted(explained)), max(lost, 0.0))


def _explains(table: Mapping[str, Moved], values: set[str]) -> bool:
    inside = [r for v, r in table.items() if v in values]
    outside = [r for v, r in table.items() if v not in values]
    missing = sum(max(r.expected - r.observed, 0.0) for r in table.values())
    under = sum(max(r.expected - r.observed, 0.0) for r in inside)
    if not inside or missing <= 0 or under < SHORTFALL * missing:
        return False
    usual = sum(r.expected for r in outside)
    if usual < FEW_ROWS:
        # There is no other value that could show that it is this one.
        return False
    return sum(r.observed for r in outside) >= (1.0 - AS_USUAL) * usual
