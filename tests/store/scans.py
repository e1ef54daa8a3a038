"""A table of events as plain tuples, and scans of it counted the slow and obvious way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from eventwatch.model.measurement import (
    CELL_SCHEMA,
    DELAY,
    DUPLICATE,
    FINE,
    FINE_SPAN,
    HOUR,
    NULL_VALUE,
    Cells,
    Scan,
    ScanRequest,
    SeriesKey,
)

DAY = 86400
START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())

CellName = tuple[SeriesKey, int, int]
CellCounts = tuple[int, int, int]
Counted = dict[CellName, CellCounts]
"""(series, occurred bucket, loaded bucket) → (rows, first load, last load)."""


@dataclass(frozen=True)
class Event:
    """One row of the table; times in epoch seconds."""

    event_type: str | None
    platform: str | None
    occurred: int
    loaded: int


def instant(seconds: float) -> datetime:
    """Aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def request(
    now: int,
    rows_from: int,
    *,
    hours_from: int | None = None,
    duplicates: bool = True,
) -> ScanRequest:
    """A request for everything loaded from an instant on, aligned as a plan aligns it."""
    fine_from = (now - int(FINE_SPAN.total_seconds())) // HOUR * HOUR
    width = FINE if rows_from >= fine_from else HOUR
    hours = instant((rows_from if hours_from is None else hours_from) // HOUR * HOUR)
    return ScanRequest(
        now=instant(now),
        rows_from=instant(rows_from // width * width),
        cuts_from=hours,
        delays_from=hours,
        fine_from=instant(fine_from),
        oldest_occurred=instant(0),
        duplicates_from=hours if duplicates else None,
    )


def scan(events: Iterable[Event], asked: ScanRequest) -> Scan:
    """What a warehouse finds: the sets ``""``, ``platform``, ``@delay`` and ``@dup``."""
    counted: Counted = {}
    now, fine = asked.now.timestamp(), int(asked.fine_from.timestamp())
    hours = {
        "platform": asked.cuts_from,
        DELAY: asked.delays_from,
        DUPLICATE: asked.duplicates_from,
    }
    for event in events:
        if event.loaded > now:
            continue
        hour = event.loaded // HOUR * HOUR
        loaded_width = FINE if event.loaded >= fine else HOUR
        occurred_width = FINE if loaded_width == FINE and event.occurred >= fine else HOUR
        loaded = event.loaded // loaded_width * loaded_width
        if loaded >= asked.rows_from.timestamp():
            occurred = event.occurred // occurred_width * occurred_width
            add(counted, SeriesKey(event.event_type), occurred, loaded, event)
        for dimension, since in hours.items():
            if since is None or hour < since.timestamp():
                continue
            value = {
                "platform": NULL_VALUE if event.platform is None else event.platform,
                DELAY: str(max(0, event.loaded - event.occurred).bit_length()),
                DUPLICATE: "",
            }[dimension]
            occurred = event.occurred // HOUR * HOUR if dimension == "platform" else hour
            add(counted, SeriesKey(event.event_type, dimension, value), occurred, hour, event)
    return Scan(asked, table(counted), len(counted), 0, 0, 1, timedelta(0))


def add(counted: Counted, key: SeriesKey, occurred: int, loaded: int, event: Event) -> None:
    """Counts one row."""
    rows, first, last = counted.get((key, occurred, loaded), (0, event.loaded, event.loaded))
    counted[key, occurred, loaded] = rows + 1, min(first, event.loaded), max(last, event.loaded)


def table(counted: Counted) -> pa.Table:
    """Cells as a table of CELL_SCHEMA, in two chunks with dictionaries of their own."""
    items = list(counted.items())
    halves = [items[: len(items) // 2], items[len(items) // 2 :]]
    return pa.concat_tables([_chunk(half) for half in halves])


def _chunk(items: list[tuple[CellName, CellCounts]]) -> pa.Table:
    columns: list[list[object]] = [
        [key.event_type for (key, _, _), _ in items],
        [key.dimension for (key, _, _), _ in items],
        [key.value for (key, _, _), _ in items],
        [occurred for (_, occurred, _), _ in items],
        [loaded for (_, _, loaded), _ in items],
        *(list[object](counts[i] for _, counts in items) for i in range(3)),
    ]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, CELL_SCHEMA, strict=True)],
        schema=CELL_SCHEMA,
    )


def counted(cells: Cells) -> Counted:
    """Cells by name. Fails when two cells have one name."""
    found: Counted = {}
    for i in range(len(cells.series)):
        name = cells.keys[cells.series[i]], int(cells.occurred[i]), int(cells.loaded[i])
        assert name not in found
        found[name] = int(cells.rows[i]), int(cells.first_loaded[i]), int(cells.last_loaded[i])
    return found


def counted_table(cells: pa.Table) -> Counted:
    """The same of a scan's table."""
    return {
        (
            SeriesKey(row["event_type"], row["dimension"], row["value"]),
            row["occurred"],
            row["loaded"],
        ): (
            row["rows"],
            row["first_loaded"],
            row["last_loaded"],
        )
        for row in cells.to_pylist()
    }


def in_hours(cells: Counted, *, merge_loads: bool = False) -> Counted:
    """Cells added up to hours; with ``merge_loads``, over all loads of a day."""
    found: Counted = {}
    latest: dict[tuple[SeriesKey, int, int], int] = {}
    grain = DAY if merge_loads else HOUR
    for (key, occurred, loaded), (rows, first, last) in cells.items():
        name = key, occurred // HOUR * HOUR, loaded // grain * grain
        latest[name] = max(latest.get(name, loaded), loaded)
        known = found.get(name, (0, first, last))
        found[name] = known[0] + rows, min(known[1], first), max(known[2], last)
    return {
        (key, occurred, latest[key, occurred, loaded] // HOUR * HOUR): counts
        for (key, occurred, loaded), counts in found.items()
    }
