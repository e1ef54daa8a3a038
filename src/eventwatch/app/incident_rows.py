"""The measurements of one exposure as a past cycle had them, out of the history, and what came since.

The history keeps loads by five minutes, those of cuts and everything older than two days by the hour.
A cell whose loads lie on both sides of the instant is divided as its first and last load make likely;
``straddling`` says how many rows that concerns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from eventwatch.app.house import House
from eventwatch.app.runs import holidays_of
from eventwatch.kinds.delays import bin_of
from eventwatch.model.durations import floor_to
from eventwatch.model.measurement import DELAY_BINS, FINE_SPAN, HOUR, Cells, IntArray, SeriesKey
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState
from eventwatch.model.view import ExposureView, Seen
from eventwatch.pipeline.measure import Job, as_seen_at, history_name, remembered
from eventwatch.pipeline.plan import DAY, look_back_start
from eventwatch.ports.history import History

USUAL = 0.99
"""Part of the rows that come within the usual delay."""


@dataclass(frozen=True)
class Then:
    """One exposure at one past instant."""

    view: ExposureView
    whole: ExposureView
    """The same before cells that span the instant were trimmed."""
    later: ExposureView | None
    """The same with the rows that came later than rows usually do, as if they had come in time; None:
    none did."""
    known_until: datetime
    """Up to here the history knows."""

    @property
    def coarse(self) -> bool:
        """Whether loads that the cycle had by five minutes are kept by the hour by now."""
        now = floor_to(self.known_until - FINE_SPAN, DAY)
        return now > floor_to(self.view.now - FINE_SPAN, DAY)

    @property
    def pruned(self) -> bool:
        """Whether a part of what the cycle looked back on is no longer there."""
        start = look_back_start(self.view.exposure, self.view.now)
        return self.view.measured_from > start + timedelta(days=1)

    def straddling(self, key: SeriesKey) -> int:
        """Rows of a series in cells that hold loads of before and after the instant."""
        cells, at = self._cells(self.whole, key), int(self.view.now.timestamp())
        spans = (cells.first_loaded <= at) & (cells.last_loaded > at) & _of(cells, key)
        return int(cells.rows[spans].sum())

    def came(self, key: SeriesKey, start: datetime, end: datetime) -> int:
        """Rows of a series that occurred in [start, end) and came later than they usually do."""
        if self.later is None:
            return 0
        return self._sum(self.later, key, start, end) - self._sum(self.view, key, start, end)

    def _sum(self, view: ExposureView, key: SeriesKey, start: datetime, end: datetime) -> int:
        cells = self._cells(view, key)
        inside = (cells.occurred >= start.timestamp()) & (cells.occurred < end.timestamp())
        return int(cells.rows[inside & _of(cells, key)].sum())

    @staticmethod
    def _cells(view: ExposureView, key: SeriesKey) -> Cells:
        return view.cuts if key.dimension else view.rows


def then(
    house: House, exposure: Exposure, state: ExposureState, history: History, at: datetime
) -> Then | str:
    """The exposure as of ``at``, or why it cannot be had. ``state``: as of ``at``, though its ledger
    may know more. Raises StoreError."""
    name = history_name(exposure)
    until = history.covered_until(name)
    if until is None:
        return "no measurements of it are kept here"
    if until < at:
        return f"measurements are kept up to {until:%Y-%m-%d %H:%M} UTC only"
    covered = history.covered_from(name)
    if covered is None or covered > at:
        return "measurements of then are not kept any more"
    job = Job(
        exposure=exposure,
        catalog=house.catalog,
        state=replace(state, ledger=_known_by(state, at)),
        now=at,
        as_of=False,
        duplicates_over=None,
        holidays=holidays_of(exposure, at),
    )
    whole = remembered(job, history)
    if whole is None:
        return "no measurements of it are kept here"
    changed_at = history.note(name).changed_at
    if changed_at is not None and changed_at > at:
        whole = replace(whole, changed=())
    view = as_seen_at(whole, at)
    rows = _evenly(whole.rows, at)
    view = replace(
        view,
        rows=rows,
        cuts=_divided(rows, whole.cuts, at),
        delays=_evenly(whole.delays, at),
        duplicates=_evenly(whole.duplicates, at),
        bad_times=_evenly(whole.bad_times, at),
    )
    return Then(view, whole, _in_time(view, history, until), until)


def _known_by(state: ExposureState, at: datetime) -> dict[SeriesKey, Seen]:
    """The ledger of then. When a series that came since had come last is not in it: the measurements
    say so, as far back as they go."""
    return {
        key: Seen(seen.first_at, seen.last_at if seen.last_at <= at else seen.first_at)
        for key, seen in state.ledger.items()
        if seen.first_at <= at
    }


def _evenly(cells: Cells, at: datetime) -> Cells:
    """The cells as of ``at``: of one that spans it, its first row, not its last, and of those between
    as many as if they had come at an even pace."""
    seconds = int(at.timestamp())
    seen = cells.where(cells.first_loaded <= seconds)
    width = np.maximum(seen.last_loaded - seen.first_loaded, 1)
    part = np.clip((seconds - seen.first_loaded) / width, 0.0, 1.0)
    spanning = 1 + np.round(np.maximum(seen.rows - 2, 0) * part).astype(np.int64)
    counts = np.where(seen.last_loaded > seconds, spanning, seen.rows)
    return replace(seen, rows=counts, last_loaded=np.minimum(seen.last_loaded, seconds))


def _divided(rows: Cells, cuts: Cells, at: datetime) -> Cells:
    """The cuts as of ``at``: rows of a cell that spans it are taken in the part in which the rows of
    its event type, which are kept by shorter buckets, had come by then."""
    seconds = int(at.timestamp())
    seen = cuts.where(cuts.first_loaded <= seconds)
    spans = seen.last_loaded > seconds
    if not spans.any():
        return seen
    day = seconds // DAY * DAY
    here = (seen.last_loaded >= day) & (seen.loaded >= day)
    types = {key.event_type: i for i, key in enumerate(rows.keys)}
    dimensions = {key.dimension: i for i, key in enumerate(seen.keys)}
    type_of = np.array([types.get(key.event_type, -1) for key in seen.keys])
    dimension_of = np.array([dimensions[key.dimension] for key in seen.keys])
    came: dict[tuple[int, int], int] = {}
    today = rows.loaded >= day
    for series, hour, count in zip(
        rows.series[today].tolist(),
        (rows.occurred[today] // HOUR * HOUR).tolist(),
        rows.rows[today].tolist(),
        strict=True,
    ):
        came[series, hour] = came.get((series, hour), 0) + count
    groups: dict[tuple[int, int, int], list[int]] = {}
    for place in np.flatnonzero(here).tolist():
        series = int(seen.series[place])
        name = (int(type_of[series]), int(dimension_of[series]), int(seen.occurred[place]))
        groups.setdefault(name, []).append(place)
    counts = seen.rows.copy()
    for (series, _, hour), members in groups.items():
        places = np.array(members)
        open_ones = places[spans[places]]
        if not len(open_ones):
            continue
        there = came.get((series, hour), 0) - int(seen.rows[places[~spans[places]]].sum())
        part = there / max(int(seen.rows[open_ones].sum()), 1)
        counts[open_ones] = np.round(seen.rows[open_ones] * min(max(part, 0.0), 1.0))
    kept = replace(seen, rows=counts, last_loaded=np.minimum(seen.last_loaded, seconds))
    return kept.where(counts > 0)


def _in_time(view: ExposureView, history: History, until: datetime) -> ExposureView | None:
    exposure, at = view.exposure, view.now
    if not exposure.has_load_time or until <= at:
        return None
    name, end = history_name(exposure), until + timedelta(seconds=1)
    usual = _usual_delay(view.delays)
    rows = _late(history.cells(name, ("",), at, end), at, usual)
    watched = tuple(each.name for each in exposure.dimensions)
    cuts = (
        _late(
            history.cells(name, watched, at, end), at, usual + int(exposure.bucket.total_seconds())
        )
        if watched
        else Cells.empty()
    )
    if not len(rows.series):
        return None
    return replace(view, rows=_joined(view.rows, rows), cuts=_joined(view.cuts, cuts))


def _usual_delay(delays: Cells) -> int:
    """Seconds within which nearly all rows come; the bins double, so it is rounded up to a power of
    two."""
    if not len(delays.rows):
        return 0
    counts = np.zeros(DELAY_BINS, dtype=np.int64)
    np.add.at(counts, bin_of(delays)[delays.series], delays.rows)
    sums = np.cumsum(counts)
    usual: int = 1 << int(np.searchsorted(sums, USUAL * sums[-1]))
    return usual


def _late(cells: Cells, at: datetime, usual: int) -> Cells:
    """Of what was loaded after ``at`` what should have been there by then, as if it had."""
    seconds = int(at.timestamp())
    late = cells.where((cells.first_loaded > seconds) & (cells.occurred < seconds - usual))
    came = late.occurred + np.minimum(late.first_loaded - late.occurred, usual)
    width = np.where(late.loaded % 3600 == 0, 3600, 300)
    return replace(late, loaded=came // width * width, first_loaded=came, last_loaded=came)


def _joined(one: Cells, other: Cells) -> Cells:
    if not len(other.series):
        return one
    keys = {key: i for i, key in enumerate(one.keys)}
    places = np.array([keys.setdefault(key, len(keys)) for key in other.keys], dtype=np.int32)

    def both(a: IntArray, b: IntArray) -> IntArray:
        return np.concatenate((a, b))

    return Cells(
        tuple(keys),
        np.concatenate((one.series, places[other.series])).astype(np.int32),
        both(one.occurred, other.occurred),
        both(one.loaded, other.loaded),
        both(one.rows, other.rows),
        both(one.first_loaded, other.first_loaded),
        both(one.last_loaded, other.last_loaded),
    )


def _of(cells: Cells, key: SeriesKey) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """[N] cells of a series; without an event type those of every one."""
    mine = [
        (key.event_type is None or each.event_type == key.event_type)
        and (each.dimension, each.value) == (key.dimension, key.value)
        for each in cells.keys
    ]
    if not mine:
        return np.zeros(len(cells.series), dtype=np.bool_)
    return np.asarray(np.array(mine, dtype=np.bool_)[cells.series])
