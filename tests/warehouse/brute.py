"""What a scan must find, counted one row after the other in plain Python.

Written from the definition of the sets in ``model/measurement.py``, without a look at the SQL.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from eventwatch.model.measurement import ScanRequest
from eventwatch.model.settings import Exposure

Row = Mapping[str, Any]
CellKey = tuple[str | None, str, str, int, int]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SKEW = 300 * 10**6
HOUR = 3600 * 10**6


@dataclass
class Count:
    """Rows of a cell with the first and last load in seconds."""

    rows: int = 0
    first: int = 2**62
    last: int = -(2**62)

    def add(self, loaded: int) -> None:
        self.rows += 1
        self.first, self.last = min(self.first, loaded), max(self.last, loaded)


@dataclass
class Found:
    """What a scan says, in a form that compares."""

    cells: dict[CellKey, Count] = field(default_factory=dict)
    future_loaded: int = 0
    null_loaded: int = 0
    rows: int = 0
    capped: tuple[str, ...] = ()

    def add(self, key: CellKey, loaded: int) -> None:
        self.cells.setdefault(key, Count()).add(loaded // 10**6)


def micros_of(value: Any, zone: ZoneInfo) -> int | None:
    """Epoch microseconds of a stored value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=zone, fold=0)
        return (aware.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return micros_of(datetime(value.year, value.month, value.day), zone)
    if isinstance(value, float):
        for unit, top in ((1, 1e11), (10**3, 1e14), (10**6, 1e17)):
            if value < top:
                return math.floor(value * (10**6 / unit))
        return math.floor(value * 1e-3)
    for factor, top in ((10**6, 10**11), (10**3, 10**14), (1, 10**17)):
        if value < top:
            return int(value) * factor
    return int(value) // 1000


def to_micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[: limit - 34] + "…#" + hashlib.md5(text.encode()).hexdigest()


def marked(value: str) -> str:
    if len(value) <= 500 and value[:1] == "@" and value.endswith(("@other", "@null")):
        return "@" + value
    return shortened(value, 500)


def brute_scan(rows: Iterable[Row], exposure: Exposure, request: ScanRequest) -> Found:
    """Counts them."""
    names = exposure.columns
    zone = exposure.naive_time_zone
    found = Found()
    now, oldest = to_micros(request.now), to_micros(request.oldest_occurred)
    good: list[tuple[str | None, int, int, Row]] = []
    everything: list[tuple[str | None, int, bool, Row]] = []
    for row in rows:
        event_type = row[names.event_type]
        event_type = None if event_type is None else shortened(str(event_type), 1000)
        occurred = micros_of(row[names.occurred_at], zone)
        loaded = occurred if names.loaded_at is None else micros_of(row[names.loaded_at], zone)
        if loaded is None:
            found.null_loaded += 1
            continue
        if loaded > now:
            future = loaded > now + SKEW and not request.as_of
            found.future_loaded += 1 if future else 0
            continue
        usable = occurred is not None and oldest <= occurred <= now + SKEW
        everything.append((event_type, loaded, usable, row))
        if usable and occurred is not None:
            good.append((event_type, occurred, loaded, row))
        elif loaded >= min(
            to_micros(request.cuts_from), to_micros(request.rows_from) // HOUR * HOUR
        ):
            kind = "null_occurred" if occurred is None else "old" if occurred < oldest else "future"
            hour = loaded // 10**6 // 3600 * 3600
            found.add((event_type, "@time", kind, hour, hour), loaded)
    _rows(good, request, found)
    if names.loaded_at is not None:
        _delays(good, request, found)
    capped = [d.name for d in exposure.dimensions if _cut(good, request, found, d)]
    found.capped = tuple(capped)
    if request.duplicates_from is not None and names.event_id is not None:
        _repeats(everything, request, found, names.event_id)
    found.rows = sum(c.rows for key, c in found.cells.items() if key[1] in ("", "@time"))
    return found


def _rows(good: Any, request: ScanRequest, found: Found) -> None:
    fine = int(request.fine_from.timestamp())
    for event_type, occurred, loaded, _ in good:
        if loaded < to_micros(request.rows_from):
            continue
        at, seen = occurred // 10**6, loaded // 10**6
        wide = 300 if seen >= fine else 3600
        wide_occurred = 300 if seen >= fine and at >= fine else 3600
        found.add(
            (event_type, "", "", at // wide_occurred * wide_occurred, seen // wide * wide), loaded
        )


def _delays(good: Any, request: ScanRequest, found: Found) -> None:
    for event_type, occurred, loaded, _ in good:
        if loaded < to_micros(request.delays_from):
            continue
        seconds = (loaded - occurred) // 10**6
        edge = min(31, seconds.bit_length()) if seconds > 0 else 0
        hour = loaded // 10**6 // 3600 * 3600
        found.add((event_type, "@delay", str(edge), hour, hour), loaded)


def _cut(good: Any, request: ScanRequest, found: Found, dimension: Any) -> bool:
    window = [g for g in good if g[2] >= to_micros(request.cuts_from)]
    counts = Counter(
        marked(str(row[dimension.column]))
        for *_, row in window
        if row[dimension.column] is not None
    )
    # A value with a NUL takes its place by its rows.
    known = [v for v in request.known_values.get(dimension.name, ()) if "\0" not in v]
    known = known[: dimension.cap]
    fresh = sorted(
        (v for v in counts if v not in known),
        key=lambda v: (-counts[v], hashlib.md5(v.encode()).hexdigest()),
    )
    kept = {*known, *fresh[: dimension.cap - len(known)]}
    other = False
    for event_type, occurred, loaded, row in window:
        raw = row[dimension.column]
        value = "@null" if raw is None else marked(str(raw))
        if raw is not None and value not in kept:
            value, other = "@other", True
        at, seen = occurred // 10**6 // 3600 * 3600, loaded // 10**6 // 3600 * 3600
        found.add((event_type, dimension.name, value, at, seen), loaded)
    return other


def _repeats(everything: Any, request: ScanRequest, found: Found, id_column: str) -> None:
    assert request.duplicates_from is not None
    window = request.duplicates_window // timedelta(microseconds=1)
    start = to_micros(request.duplicates_from)
    groups: dict[Any, list[tuple[int, bool]]] = {}
    for event_type, loaded, usable, row in everything:
        if row[id_column] is not None and loaded >= start - window:
            groups.setdefault((event_type, row[id_column]), []).append((loaded, usable))
    for (event_type, _), loads in groups.items():
        loads.sort()
        for (before, _), (loaded, usable) in pairwise(loads):
            if usable and loaded >= start and loaded - before <= window:
                hour = loaded // 10**6 // 3600 * 3600
                found.add((event_type, "@dup", "", hour, hour), loaded)


def brute_recount(
    rows: Iterable[Row], exposure: Exposure, first: datetime, end: datetime
) -> tuple[dict[tuple[int, str | None], int], int]:
    """Rows per (loaded day, event type), and rows without a load time."""
    names, zone = exposure.columns, exposure.naive_time_zone
    counts: Counter[tuple[int, str | None]] = Counter()
    missing = 0
    for row in rows:
        event_type = row[names.event_type]
        event_type = None if event_type is None else shortened(str(event_type), 1000)
        loaded = micros_of(row[names.loaded_at or names.occurred_at], zone)
        if loaded is None:
            missing += 1
        elif to_micros(first) <= loaded < to_micros(end):
            counts[loaded // 10**6 // 86400 * 86400, event_type] += 1
    return dict(counts), missing


def as_found(scan: Any) -> Found:
    """A Scan in the same form."""
    found = Found(
        future_loaded=scan.future_loaded,
        null_loaded=scan.null_loaded,
        rows=scan.rows,
        capped=tuple(scan.capped),
    )
    for cell in scan.cells.to_pylist():
        key = (
            cell["event_type"],
            cell["dimension"],
            cell["value"],
            cell["occurred"],
            cell["loaded"],
        )
        assert key not in found.cells, f"two cells for {key}"
        found.cells[key] = Count(cell["rows"], cell["first_loaded"], cell["last_loaded"])
    return found
