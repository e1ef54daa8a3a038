"""All that a replay may look at, read once: the cells of an exposure by loaded day.

Each set is kept the way the daemon's history would give it back: ``young`` days as they were loaded,
``old`` ones summed up (hours; for watched dimensions one load a day). A recording is written to a
folder once and mapped into memory by every process of a replay, so days cost memory only while they
are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.backtest.compact import by_arrival, coarse_when_old, hourly, merged
from eventwatch.backtest.span import DAY, Span
from eventwatch.model.durations import floor_to, from_epoch
from eventwatch.model.measurement import (
    DELAY,
    DUPLICATE,
    FINE_SPAN,
    TIME,
    Cells,
    ScanRequest,
    SeriesKey,
)
from eventwatch.model.settings import Exposure
from eventwatch.pipeline import plan
from eventwatch.ports.history import History

SETS = ("rows", "cuts", "delays", "duplicates", "times")
COLUMNS = ("series", "occurred", "loaded", "rows", "first_loaded", "last_loaded")
_OLD: dict[str, Callable[[Cells], Cells]] = {"rows": hourly, "cuts": merged}
"""How a day of the set is kept once it is over; the other sets stay as they are."""


def plan_recording(
    exposure: Exposure, span: Span, duplicates_over: timedelta | None
) -> ScanRequest:
    """What a daemon that began at the first cycle would have read until the last one, as one scan."""
    first = plan.plan_scan(
        exposure,
        span.first_at,
        None,
        known_values={},
        duplicates_over=duplicates_over,
        as_of=True,
    )
    return ScanRequest(
        now=span.last_at,
        rows_from=first.rows_from,
        cuts_from=first.cuts_from,
        delays_from=first.delays_from,
        fine_from=max(first.rows_from, floor_to(span.first_at - FINE_SPAN, DAY)),
        oldest_occurred=first.oldest_occurred,
        duplicates_from=first.duplicates_from,
        as_of=True,
    )


@dataclass(frozen=True)
class Days:
    """One set, day after day: parallel arrays sorted by day, and where each day begins."""

    columns: dict[str, NDArray[Any]]
    begins: NDArray[np.int64]
    """[D+1]."""

    def part(self, first: int, end: int) -> dict[str, NDArray[Any]]:
        """The columns of the days [first, end), by their places in the recording."""
        if first >= end:
            return {name: array[:0] for name, array in self.columns.items()}
        rows = slice(int(self.begins[first]), int(self.begins[end]))
        return {name: array[rows] for name, array in self.columns.items()}


@dataclass(frozen=True)
class Recording:
    """The cells of one exposure. ``series`` in them index ``keys`` of the set."""

    first_day: int
    """Epoch seconds of the first loaded UTC day."""
    day_count: int
    keys: dict[str, tuple[SeriesKey, ...]]
    young: dict[str, Days]
    """By last load within each day. Of days that no cycle sees young, empty."""
    old: dict[str, Days]
    rows_read: int = 0
    null_loaded: int = 0
    capped: tuple[str, ...] = ()

    def place(self, day: int) -> int:
        """Which of its days a day (epoch seconds) is, kept within [0, day_count]."""
        return min(max((day - self.first_day) // DAY, 0), self.day_count)

    @property
    def loaded_span(self) -> tuple[datetime, datetime] | None:
        """First and last load; None where nothing was loaded."""
        first = [d.columns["first_loaded"].min() for d in self._rows() if len(d.columns["rows"])]
        last = [d.columns["last_loaded"].max() for d in self._rows() if len(d.columns["rows"])]
        return (from_epoch(int(min(first))), from_epoch(int(max(last)))) if first else None

    def _rows(self) -> tuple[Days, Days]:
        return self.young["rows"], self.old["rows"]


def record(history: History, name: str, exposure: Exposure, request: ScanRequest) -> Recording:
    """From the history that holds the scan of this request, and nothing else. Raises StoreError."""
    first = int(request.times_from.timestamp()) // DAY * DAY
    days = list(range(first, int(request.now.timestamp()) + 1, DAY))
    young_from = int(request.fine_from.timestamp()) // DAY * DAY
    watched = tuple(d.name for d in exposure.dimensions)
    wanted = {
        "rows": ("",),
        "cuts": watched,
        "delays": (DELAY,),
        "duplicates": (DUPLICATE,),
        "times": (TIME,),
    }
    keys: dict[str, tuple[SeriesKey, ...]] = {}
    young: dict[str, Days] = {}
    old: dict[str, Days] = {}
    for part in SETS:
        book: dict[SeriesKey, int] = {}
        found: dict[str, list[Cells]] = {"young": [], "old": []}
        for day in days:
            cells = Cells.empty()
            if wanted[part]:
                begin = from_epoch(day)
                end = min(begin + timedelta(days=1), request.now + timedelta(seconds=1))
                cells = _numbered(history.cells(name, wanted[part], begin, end), book)
            if part == "rows":
                cells = coarse_when_old(cells)
            sum_up = _OLD.get(part)
            seen = by_arrival(cells)
            found["old"].append(seen if sum_up is None else by_arrival(sum_up(cells)))
            found["young"].append(seen if day >= young_from else Cells.empty())
        keys[part] = tuple(book)
        young[part], old[part] = _days(found["young"]), _days(found["old"])
    return Recording(first, len(days), keys, young, old)


def _numbered(cells: Cells, book: dict[SeriesKey, int]) -> Cells:
    """The cells with the numbers of the book, which grows by what is new."""
    for key in cells.keys:
        book.setdefault(key, len(book))
    numbers = np.array([book[key] for key in cells.keys], dtype=np.int32)
    series = numbers[cells.series] if len(numbers) else cells.series
    columns = [getattr(cells, name) for name in COLUMNS[1:]]
    return Cells(cells.keys, series, *columns)


def _days(parts: Sequence[Cells]) -> Days:
    sizes = [len(cells.series) for cells in parts]
    columns = {
        name: _small(np.concatenate([getattr(cells, name) for cells in parts])) for name in COLUMNS
    }
    return Days(columns, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Half as wide where all fits: epoch seconds do until 2106."""
    if array.dtype == np.int64 and (not len(array) or (array.min() >= 0 and array.max() < 2**32)):
        return array.astype(np.uint32)
    return array


def save(recording: Recording, folder: Path) -> None:
    """Writes it for ``opened``. Raises OSError."""
    for grain in ("young", "old"):
        for part, days in getattr(recording, grain).items():
            np.save(folder / f"{part}-{grain}-begins.npy", days.begins)
            for name, array in days.columns.items():
                np.save(folder / f"{part}-{grain}-{name}.npy", array)
    about = {
        "first_day": recording.first_day,
        "day_count": recording.day_count,
        "null_loaded": recording.null_loaded,
        "capped": recording.capped,
        "rows_read": recording.rows_read,
        "keys": {
            part: [[k.event_type, k.dimension, k.value] for k in keys]
            for part, keys in recording.keys.items()
        },
    }
    (folder / "recording.json").write_text(json.dumps(about), encoding="ascii")


def opened(folder: Path) -> Recording:
    """What ``save`` wrote, its arrays mapped and not read. Raises OSError."""
    about = json.loads((folder / "recording.json").read_text(encoding="ascii"))

    def days(part: str, grain: str) -> Days:
        def mapped(name: str) -> NDArray[Any]:
            return np.load(folder / f"{part}-{grain}-{name}.npy", mmap_mode="r")  # type: ignore[no-any-return]

        return Days({name: mapped(name) for name in COLUMNS}, np.asarray(mapped("begins")))

    return Recording(
        first_day=about["first_day"],
        day_count=about["day_count"],
        keys={
            part: tuple(SeriesKey(*names) for names in keys) for part, keys in about["keys"].items()
        },
        young={part: days(part, "young") for part in SETS},
        old={part: days(part, "old") for part in SETS},
        rows_read=about["rows_read"],
        null_loaded=about["null_loaded"],
        capped=tuple(about["capped"]),
    )
