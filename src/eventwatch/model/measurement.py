"""What a scan measures: additive counts, and the sets ("dimensions") they come in.

A *cell* is the number of rows of one series that occurred in one bucket and were loaded in one
bucket. A *series* is an event type, or an event type × a value of one dimension (never dimensions
crossed). Beside the watched dimensions there are three virtual ones, so that all counts share one
schema, one file and one rule ("the loaded-buckets that were read are replaced whole"):

========== ===================================== ==================== =======================
dimension  value                                 occurred bucket      loaded bucket
========== ===================================== ==================== =======================
``""``     ``""`` (the event type as a whole)    FINE or HOUR         FINE or HOUR
a watched  the value; OTHER; NULL_VALUE          HOUR                 HOUR
``@delay`` log2 bin of loaded − occurred         equal to loaded      HOUR
``@dup``   ``""``: rows whose id came before     equal to loaded      HOUR
``@time``  ``null_occurred``, ``future``, ``old``  equal to loaded    HOUR
========== ===================================== ==================== =======================

Rows under ``@time`` have no usable occurred time and are in no other set. All buckets are named by
their start in epoch seconds (int64, UTC) and aligned to their own width.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eventwatch.model.durations import floor_to

FINE = 300
"""Seconds of a fine bucket."""
HOUR = 3600
"""Seconds of a coarse bucket."""
FINE_SPAN = timedelta(hours=48)
"""How far back from now buckets are fine."""
DELAY = "@delay"
DUPLICATE = "@dup"
TIME = "@time"
OTHER = "@other"
"""Value that stands for all values beyond a dimension's cap."""
NULL_VALUE = "@null"
"""Value that stands for SQL null in a dimension."""
DELAY_BINS = 32
"""Bin 0 holds delays under 1 s (and negative ones); bin k ≥ 1 holds [2**((k-1)/1), 2**k) seconds,
the last one everything longer."""

CELL_SCHEMA = pa.schema(
    [
        # null: the exposure's type column is null. An empty type is the empty string.
        pa.field("event_type", pa.dictionary(pa.int32(), pa.string())),
        pa.field("dimension", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("value", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("occurred", pa.int64(), nullable=False),
        pa.field("loaded", pa.int64(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        # Exact epoch seconds (floor) of the first and last load in the cell.
        pa.field("first_loaded", pa.int64(), nullable=False),
        pa.field("last_loaded", pa.int64(), nullable=False),
    ]
)

IntArray = NDArray[np.int64]


class SeriesKey(NamedTuple):
    """Names one series. A tuple: thousands are made, hashed and compared in each cycle."""

    event_type: str | None
    """None: rows whose type is null."""
    dimension: str = ""
    value: str = ""


@dataclass(frozen=True)
class Cells:
    """Cells of one or more dimensions, as parallel arrays of length N.

    ``keys`` has length S; ``series`` indexes it. All other arrays are int64 of length N; times are
    epoch seconds. Arrays are read-only by agreement. No order is promised.
    """

    keys: tuple[SeriesKey, ...]
    series: NDArray[np.int32]
    occurred: IntArray
    loaded: IntArray
    rows: IntArray
    first_loaded: IntArray
    last_loaded: IntArray

    @cached_property
    def runs(self) -> IntArray:
        """Where consecutive cells of one series begin; few, since the history keeps them in order."""
        new = np.ones(len(self.series), dtype=np.bool_)
        np.not_equal(self.series[1:], self.series[:-1], out=new[1:])
        return np.flatnonzero(new).astype(np.int64)

    @cached_property
    def occurred_hour(self) -> IntArray:
        """[N] hours since 1970."""
        return self.occurred // HOUR

    @cached_property
    def loaded_hour(self) -> IntArray:
        """[N] hours since 1970."""
        return self.loaded // HOUR

    def least(self, values: IntArray, none: int) -> IntArray:
        """[S] the least of ``values`` [N] of each series; ``none`` where it has no cell."""
        found = np.full(len(self.keys), np.iinfo(np.int64).max)
        if len(self.series):
            of_runs = np.minimum.reduceat(values, self.runs)
            np.minimum.at(found, self.series[self.runs], of_runs)
        return np.where(self.cell_count > 0, found, none)

    def most(self, values: IntArray, none: int) -> IntArray:
        """[S] the largest of ``values`` [N] of each series; ``none`` where it has no cell."""
        found = np.full(len(self.keys), np.iinfo(np.int64).min)
        if len(self.series):
            of_runs = np.maximum.reduceat(values, self.runs)
            np.maximum.at(found, self.series[self.runs], of_runs)
        return np.where(self.cell_count > 0, found, none)

    @cached_property
    def memo(self) -> dict[Hashable, Any]:
        """What was worked out of these cells, by what it is and what else it rests on: two checks of
        one cycle often ask the same of a million cells."""
        return {}

    @cached_property
    def cell_count(self) -> IntArray:
        """[S]."""
        ends = np.append(self.runs[1:], len(self.series))
        found = np.bincount(
            self.series[self.runs], weights=ends - self.runs, minlength=len(self.keys)
        )
        return found.astype(np.int64)

    @cached_property
    def row_count(self) -> IntArray:
        """[S]."""
        found = np.zeros(len(self.keys), dtype=np.int64)
        if len(self.series):
            np.add.at(found, self.series[self.runs], np.add.reduceat(self.rows, self.runs))
        return found

    def places(self, series: int) -> IntArray:
        """Where the cells of one series are, in their order."""
        order, begins = self._runs_by_series
        mine = np.sort(order[begins[series] : begins[series + 1]])
        ends = np.append(self.runs, len(self.series))[mine + 1]
        spans = [np.arange(a, b) for a, b in zip(self.runs[mine], ends, strict=True)]
        return np.concatenate(spans) if spans else np.empty(0, dtype=np.int64)

    @cached_property
    def _runs_by_series(self) -> tuple[IntArray, IntArray]:
        of_run = self.series[self.runs]
        order = np.argsort(of_run, kind="stable")
        begins = np.searchsorted(of_run[order], np.arange(len(self.keys) + 1))
        return order.astype(np.int64), begins.astype(np.int64)

    @staticmethod
    def empty() -> Cells:
        """No cells."""
        none = np.empty(0, dtype=np.int64)
        return Cells((), np.empty(0, dtype=np.int32), none, none, none, none, none)

    def where(self, mask: NDArray[np.bool_]) -> Cells:
        """The cells that a boolean mask of length N keeps; keys stay as they are."""
        return Cells(
            self.keys,
            self.series[mask],
            self.occurred[mask],
            self.loaded[mask],
            self.rows[mask],
            self.first_loaded[mask],
            self.last_loaded[mask],
        )

    def as_of(self, at: datetime) -> Cells:
        """Cells whose first row was loaded at or before ``at``: what was there to be seen then.

        Exact when ``at`` falls on the end of a loaded bucket of every cell; otherwise cells that
        span ``at`` are kept whole.
        """
        seconds = int(at.timestamp())
        seen = self.where(self.first_loaded <= seconds)
        return replace(seen, last_loaded=np.minimum(seen.last_loaded, seconds))


@dataclass(frozen=True)
class ScanRequest:
    """What one scan has to read. Every ``*_from`` is an aware UTC instant aligned to its bucket."""

    now: datetime
    rows_from: datetime
    """First loaded bucket of the ``""`` set (FINE-aligned from ``fine_from`` on, else HOUR)."""
    cuts_from: datetime
    """First loaded hour of the watched dimensions."""
    delays_from: datetime
    """First loaded hour of ``@delay``."""
    fine_from: datetime
    """Loaded at or after: FINE buckets (occurred ones too, where they are not older than it);
    before: HOUR. Aligned to an hour."""
    oldest_occurred: datetime
    """Occurred before: counted under ``@time`` as ``old``."""
    duplicates_from: datetime | None
    """First loaded hour in which repeated ids are counted; None: not at all."""
    duplicates_window: timedelta = timedelta(hours=1)
    """An id is repeated when the same type and id was loaded at most this long before."""
    as_of: bool = False
    """True: an audit of a past instant, rows loaded after ``now`` do not exist. False: they are
    counted as future."""
    known_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Dimension → values already followed; they keep their places under the cap."""

    @property
    def times_from(self) -> datetime:
        """First loaded hour of ``@time``: as far back as the ``""`` set goes, so that both together
        hold every row that a recount counts."""
        return min(self.cuts_from, floor_to(self.rows_from, HOUR))


@dataclass(frozen=True)
class Scan:
    """What one scan found."""

    request: ScanRequest
    cells: pa.Table
    """Of CELL_SCHEMA, all sets together."""
    rows: int
    """Rows of the exposure counted in the ``""`` set and under ``@time``."""
    future_loaded: int
    """Rows whose load time is after ``now`` (a snapshot, not additive)."""
    null_loaded: int
    """Rows without a load time (a snapshot, not additive)."""
    statements: int
    """SQL statements that read the exposure."""
    elapsed: timedelta
    capped: tuple[str, ...] = ()
    """Dimensions that had more values than their cap."""


@dataclass(frozen=True)
class Recount:
    """Plain counts per event type and loaded day, to find what an incremental read cannot see."""

    days: tuple[int, ...]
    """Epoch seconds of the UTC days that were counted, whole days only."""
    rows: Mapping[tuple[int, str | None], int]
    """(day, event type) → rows; absent: none."""
    null_loaded: int = 0


@dataclass(frozen=True)
class Changed:
    """A loaded day whose rows are no longer those that were measured."""

    day: int
    event_type: str | None
    before: int
    after: int


@dataclass(frozen=True)
class HistoryNote:
    """What belongs to the measurements and not to the state: a rebuilt history starts without it."""

    recounted_on: date | None = None
    """UTC day of the last recount."""
    changed_at: datetime | None = None
    """When a recount last found changed days."""
    changed: tuple[Changed, ...] = ()
    """Those changes, told for a day."""
