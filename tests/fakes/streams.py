"""A table of several event types with a rhythm, counted as a scan and the history would count it, in
which things can go wrong: late, lost, repeated, backfilled, born, retired.

Made for tests of counts over weeks: rows are weights on bins (hours, and 5 minutes in the last three
days), not single rows, so that a view of 60 days takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import local_seconds
from eventwatch.model.contract import Catalog, Contract
from eventwatch.model.measurement import DUPLICATE, FINE, HOUR, Cells, SeriesKey
from eventwatch.model.settings import Columns, Exposure, Secret
from eventwatch.model.view import ExposureView, Seen

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

NOW = datetime(2026, 9, 16, 14, 20, tzinfo=UTC)
"""A Wednesday."""
RATES: Mapping[str, float] = {
    f"type_{i}": rate for i, rate in enumerate((1000, 400, 250, 120, 60, 40, 25, 15))
}
"""Rows per hour."""
DELAYS = ((60, 0.6), (240, 0.3), (900, 0.1))
"""Seconds, part of the rows."""
UTC_ZONE = ZoneInfo("UTC")

Change = Callable[[IntArray], FloatArray]
"""Instants (epoch seconds of bins) → factor on the rate."""


def during(start: datetime, end: datetime, factor: float) -> Change:
    """A factor from one instant to another, 1 elsewhere."""

    def change(at: IntArray) -> FloatArray:
        inside = (at >= start.timestamp()) & (at < end.timestamp())
        return np.where(inside, factor, 1.0)

    return change


def product(*changes: Change) -> Change:
    """All of them."""

    def change(at: IntArray) -> FloatArray:
        factor = np.ones(len(at))
        for each in changes:
            factor = factor * each(at)
        return factor

    return change


def office(at: IntArray, zone: ZoneInfo) -> FloatArray:
    """A working day that begins and ends sharply by the clock on the wall, and quiet weekends."""
    local = local_seconds(at, zone)
    hour = local % 86400 / HOUR
    day = 0.15 + 1.6 * np.exp(-(((hour - 13.0) / 4.0) ** 4))
    return np.asarray(day * np.where((local // 86400 + 3) % 7 >= 5, 0.5, 1.0), dtype=np.float64)


@dataclass(frozen=True)
class Rows:
    """Counted rows as parallel arrays: which event type, when they occurred and were loaded (exact
    epoch seconds), how many, and how many of them repeat an id."""

    series: IntArray
    occurred: IntArray
    loaded: IntArray
    rows: IntArray
    repeated: IntArray

    @staticmethod
    def of(parts: Iterable[tuple[int, IntArray, IntArray, IntArray]]) -> Rows:
        """From (series, occurred, loaded, rows)."""
        listed = list(parts)
        return Rows(
            np.concatenate([np.full(len(p[1]), p[0]) for p in listed]).astype(np.int64),
            np.concatenate([p[1] for p in listed]),
            np.concatenate([p[2] for p in listed]),
            np.concatenate([p[3] for p in listed]),
            np.zeros(sum(len(p[1]) for p in listed), dtype=np.int64),
        )

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        """Those that a mask keeps."""
        return Rows(*(getattr(self, n)[mask] for n in self.__dataclass_fields__))

    def and_(self, other: Rows) -> Rows:
        """Both."""
        return Rows(
            *(
                np.concatenate([getattr(self, n), getattr(other, n)])
                for n in self.__dataclass_fields__
            )
        )

    def occurred_in(self, start: datetime, end: datetime) -> NDArray[np.bool_]:
        """Mask."""
        inside = (self.occurred >= start.timestamp()) & (self.occurred < end.timestamp())
        return np.asarray(inside, dtype=np.bool_)

    def loaded_in(self, start: datetime, end: datetime) -> NDArray[np.bool_]:
        """Mask."""
        inside = (self.loaded >= start.timestamp()) & (self.loaded < end.timestamp())
        return np.asarray(inside, dtype=np.bool_)

    def scaled(self, mask: NDArray[np.bool_], factor: float) -> Rows:
        """So many times the rows where the mask says; nothing else changes, chance included."""
        return replace(
            self, rows=np.where(mask, np.rint(self.rows * factor), self.rows).astype(np.int64)
        ).where(~mask | (factor > 0))

    def again(self) -> Rows:
        """The same rows once more, each repeating an id."""
        return replace(self, repeated=self.rows.copy())

    def of_series(self, series: int) -> NDArray[np.bool_]:
        """Mask."""
        return np.asarray(self.series == series, dtype=np.bool_)

    def loaded_at(self, at: datetime) -> Rows:
        """The same rows, loaded at one instant."""
        return replace(self, loaded=np.full_like(self.loaded, int(at.timestamp())))


@dataclass(frozen=True)
class Table:
    """A table over some days up to ``now``."""

    rates: Mapping[str, float] = field(default_factory=lambda: dict(RATES))
    now: datetime = NOW
    days: int = 40
    zone: ZoneInfo = UTC_ZONE
    changes: Mapping[str, Change] = field(default_factory=dict)
    """By event type; ``*``: all of them."""
    born: Mapping[str, datetime] = field(default_factory=dict)
    seed: int = 5
    spread: float = 0.01
    """Relative variance of each hour beyond chance."""

    @property
    def names(self) -> tuple[str, ...]:
        """Event types, in the order of the series."""
        return tuple(self.rates)

    @property
    def start(self) -> int:
        """Epoch seconds of the first bin."""
        return (int(self.now.timestamp()) - self.days * 86400) // 86400 * 86400

    def rows(self) -> Rows:
        """What is loaded by ``now``."""
        rng = np.random.default_rng(self.seed)
        at = int(self.now.timestamp())
        fine_from = (at - 72 * HOUR) // HOUR * HOUR
        every = np.arange(self.start, at, FINE, dtype=np.int64)
        bins = np.where(every < fine_from, every // HOUR * HOUR, every)
        bins, place = np.unique(bins, return_inverse=True)
        hour = np.unique(bins // HOUR, return_inverse=True)[1]
        season = office(every, self.zone) * FINE / HOUR
        parts = []
        for s, (name, rate) in enumerate(self.rates.items()):
            mean: FloatArray = rate * season
            for key in ("*", name):
                if key in self.changes:
                    mean = mean * self.changes[key](every)
            if name in self.born:
                mean = np.where(every < self.born[name].timestamp(), 0.0, mean)
            mean = np.bincount(place, weights=mean).astype(np.float64)
            shape = 1.0 / self.spread
            mean = mean * rng.gamma(shape, 1.0 / shape, int(hour.max()) + 1)[hour]
            for delay, part in DELAYS:
                counts = rng.poisson(mean * part).astype(np.int64)
                some = counts > 0
                parts.append((s, bins[some], bins[some] + delay, counts[some]))
        made = Rows.of(parts)
        return made.where(made.loaded <= at)

    def view(self, rows: Rows | None = None, **changes: object) -> ExposureView:
        """The view at ``now``; further fields by name."""
        rows = self.rows() if rows is None else rows
        rows = rows.where(rows.loaded <= int(self.now.timestamp()))
        begin = datetime.fromtimestamp(self.start, UTC)
        ledger = {}
        for s, name in enumerate(self.names):
            mine = rows.loaded[rows.series == s]
            if len(mine):
                first = self.born.get(name, begin - timedelta(days=100))
                last = datetime.fromtimestamp(int(mine.max()), UTC)
                ledger[SeriesKey(name)] = Seen(min(first, last), last)
        view = ExposureView(
            exposure=Exposure(
                "events",
                Secret("duckdb://"),
                columns=Columns(event_id="event_id"),
                time_zone=self.zone,
            ),
            now=self.now,
            catalog=Catalog({}, {}, "digest"),
            rows=self._cells(rows),
            cuts=Cells.empty(),
            delays=Cells.empty(),
            duplicates=self._duplicates(rows),
            bad_times=Cells.empty(),
            ledger=ledger,
            measured_from=begin,
            watching_since=begin,
        )
        return replace(view, **changes)  # type: ignore[arg-type]

    def _cells(self, rows: Rows) -> Cells:
        """Fine in the last 48 hours, hours before."""
        fine_from = (int(self.now.timestamp()) - 48 * HOUR) // HOUR * HOUR
        late = rows.loaded >= fine_from
        near = late & (rows.occurred >= fine_from)
        return _cells(
            tuple(SeriesKey(name) for name in self.names),
            rows.series,
            np.where(near, rows.occurred // FINE * FINE, rows.occurred // HOUR * HOUR),
            np.where(late, rows.loaded // FINE * FINE, rows.loaded // HOUR * HOUR),
            rows.rows,
            rows.loaded,
        )

    def _duplicates(self, rows: Rows) -> Cells:
        some = rows.where(rows.repeated > 0)
        hour = some.loaded // HOUR * HOUR
        keys = tuple(SeriesKey(name, DUPLICATE) for name in self.names)
        return _cells(keys, some.series, hour, hour, some.repeated, some.loaded)


def _cells(  # noqa: PLR0917 - the parallel arrays of one table
    keys: tuple[SeriesKey, ...],
    series: IntArray,
    occurred: IntArray,
    loaded: IntArray,
    rows: IntArray,
    exact: IntArray,
) -> Cells:
    if not len(series):
        return Cells.empty()
    order = np.lexsort((exact, loaded, occurred, series))
    key = np.stack([series, occurred, loaded])[:, order]
    first = np.flatnonzero(np.r_[True, (np.diff(key, axis=1) != 0).any(axis=0)])
    return Cells(
        keys,
        series[order][first].astype(np.int32),
        occurred[order][first],
        loaded[order][first],
        np.add.reduceat(rows[order], first),
        np.minimum.reduceat(exact[order], first),
        np.maximum.reduceat(exact[order], first),
    )


def catalog_of(*contracts: Contract) -> Catalog:
    """A catalog of these contracts."""
    return Catalog({c.event_type: c for c in contracts}, {}, "digest")
