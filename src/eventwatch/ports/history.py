"""The cache of measurements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from eventwatch.model.measurement import Cells, HistoryNote, Scan


class History(Protocol):
    """Measurements per exposure. A cache: it may be deleted and is rebuilt by the next scan."""

    def replace(self, exposure: str, scan: Scan) -> None:
        """Replaces, for each set, all loaded buckets from the set's ``*_from`` in the request on;
        the same scan twice changes nothing. Atomic per loaded day for readers. Raises StoreError."""
        ...

    def replace_day(self, exposure: str, day: int, scan: Scan) -> None:
        """Replaces one whole loaded UTC day (epoch seconds) by the scan's cells of that day."""
        ...

    def cells(
        self,
        exposure: str,
        dimensions: tuple[str, ...],
        since: datetime,
        until: datetime,
        *,
        merge_loads: bool = False,
    ) -> Cells:
        """Cells of these dimensions loaded in [since, until) (bucket starts). ``merge_loads`` adds
        up, within each loaded UTC day, all loads of a series and occurred bucket (loaded = the
        latest of them): cells stay additive, and a past day's never change."""
        ...

    def covered_from(self, exposure: str) -> datetime | None:
        """Start of the span of loaded time without holes that ends at the newest day; None: empty
        or not of this version."""
        ...

    def covered_until(self, exposure: str) -> datetime | None:
        """``now`` of the newest request that was replaced; the next scan starts a little before.
        None where ``covered_from`` is None."""
        ...

    def note(self, exposure: str) -> HistoryNote:
        """What was remembered beside the measurements; an empty note when there is none."""
        ...

    def write_note(self, exposure: str, note: HistoryNote) -> None:
        """Remembers it, replacing the one before."""
        ...

    def day_counts(self, exposure: str, since: datetime) -> Mapping[tuple[int, str | None], int]:
        """Rows per (loaded UTC day, event type), ``""`` set and ``@time``, to hold against a
        recount."""
        ...

    def known_values(self, exposure: str, dimension: str) -> tuple[str, ...]:
        """Values followed so far, most rows first, without OTHER and NULL_VALUE."""
        ...

    def forget_before(self, exposure: str, before: datetime) -> None:
        """Drops loaded days that ended before; compacts days older than 48 h to hours."""
        ...
