"""What is known of every event type that ever came: when, how much lately, and by which values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from eventwatch.kinds.arrivals import NEVER, Arrivals, IntArray
from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import NULL_VALUE, OTHER
from eventwatch.model.result import Fact
from eventwatch.model.view import ExposureView

MOST_VALUES = 5


@dataclass(frozen=True)
class Coming:
    """One event type as it came."""

    first_at: datetime
    last_at: datetime
    series: int | None
    """Row of ``Arrivals``; None: only the ledger remembers it."""
    occasions: int
    """Hours of the look-back with arrivals."""


@dataclass(frozen=True)
class Known:
    """Every event type that ever came."""

    view: ExposureView
    arrivals: Arrivals

    @cached_property
    def types(self) -> dict[str | None, Coming]:
        """By event type; the ledger says when it came first, the rows when last."""
        found: dict[str | None, Coming] = {}
        now = self.view.now
        for key, seen in self.view.ledger.items():
            if key.dimension == "" and seen.first_at <= now:
                found[key.event_type] = Coming(seen.first_at, min(seen.last_at, now), None, 0)
        busy = self.arrivals.counts > 0
        occasions = busy.sum(axis=1)
        first = self.arrivals.start + 3600 * busy.argmax(axis=1)
        for i, name in enumerate(self.arrivals.names):
            last = int(self.arrivals.last[i])
            if last == NEVER:
                continue
            known = found.get(name)
            first_at = from_epoch(min(int(first[i]), last)) if known is None else known.first_at
            last_at = min(from_epoch(last), now)
            found[name] = Coming(min(first_at, last_at), last_at, i, int(occasions[i]))
        return found

    @cached_property
    def began_at(self) -> datetime:
        """When the table began, as far as is known: what came soon after it is not new."""
        first = min((c.first_at for c in self.types.values()), default=self.view.measured_from)
        return max(first, min(self.view.measured_from, self.view.watching_since))

    @cached_property
    def _recent(self) -> dict[timedelta, IntArray]:
        return {}

    def rows_since(self, name: str | None, span: timedelta) -> int:
        """Rows of one event type that were loaded in the last ``span``."""
        coming = self.types.get(name)
        if coming is None or coming.series is None:
            return 0
        if span not in self._recent:
            cells = self.view.rows
            late = cells.last_loaded > (self.view.now - span).timestamp()
            counted = np.bincount(
                cells.series[late], weights=cells.rows[late], minlength=len(cells.keys)
            )
            self._recent[span] = counted.astype(np.int64)
        return int(self._recent[span][coming.series])

    @cached_property
    def _series(self) -> dict[str | None, list[int]]:
        """The series of the cuts, by event type."""
        found: dict[str | None, list[int]] = {}
        for i, key in enumerate(self.view.cuts.keys):
            found.setdefault(key.event_type, []).append(i)
        return found

    def _values(self, name: str | None) -> dict[str, list[tuple[int, str]]]:
        """Rows and value of what came, by dimension."""
        cells = self.view.cuts
        found: dict[str, list[tuple[int, str]]] = {}
        for i in self._series.get(name, []):
            rows = int(cells.row_count[i])
            if rows > 0:
                found.setdefault(cells.keys[i].dimension, []).append((rows, cells.keys[i].value))
        return found

    def value_facts(self, name: str | None) -> list[Fact]:
        """For each watched dimension, which values the rows of an event type have."""
        facts = []
        for dimension, counted in sorted(self._values(name).items()):
            ordered = sorted(counted, key=lambda c: (-c[0], c[1]))
            total = sum(rows for rows, _ in ordered)
            parts = [f"{shown(v)} {r / total * 100:.0f} %" for r, v in ordered[:MOST_VALUES]]
            if len(ordered) > MOST_VALUES:
                parts.append(f"and {len(ordered) - MOST_VALUES} more")
            facts.append(Fact(dimension, ", ".join(parts)))
        return facts


def shown(value: str) -> str:
    """A dimension's value for people."""
    return {NULL_VALUE: "null", OTHER: "other values", "": "(empty)"}.get(value, value)


def day_of(at: datetime) -> str:
    """``Sat 21 Nov 2026 03:12 UTC``."""
    return f"{at:%a} {at.day} {at:%b %Y %H:%M} UTC"
