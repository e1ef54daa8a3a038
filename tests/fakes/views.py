"""Makes an ExposureView out of a table of rows, the way a scan and the history would.

Rows are plain records; the counting here is written a second time on purpose, so that a kind is
tested against the meaning of a cell and not against the code that makes cells. Times may be given as
aware datetimes or epoch seconds. For a million rows pass a ``Table`` of arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.contract import Catalog, Contract, Location, Team
from eventwatch.model.measurement import (
    DELAY,
    DELAY_BINS,
    DUPLICATE,
    FINE,
    FINE_SPAN,
    HOUR,
    NULL_VALUE,
    TIME,
    Cells,
    SeriesKey,
)
from eventwatch.model.settings import Columns, Dimension, Exposure, Secret
from eventwatch.model.view import ExposureView, Ledger, Seen

NOW = datetime(2026, 11, 20, 12, 3, 20, tzinfo=UTC)
"""A Friday."""


@dataclass(frozen=True)
class Row:
    """``count`` equal rows."""

    event_type: str | None
    loaded: datetime | float
    occurred: datetime | float | None = None
    """None: a minute before it was loaded."""
    count: int = 1
    values: Mapping[str, str | None] = field(default_factory=dict)
    """Dimension → value."""
    repeated: int = 0
    """How many of them repeat an id."""
    bad: str = ""
    """``null_occurred``, ``future`` or ``old``: they have no usable time."""


@dataclass(frozen=True)
class Table:
    """Rows as parallel arrays of length N."""

    event_type: Sequence[str | None]
    occurred: NDArray[np.int64]
    loaded: NDArray[np.int64]
    rows: NDArray[np.int64]
    values: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    repeated: NDArray[np.int64] | None = None
    bad: Sequence[str] | None = None

    @staticmethod
    def of(rows: Iterable[Row]) -> Table:
        """From records."""
        listed = list(rows)
        loaded = [_seconds(r.loaded) for r in listed]
        occurred = [
            at - 60 if r.occurred is None else _seconds(r.occurred)
            for r, at in zip(listed, loaded, strict=True)
        ]
        names = sorted({name for r in listed for name in r.values})
        return Table(
            event_type=[r.event_type for r in listed],
            occurred=np.array(occurred, dtype=np.int64),
            loaded=np.array(loaded, dtype=np.int64),
            rows=np.array([r.count for r in listed], dtype=np.int64),
            values={name: [r.values.get(name) for r in listed] for name in names},
            repeated=np.array([r.repeated for r in listed], dtype=np.int64),
            bad=[r.bad for r in listed],
        )

    def where(self, mask: NDArray[np.bool_]) -> Table:
        """The rows that a mask keeps."""
        kept = [int(i) for i in np.flatnonzero(mask)]
        return Table(
            [self.event_type[i] for i in kept],
            self.occurred[kept],
            self.loaded[kept],
            self.rows[kept],
            {name: [values[i] for i in kept] for name, values in self.values.items()},
            None if self.repeated is None else self.repeated[kept],
            None if self.bad is None else [self.bad[i] for i in kept],
        )


def steady(
    event_type: str | None,
    start: datetime,
    end: datetime,
    every: timedelta = timedelta(minutes=5),
    count: int = 1,
    *,
    lag: timedelta = timedelta(minutes=1),
    values: Mapping[str, str | None] | None = None,
) -> list[Row]:
    """Rows that arrive like clockwork in [start, end)."""
    rows, at = [], start
    while at < end:
        rows.append(Row(event_type, at, at - lag, count, values or {}))
        at += every
    return rows


def contract(event_type: str, **changes: object) -> Contract:
    """A contract that promises nothing but its existence."""
    base = Contract(
        event_type=event_type,
        message_name=f"acme.{event_type}",
        location=Location("acme.proto", 1),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def catalog(*contracts: Contract | str, teams: Iterable[Team] = ()) -> Catalog:
    """A catalog of these contracts; a name alone is a contract that promises nothing else."""
    made = [contract(c) if isinstance(c, str) else c for c in contracts]
    return Catalog(
        MappingProxyType({c.event_type: c for c in sorted(made, key=lambda c: c.event_type)}),
        MappingProxyType({t.key: t for t in teams}),
        digest="0" * 64,
    )


def exposure(*dimensions: str, **changes: object) -> Exposure:
    """An exposure that maps everything and watches these dimensions."""
    base = Exposure(
        name="events",
        connection=Secret("duckdb://"),
        table="events",
        columns=Columns(event_id="event_id"),
        dimensions=tuple(Dimension(d, d) for d in dimensions),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def view_of(
    rows: Iterable[Row] | Table,
    known: Catalog | None = None,
    *,
    now: datetime = NOW,
    table: Exposure | None = None,
    measured_from: datetime | None = None,
    ledger: Ledger | None = None,
    **changes: object,
) -> ExposureView:
    """The view at ``now``: rows loaded later do not exist. Further fields of the view by name.

    Dimensions watched are those of ``table``, or else every one that a row has. ``ledger`` adds what
    is remembered from before the rows.
    """
    listed = rows if isinstance(rows, Table) else Table.of(rows)
    listed = listed.where(listed.loaded <= now.timestamp())
    if table is None:
        table = exposure(*listed.values)
    if measured_from is None:
        first = int(listed.loaded.min()) if len(listed.loaded) else int(now.timestamp()) - 86400
        measured_from = datetime.fromtimestamp(first // HOUR * HOUR, UTC)
    listed = listed.where(listed.loaded >= measured_from.timestamp())
    bad = np.array([bool(b) for b in listed.bad or [""] * len(listed.rows)], dtype=np.bool_)
    good, wrong = listed.where(~bad), listed.where(bad)
    watched = [d.name for d in table.dimensions if d.name in good.values]
    series = _cells(good, "", [""] * len(good.rows), fine_from=_fine_from(now))
    cuts = _joined([_cells(good, d, good.values[d], coarse=True) for d in watched])
    made = ExposureView(
        exposure=table,
        now=now,
        catalog=known if known is not None else catalog(),
        rows=series,
        cuts=cuts,
        delays=_cells(good, DELAY, _delay_bins(good), coarse=True, by_load=True),
        duplicates=_repeated(good),
        bad_times=_cells(wrong, TIME, list(wrong.bad or []), coarse=True, by_load=True),
        ledger=_merged(ledger or {}, _ledger(series), _ledger(cuts)),
        measured_from=measured_from,
        watching_since=measured_from,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _seconds(at: datetime | float) -> int:
    return int(at.timestamp() if isinstance(at, datetime) else at)


def _fine_from(now: datetime) -> int:
    return int((now - FINE_SPAN).timestamp()) // HOUR * HOUR


def _delay_bins(table: Table) -> list[str]:
    delay = np.maximum(table.loaded - table.occurred, 0)
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log2(np.maximum(delay, 1))).astype(np.int64) + 1
    bins = np.where(delay < 1, 0, np.minimum(exponent, DELAY_BINS - 1))
    return [str(b) for b in bins]


def _repeated(table: Table) -> Cells:
    if table.repeated is None:
        return Cells.empty()
    some = table.where(table.repeated > 0)
    counted = replace(some, rows=some.repeated if some.repeated is not None else some.rows)
    return _cells(counted, DUPLICATE, [""] * len(counted.rows), coarse=True, by_load=True)


def _cells(
    table: Table,
    dimension: str,
    values: Sequence[str | None],
    *,
    fine_from: int | None = None,
    coarse: bool = False,
    by_load: bool = False,
) -> Cells:
    """Cells of one set. Coarse ones merge all loads of an occurred hour, as the history does."""
    if not len(table.rows):
        return Cells.empty()
    place: dict[SeriesKey, int] = {}
    series = np.array(
        [
            place.setdefault(SeriesKey(t, dimension, NULL_VALUE if v is None else v), len(place))
            for t, v in zip(table.event_type, values, strict=True)
        ],
        dtype=np.int64,
    )
    loaded = table.loaded // HOUR * HOUR
    occurred = table.occurred // HOUR * HOUR
    if fine_from is not None:
        late = table.loaded >= fine_from
        loaded = np.where(late, table.loaded // FINE * FINE, loaded)
        near = late & (table.occurred >= fine_from)
        occurred = np.where(near, table.occurred // FINE * FINE, occurred)
    if by_load:
        occurred = loaded
    key = occurred if coarse and not by_load else loaded
    order = np.lexsort((key, occurred, series))
    sorted_keys = np.stack([series[order], occurred[order], key[order]])
    begins = np.flatnonzero(
        np.concatenate(([True], (np.diff(sorted_keys, axis=1) != 0).any(axis=0)))
    )
    return Cells(
        keys=tuple(place),
        series=series[order][begins].astype(np.int32),
        occurred=occurred[order][begins],
        loaded=np.maximum.reduceat(loaded[order], begins),
        rows=np.add.reduceat(table.rows[order], begins),
        first_loaded=np.minimum.reduceat(table.loaded[order], begins),
        last_loaded=np.maximum.reduceat(table.loaded[order], begins),
    )


def _joined(parts: Sequence[Cells]) -> Cells:
    if not parts:
        return Cells.empty()
    shifts = np.cumsum([0, *(len(p.keys) for p in parts[:-1])])
    return Cells(
        keys=tuple(key for p in parts for key in p.keys),
        series=np.concatenate([p.series + s for p, s in zip(parts, shifts, strict=True)]).astype(
            np.int32
        ),
        occurred=np.concatenate([p.occurred for p in parts]),
        loaded=np.concatenate([p.loaded for p in parts]),
        rows=np.concatenate([p.rows for p in parts]),
        first_loaded=np.concatenate([p.first_loaded for p in parts]),
        last_loaded=np.concatenate([p.last_loaded for p in parts]),
    )


def _ledger(cells: Cells) -> dict[SeriesKey, Seen]:
    size = len(cells.keys)
    first = np.full(size, np.iinfo(np.int64).max)
    last = np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, cells.series, cells.first_loaded)
    np.maximum.at(last, cells.series, cells.last_loaded)
    return {
        key: Seen(datetime.fromtimestamp(int(a), UTC), datetime.fromtimestamp(int(b), UTC))
        for key, a, b in zip(cells.keys, first, last, strict=True)
        if a <= b
    }


def _merged(*ledgers: Ledger) -> dict[SeriesKey, Seen]:
    merged: dict[SeriesKey, Seen] = {}
    for ledger in ledgers:
        for key, seen in ledger.items():
            old = merged.get(key, seen)
            merged[key] = Seen(min(old.first_at, seen.first_at), max(old.last_at, seen.last_at))
    return merged
