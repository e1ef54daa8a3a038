"""What the contract says outright: so many rows a day at least, so many at most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eventwatch.detect.calendar import DAY
from eventwatch.kinds.definition import Check
from eventwatch.kinds.results import Maker
from eventwatch.kinds.volume_panel import Grid, VolumePanel, grid_of
from eventwatch.kinds.volume_words import events, number, when
from eventwatch.model.contract import Contract, LifecycleState
from eventwatch.model.durations import from_epoch
from eventwatch.model.result import Amount, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

SETTLED = 0.99
"""A day is held against its floor when this part of it has arrived."""


def promises(
    view: ExposureView,
    make: Maker,
    check: Check,
    contract: Contract | None,
    *,
    panel: VolumePanel,
    column: int,
) -> Iterator[Result]:
    """``floor`` and ``ceiling`` where the contract sets one, by local days."""
    if contract is None or contract.state in (LifecycleState.DRAFT, LifecycleState.RETIRED):
        return
    if contract.min_per_day is None and contract.max_per_day is None:
        return
    # From the day in which measuring began: what is over a ceiling already needs no whole day.
    start = int(view.measured_from.timestamp())
    days = grid_of(start - DAY + 1, panel.at, DAY, view.exposure.time_zone)
    counts, settled = _by_day(panel, days, column)
    if panel.grid.size < 2:
        counts = _young(view, days, column)
    whole = [
        d
        for d in range(days.size - 1)
        if settled[d] and np.isfinite(counts[d]) and days.edges[d] >= start
    ]
    if contract.min_per_day is not None:
        yield _floor(
            make, check, contract, days, counts=counts, whole=whole, least=contract.min_per_day
        )
    if contract.max_per_day is not None:
        yield _ceiling(
            make, check, contract, days, counts=counts, most=contract.max_per_day, at=panel.at
        )


def _young(
    view: ExposureView, days: Grid, column: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Rows of each day before the first whole bucket."""
    mine = view.rows.series == column
    place = days.place(view.rows.occurred[mine])
    inside = (place >= 0) & (place < days.size)
    return np.bincount(
        place[inside], weights=view.rows.rows[mine][inside], minlength=days.size
    ).astype(np.float64)


def _by_day(
    panel: VolumePanel, days: Grid, column: int
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.bool_]]
]:
    """Rows of each day (NaN: part of it was not measured) and whether all have arrived."""
    place = days.place(panel.grid.edges[:-1])
    inside = (place >= 0) & (place < days.size)
    counts = np.zeros(days.size)
    np.add.at(counts, place[inside], panel.counts[inside, column])
    waiting = np.zeros(days.size, dtype=bool)
    np.logical_or.at(waiting, place[inside], panel.share[inside, column] < SETTLED)
    return counts, ~waiting


def _floor(
    make: Maker,
    check: Check,
    contract: Contract,
    days: Grid,
    *,
    counts: np.ndarray[tuple[int], np.dtype[np.float64]],
    whole: list[int],
    least: int,
) -> Result:
    if not whole:
        return make.make(
            check,
            "floor",
            Status.LEARNING,
            "no whole day has been measured yet",
            event_type=contract.event_type,
            contract=contract,
        )
    day = whole[-1]
    fails = counts[day] < least
    first = day
    while first - 1 in whole and counts[first - 1] < least:
        first -= 1
    span = when(int(days.edges[day]), int(days.edges[day + 1]))
    return make.make(
        check,
        "floor",
        Status.FAIL if fails else Status.PASS,
        f"{events(counts[day])} {span}, the contract promises at least {number(least)} a day"
        if fails
        else "",
        event_type=contract.event_type,
        contract=contract,
        amount=Amount(
            "events",
            float(counts[day]),
            lower=float(least),
            start_at=from_epoch(days.edges[day]),
            end_at=from_epoch(days.edges[day + 1]),
        ),
        since=from_epoch(days.edges[first]) if fails else None,
        total=bool(fails and counts[day] == 0),
    )


def _ceiling(
    make: Maker,
    check: Check,
    contract: Contract,
    days: Grid,
    *,
    counts: np.ndarray[tuple[int], np.dtype[np.float64]],
    most: int,
    at: int,
) -> Result:
    """The running day may already be over it; else the day before still is until this one ends."""
    known = np.nan_to_num(counts)
    over = known > most
    last = days.size - 1
    day = last if over[last] or last == 0 else last - 1
    fails = bool(over[day])
    first = day
    while first > 0 and over[first - 1]:
        first -= 1
    end = min(int(days.edges[day + 1]), at)
    span = when(int(days.edges[day]), end)
    return make.make(
        check,
        "ceiling",
        Status.FAIL if fails else Status.PASS,
        f"{events(known[day])} {span}, the contract allows at most {number(most)} a day"
        if fails
        else "",
        event_type=contract.event_type,
        contract=contract,
        amount=Amount(
            "events",
            float(known[day]),
            upper=float(most),
            start_at=from_epoch(days.edges[day]),
            end_at=from_epoch(end),
        ),
        since=from_epoch(days.edges[first]) if fails else None,
    )
