"""The exposure as it was to be seen at each instant of one UTC day.

All cycles of a day share their look-back, so what lies before the day is put together once; each
instant then adds the loads that had come by then. Instants are asked for in their order, and a view
is good until the next one is made: they share memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.backtest.recording import COLUMNS, Recording
from eventwatch.backtest.span import DAY
from eventwatch.model.contract import Catalog
from eventwatch.model.durations import floor_to, from_epoch
from eventwatch.model.holiday import Holiday
from eventwatch.model.label import Label
from eventwatch.model.measurement import FINE_SPAN, Cells, IntArray, SeriesKey
from eventwatch.model.settings import Exposure
from eventwatch.model.view import ExposureView, Ledger, Seen
from eventwatch.pipeline import plan
from eventwatch.pipeline.measure import RECENT

YOUNG_DAYS = int(FINE_SPAN.total_seconds()) // DAY
"""Whole days before today that are still as they were loaded."""


@dataclass(frozen=True)
class Scene:
    """What stays the same in all views of a replay."""

    exposure: Exposure
    catalog: Catalog
    first_at: datetime
    """The first cycle: since then the replayed daemon watches."""
    holidays: tuple[Holiday, ...] = ()
    """Of the exposure's places, over the span and the look-back before it."""
    labels: tuple[Label, ...] = ()
    """What people said of the exposure; each counts from when it was given."""

    def holidays_at(self, at: datetime) -> tuple[Holiday, ...]:
        """Those that a cycle at this instant is given: of the look-back, and two days around it."""
        near = timedelta(days=2)
        first = (plan.look_back_start(self.exposure, at) - near).date()
        last = (at + near).date()
        return tuple(each for each in self.holidays if first <= each.day <= last)

    def labels_at(self, at: datetime) -> tuple[Label, ...]:
        """Those that were known by then."""
        return tuple(label for label in self.labels if label.known_at(at))


class PastDay:
    """Views of one exposure within one UTC day."""

    def __init__(self, scene: Scene, recording: Recording, day: datetime) -> None:
        self.scene, self.recording = scene, recording
        self.day = int(day.timestamp()) // DAY * DAY
        exposure = scene.exposure
        self.start = plan.look_back_start(exposure, from_epoch(self.day))
        starts = {
            "rows": self.start,
            "cuts": plan.cuts_start(exposure, from_epoch(self.day)),
        }
        lately = from_epoch(self.day) - max(RECENT, 28 * exposure.bucket)
        recent = max(self.start, floor_to(lately, DAY))
        self._sets = {
            name: _Growing(recording, name, starts.get(name, recent), self.day)
            for name in recording.keys
        }
        self._ledgers = [_Arrivals(recording, name, self.day) for name in ("rows", "cuts")]

    def view(self, at: datetime) -> ExposureView:
        """What a cycle at this instant of the day had before it."""
        seconds = int(at.timestamp())
        found = {name: growing.until(seconds) for name, growing in self._sets.items()}
        ledger: dict[SeriesKey, Seen] = {}
        for arrivals in self._ledgers:
            ledger.update(arrivals.until(seconds))
        return ExposureView(
            exposure=self.scene.exposure,
            now=at,
            catalog=self.scene.catalog,
            rows=found["rows"],
            cuts=found["cuts"],
            delays=found["delays"],
            duplicates=found["duplicates"],
            bad_times=found["times"],
            ledger=ledger,
            measured_from=self.start,
            watching_since=min(self.scene.first_at, self.start),
            null_loaded=self.recording.null_loaded,
            capped=self.recording.capped,
            holidays=self.scene.holidays_at(at),
            labels=self.scene.labels_at(at),
        )


class _Growing:
    """One set: the days before as they stand, and today up to an instant."""

    def __init__(self, recording: Recording, name: str, start: datetime, day: int) -> None:
        first, today = recording.place(int(start.timestamp())), recording.place(day)
        youngest = max(first, today - YOUNG_DAYS) if name == "rows" else today
        parts = [
            recording.old[name].part(first, youngest),
            recording.young[name].part(youngest, today),
        ]
        self._merge = name == "cuts"
        now = _order(recording.young[name].part(today, min(today + 1, recording.day_count)))
        # By series, as the history keeps them: then its runs are few, and asking for one is cheap.
        order = np.lexsort((now["occurred"], now["series"]))
        self._now = {column: array[order] for column, array in now.items()}
        self._size = sum(len(part["rows"]) for part in parts)
        before = np.concatenate([part["series"] for part in parts])
        order = np.argsort(before, kind="stable")
        self._all: dict[str, NDArray[Any]] = {}
        for column in COLUMNS:
            array = self._now[column]
            both = np.empty(self._size + len(array), dtype=array.dtype)
            np.take(
                np.concatenate([part[column] for part in parts], dtype=array.dtype),
                order,
                out=both[: self._size],
            )
            both[self._size :] = array
            self._all[column] = both
        self._number(recording.keys[name])

    def _number(self, keys: tuple[SeriesKey, ...]) -> None:
        """Places for the series that are there: those from before, then today's as they arrive."""
        before = np.unique(self._all["series"][: self._size])
        came = np.full(len(keys), np.iinfo(np.int64).max)
        now = self._now
        np.minimum.at(came, now["series"], np.minimum(now["last_loaded"], now["first_loaded"] + 1))
        came[before] = np.iinfo(np.int64).max
        new = np.flatnonzero(came < np.iinfo(np.int64).max)
        new = new[np.argsort(came[new], kind="stable")]
        numbers = np.concatenate([before, new])
        self._known, self._came = len(before), came[new]
        self._keys = tuple(keys[number] for number in numbers.tolist())
        places = np.zeros(max(len(keys), 1), dtype=np.int32)
        places[numbers] = np.arange(len(numbers), dtype=np.int32)
        self._all["series"] = places[self._all["series"]]
        self._now["series"] = self._all["series"][self._size :].astype(np.int64)

    def until(self, at: int) -> Cells:
        """The cells that were there at ``at`` (epoch seconds)."""
        part = self._part(at)
        size = self._size + len(part["rows"])
        for column in COLUMNS:
            self._all[column][self._size : size] = part[column]
        keys = self._keys[: self._known + int(np.searchsorted(self._came, at, side="right"))]
        series, *columns = (self._all[column][:size] for column in COLUMNS)
        return Cells(keys, series.astype(np.int32, copy=False), *columns)

    def _part(self, at: int) -> dict[str, NDArray[np.int64]]:
        now = self._now
        done = now["last_loaded"] <= at
        # A bucket of an hour that is not over yet: as many of its rows as its time has passed.
        running = ~done & (now["first_loaded"] < at)
        kept = done | running
        part = {column: array[kept] for column, array in now.items()}
        if running.any():
            length = part["last_loaded"] - part["first_loaded"]
            share = np.minimum((at - part["first_loaded"]) / np.maximum(length, 1), 1.0)
            part["rows"] = np.maximum(np.round(part["rows"] * share), 1).astype(np.int64)
            part["last_loaded"] = np.minimum(part["last_loaded"], at)
        return _merged(part) if self._merge else part


def _order(part: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    kinds = {"series": np.int32}
    return {name: array.astype(kinds.get(name, np.int64)) for name, array in part.items()}


def _merged(part: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """One cell per series and occurred bucket, of cells sorted by both."""
    if not len(part["rows"]):
        return part
    new = np.ones(len(part["rows"]), dtype=np.bool_)
    new[1:] = (np.diff(part["series"]) != 0) | (np.diff(part["occurred"]) != 0)
    starts = np.flatnonzero(new)
    return {
        "series": part["series"][starts],
        "occurred": part["occurred"][starts],
        "loaded": np.maximum.reduceat(part["loaded"], starts),
        "rows": np.add.reduceat(part["rows"], starts),
        "first_loaded": np.minimum.reduceat(part["first_loaded"], starts),
        "last_loaded": np.maximum.reduceat(part["last_loaded"], starts),
    }


class _Arrivals:
    """First and last arrival of every series of a set, from the beginning of the recording on: what
    the daemon's ledger remembers."""

    def __init__(self, recording: Recording, name: str, day: int) -> None:
        keys = recording.keys[name]
        today = recording.place(day)
        before = recording.old[name].part(0, today)
        first = np.full(len(keys), np.iinfo(np.int64).max)
        last = np.full(len(keys), np.iinfo(np.int64).min)
        np.minimum.at(first, before["series"], before["first_loaded"])
        np.maximum.at(last, before["series"], before["last_loaded"])
        self._keys, self._first, self._last = keys, first, last
        now = _order(recording.young[name].part(today, min(today + 1, recording.day_count)))
        order = np.argsort(now["first_loaded"], kind="stable")
        self._now = {column: array[order] for column, array in now.items()}
        self._done = int(day)
        self._ledger: dict[SeriesKey, Seen] = {}
        self._write(np.flatnonzero(first <= last))

    def until(self, at: int) -> Ledger:
        """The ledger at an instant that is not before the one asked for last."""
        now = self._now
        changed = (now["first_loaded"] <= at) & (now["last_loaded"] >= self._done)
        series: IntArray = now["series"][changed].astype(np.int64)
        np.minimum.at(self._first, series, now["first_loaded"][changed])
        np.maximum.at(self._last, series, np.minimum(now["last_loaded"][changed], at))
        self._write(np.unique(series))
        self._done = at
        return self._ledger

    def _write(self, numbers: IntArray) -> None:
        first, last = self._first[numbers].tolist(), self._last[numbers].tolist()
        for number, began, ended in zip(numbers.tolist(), first, last, strict=True):
            seen = Seen(from_epoch(began), from_epoch(ended))
            self._ledger[self._keys[number]] = seen
