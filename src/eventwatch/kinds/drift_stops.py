"""Which values stopped while the others of their group went on.

The group (an event type, or the exposure) is the clock: a value is missing only while its siblings
come, so a silent table or night says nothing. Two chances must be tiny: by rows (its share of the
rows since) and by hours (one burst of a thousand rows is one hour). Two must be small: by its own past
pauses counted in hours in which the group had rows, and counted in loads (a platform that is loaded
once a day is not missing in the afternoon).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.rate import gap_p_value, silence_p_value
from eventwatch.kinds.arrivals import NEVER, FloatArray, IntArray
from eventwatch.model.measurement import HOUR, Cells, SeriesKey

SHARE_DISPERSION = 0.1
"""Shares move less than rates do, but they move."""
PAUSES_AGREE = 1e-4
LOADS_AGREE = 1e-3
"""Pauses need only make it plausible: they are few, and guard against values that come in spells."""
MOST_WEIGHED = 2_000
"""Candidates looked at closely, those with the most rows expected first."""


@dataclass(frozen=True)
class Members:
    """Series sorted into members (a value within a group) and groups."""

    of_series: NDArray[np.int64]
    """[S] member of each series of the cells."""
    group: IntArray
    """[M] group of each member."""
    groups: int


@dataclass(frozen=True)
class Stop:
    """One value that had rows and has none in the settled hours since."""

    member: int
    p_value: float
    by_rows: float
    """The chance by rows alone."""
    by_time: float
    """The chance by its own past pauses on the wall clock alone."""
    share: float
    """Of the group's rows until it stopped."""
    expected: float
    """Rows it should have had since."""
    others: int
    """Rows of the group since."""
    before: int
    """Its rows until it stopped."""
    history_hours: int
    """Hours from its first to its last row."""
    last_loaded: int
    """Epoch seconds of the last load in its last hour."""
    hourly: IntArray
    """[H] its rows by occurred hour, up to the settled one."""


@dataclass(frozen=True)
class Sums:
    """What is cheap to know of every member at once, over H settled hours of occurrence."""

    start: int
    """First hour, in hours since 1970."""
    hours: int
    first: IntArray
    """[M] first and last hour with rows, relative to ``start``."""
    last: IntArray
    before: FloatArray
    """[M] rows of the member."""
    since: FloatArray
    """[M] rows of its group after its last hour."""
    group_rows: FloatArray
    """[M] rows of its group from its first to its last hour."""

    @property
    def share(self) -> FloatArray:
        """[M] of the group's rows while it lived."""
        return np.minimum(self.before / np.maximum(self.group_rows, 1.0), 1.0)


@dataclass(frozen=True)
class BySeries:
    """What the sums of any members are made of, added up once."""

    start: int
    """First hour, in hours since 1970."""
    first: IntArray
    """[S] first and last hour with rows, in hours since 1970."""
    last: IntArray
    rows: FloatArray
    """[S]."""
    hourly: FloatArray
    """[G, H] rows of each fine group in each settled hour of occurrence."""
    fine: IntArray
    """[S] fine group of each series."""

    @staticmethod
    def of(cells: Cells, fine: IntArray, groups: int, settled: int) -> BySeries:
        """``fine`` [S] is the finest grouping that is asked for. ``settled``: epoch hour; what
        occurred later may still be on its way."""
        occurred = cells.occurred_hour
        start = int(occurred.min()) if len(occurred) else settled
        # A row from years ago must not stretch the hours without end.
        start = max(min(start, settled), settled - 120 * 24)
        hours = settled - start
        # What lies outside falls into a column before and one behind.
        flat = occurred - (start - 1)
        np.clip(flat, 0, hours + 1, out=flat)
        flat += (fine * (hours + 2))[cells.series]
        totals = np.bincount(flat, weights=cells.rows, minlength=groups * (hours + 2))
        return BySeries(
            start=start,
            first=cells.least(occurred, np.iinfo(np.int64).max),
            last=cells.most(occurred, NEVER),
            rows=cells.row_count.astype(np.float64),
            hourly=totals.reshape(groups, hours + 2)[:, 1:-1].astype(np.float64),
            fine=fine,
        )


def sum_up(of: BySeries, members: Members) -> Sums:
    """Sums of every member; its groups are made of whole fine groups."""
    size, (_, hours) = len(members.group), of.hourly.shape
    start = of.start
    first = np.full(size, np.iinfo(np.int64).max)
    last = np.full(size, NEVER)
    np.minimum.at(first, members.of_series, of.first)
    np.maximum.at(last, members.of_series, of.last)
    before = np.bincount(members.of_series, weights=of.rows, minlength=size).astype(np.float64)
    group_of = np.zeros(len(of.hourly), dtype=np.int64)
    group_of[of.fine] = members.group[members.of_series]
    until = np.zeros((members.groups, hours + 1))
    np.cumsum(_totals(of.hourly, group_of, members.groups), axis=1, out=until[:, 1:])
    begin = np.clip(first - start, 0, hours)
    end = np.clip(last - start + 1, 0, hours)
    return Sums(
        start=start,
        hours=hours,
        first=np.where(last == NEVER, 0, first - start),
        last=np.where(last == NEVER, NEVER, last - start),
        before=before,
        since=until[members.group, hours] - until[members.group, end],
        group_rows=until[members.group, end] - until[members.group, begin],
    )


def _totals(hourly: FloatArray, group_of: IntArray, groups: int) -> FloatArray:
    """[groups, H] sums of the rows of each group; ``group_of`` [G]."""
    if groups == len(group_of) and (group_of == np.arange(groups)).all():
        return hourly
    totals = np.zeros((groups, hourly.shape[1]))
    if len(group_of):
        order = np.argsort(group_of, kind="stable")
        present, begins = np.unique(group_of[order], return_index=True)
        totals[present] = np.add.reduceat(hourly[order], begins, axis=0)
    return totals


def weigh_stops(
    cells: Cells, members: Members, sums: Sums, chosen: NDArray[np.int64]
) -> list[Stop]:
    """The chance of each chosen member's absence. Cost is in the rows of their groups."""
    expected = sums.since * sums.share
    if len(chosen) > MOST_WEIGHED:
        chosen = chosen[np.argsort(-expected[chosen])[:MOST_WEIGHED]]
    if not len(chosen):
        return []
    wanted = np.zeros(members.groups, dtype=np.bool_)
    wanted[members.group[chosen]] = True
    member_of = members.of_series[cells.series]
    group_of = members.group[member_of]
    picked = np.flatnonzero(wanted[group_of])
    picked = picked[np.argsort(group_of[picked], kind="stable")]
    bounds = np.searchsorted(group_of[picked], np.arange(members.groups + 1))
    stops = []
    for member in chosen:
        group = int(members.group[member])
        mine = picked[bounds[group] : bounds[group + 1]]
        stops.append(_weigh(cells, mine, member_of[mine] == member, sums, int(member)))
    return stops


def _weigh(
    cells: Cells, group: NDArray[np.int64], own: NDArray[np.bool_], sums: Sums, member: int
) -> Stop:
    hour = cells.occurred[group] // HOUR - sums.start
    inside = (hour >= 0) & (hour < sums.hours)
    hourly = np.bincount(
        hour[inside & own], weights=cells.rows[group[inside & own]], minlength=sums.hours
    )
    active = np.zeros(sums.hours, dtype=np.bool_)
    active[hour[inside]] = True
    first, last = int(max(sums.first[member], 0)), int(sums.last[member])
    ticks = np.flatnonzero(active[first : last + 1]) + first
    present = hourly[ticks] > 0
    after = int(active[last + 1 :].sum())
    often = (int(present.sum()) + 0.5) / (len(ticks) + 1.0)
    share = float(sums.share[member])
    expected = float(sums.since[member]) * share
    pauses = np.diff(np.flatnonzero(present)).astype(np.float64)
    by_rows = float(silence_p_value(expected, SHARE_DISPERSION))
    p_value = max(by_rows, float((1.0 - often) ** after))
    on_wall = np.diff(np.flatnonzero(hourly)).astype(np.float64)
    # The exact last load of its last hour: a straggler of an older hour is no sign of life.
    in_last = own & (hour == last)
    if p_value < PAUSES_AGREE:
        by_pauses, by_loads = gap_p_value(pauses, float(after)), _by_loads(cells, group, own)
        if by_pauses > PAUSES_AGREE or by_loads > LOADS_AGREE:
            p_value = max(p_value, by_pauses, by_loads)
    return Stop(
        member=member,
        p_value=p_value,
        by_rows=by_rows,
        by_time=gap_p_value(on_wall, float(sums.hours - 1 - last)),
        share=share,
        expected=expected,
        others=int(sums.since[member]),
        before=int(sums.before[member]),
        history_hours=last - first + 1,
        last_loaded=int(cells.last_loaded[group[in_last]].max()),
        hourly=hourly.astype(np.int64),
    )


def _by_loads(cells: Cells, group: NDArray[np.int64], own: NDArray[np.bool_]) -> float:
    """The chance by pauses between loads, counted in loads of the group."""
    loads = np.unique(cells.loaded[group] // HOUR)
    mine = np.searchsorted(loads, np.unique(cells.loaded[group[own]] // HOUR))
    elapsed = float(len(loads) - 1 - mine[-1])
    return gap_p_value(np.diff(mine).astype(np.float64), elapsed)


L = TypeVar("L", bound=Hashable)


@lru_cache(maxsize=4)
def by_value(
    keys: tuple[SeriesKey, ...],
) -> tuple[NDArray[np.int64], tuple[tuple[str, str], ...]]:
    """``numbered`` by dimension and value. Kept: the series of an exposure are nearly always those of
    the cycle before."""
    numbers, labels = numbered([(key.dimension, key.value) for key in keys])
    numbers.flags.writeable = False
    return numbers, tuple(labels)


@lru_cache(maxsize=4)
def by_part(
    keys: tuple[SeriesKey, ...],
) -> tuple[NDArray[np.int64], tuple[tuple[str | None, str], ...]]:
    """``numbered`` by event type and dimension; kept alike."""
    numbers, labels = numbered([(key.event_type, key.dimension) for key in keys])
    numbers.flags.writeable = False
    return numbers, tuple(labels)


def numbered(labels: Sequence[L]) -> tuple[NDArray[np.int64], list[L]]:
    """A number for each label, equal labels the same, and the labels by number."""
    place: dict[L, int] = {}
    numbers = [place.setdefault(label, len(place)) for label in labels]
    return np.array(numbers, dtype=np.int64), list(place)
