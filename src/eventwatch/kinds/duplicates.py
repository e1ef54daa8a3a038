"""duplicates: rows whose event id came before.

What repeats is counted by the scan, within its window and per loaded hour; here it is held against
the rows loaded in the same hours. One batch that was loaded twice repeats ids of everything: that is
told once, of the exposure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from eventwatch.kinds.arrivals import IntArray, spark_of
from eventwatch.kinds.definition import Check, Duration, Rules
from eventwatch.kinds.results import Maker
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import HOUR, Cells
from eventwatch.model.result import Amount, Result, Spark
from eventwatch.model.status import KindName, Status
from eventwatch.model.view import ExposureView

MIN_ROWS = 3
"""Fewer repeated rows are an accident of delivery, unless the limit is 0: then any is too many."""
WIDESPREAD = 5
"""From so many event types on, if they are half of all that have rows enough to show it, it is the
exposure's trouble."""
CALM_HOURS = 24
"""So many hours without a repeated id end a bad stretch."""


class DuplicatesCheck(Check):
    """How many repeated ids are too many."""

    kind: Literal[KindName.DUPLICATES] = KindName.DUPLICATES
    max_share: float = Field(
        0.001, ge=0, le=1, description="Largest accepted share of rows with a repeated id."
    )
    over: Duration = Field(
        timedelta(hours=24), description="Span of loaded time the share is taken over."
    )

    @field_validator("over")
    @classmethod
    def _at_least_an_hour(cls, span: timedelta) -> timedelta:
        if span < timedelta(hours=1):
            raise ValueError("must be 1h or longer: repeated ids are counted by the hour")
        return span


def judge(view: ExposureView, rules: Rules[DuplicatesCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    check = rules.for_exposure()
    if view.exposure.columns.event_id is None:
        if check.enabled:
            reason = "the config maps no event_id, so repeated rows cannot be told"
            maker = Maker(view.exposure.name, KindName.DUPLICATES)
            yield maker.make(check, "repeated", Status.SKIPPED, reason)
        return
    names = list(dict.fromkeys(k.event_type for k in (*view.rows.keys, *view.duplicates.keys)))
    checks = dict(rules.each(names))
    spans = {check.over, *(own.over for own in checks.values())}
    counted = {
        span: (_rows(view.duplicates, names, view, span), _rows(view.rows, names, view, span))
        for span in spans
    }
    counts: dict[str | None, _Count] = {}
    for i, name in enumerate(names):
        repeated, rows = counted[checks[name].over]
        counts[name] = _Count(int(repeated[i]), int(rows[i]))
    failing = {n for n, c in counts.items() if checks[n].enabled and c.is_too_many(checks[n])}
    able = sum(count.could_fail for count in counts.values())
    widespread = len(failing) >= WIDESPREAD and len(failing) >= able / 2
    if check.enabled:
        repeated, rows = counted[check.over]
        whole = _Count(int(repeated.sum()), int(rows.sum()))
        told = sum(counts[n].repeated for n in failing)
        rest = _Count(whole.repeated - told, whole.rows)
        # Rows without a type have no owner, and a few in each of many types are nobody's alone.
        bad = widespread or None in failing or rest.is_too_many(check)
        yield _result(view, check, whole, None, Status.FAIL if bad else Status.PASS)
    for name, count in counts.items():
        own = checks[name]
        if name is None or not own.enabled or not (count.repeated or count.rows):
            continue
        status = Status.PASS
        if name in failing:
            # Where the exposure's own result is switched off, nothing else would tell of it.
            status = Status.SKIPPED if widespread and check.enabled else Status.FAIL
        yield _result(view, own, count, name, status)


@dataclass(frozen=True)
class _Count:
    """Rows of one span, and how many of them repeat an id."""

    repeated: int
    rows: int

    def is_too_many(self, check: DuplicatesCheck) -> bool:
        least = 1 if check.max_share == 0 else MIN_ROWS
        return self.repeated >= least and self.repeated > check.max_share * self.rows

    @property
    def could_fail(self) -> bool:
        """Whether there are rows enough for a repeated batch to show."""
        return self.repeated >= MIN_ROWS or self.rows >= 2 * MIN_ROWS


def _rows(cells: Cells, names: list[str | None], view: ExposureView, span: timedelta) -> IntArray:
    """Rows per name, loaded in the whole hours that the span touches."""
    since = int((view.now - span).timestamp()) // HOUR * HOUR
    place = {name: i for i, name in enumerate(names)}
    of_series = np.array([place[k.event_type] for k in cells.keys], dtype=np.int64)
    late = cells.loaded >= since
    return np.bincount(
        of_series[cells.series[late]], weights=cells.rows[late], minlength=len(names)
    ).astype(np.int64)


def _result(
    view: ExposureView, check: DuplicatesCheck, count: _Count, name: str | None, status: Status
) -> Result:
    maker = Maker(view.exposure.name, KindName.DUPLICATES)
    fails = status is Status.FAIL
    cells = view.duplicates
    if fails and name is not None:
        mine = np.array([k.event_type == name for k in cells.keys], dtype=np.bool_)
        cells = cells.where(mine[cells.series])
    skipped = "the exposure as a whole repeats ids"
    return maker.make(
        check,
        "repeated",
        status,
        skipped if status is Status.SKIPPED else _said(count, check),
        event_type=name,
        contract=view.catalog.of(name),
        amount=Amount("share", count.repeated / max(count.rows, 1), upper=check.max_share),
        since=_since(cells, view) if fails else None,
        spark=_spark(cells, view) if fails else None,
    )


def _said(count: _Count, check: DuplicatesCheck) -> str:
    span = format_duration(check.over)
    if not count.repeated:
        return f"no repeated id in {counted(count.rows, 'row')} of the last {span}"
    share = count.repeated / max(count.rows, 1) * 100
    rows = counted(count.repeated, "row")
    repeats = "repeats" if count.repeated == 1 else "repeat"
    return (
        f"{rows} of the last {span} {repeats} an event id that came before ({share:.2g} % of "
        f"{count.rows:,}); accepted are {check.max_share * 100:.2g} %"
    )


def _since(cells: Cells, view: ExposureView) -> datetime:
    """First repeated row of the stretch that lasts until now."""
    if not len(cells.series):
        return view.now
    hours = np.unique(cells.loaded // HOUR)
    breaks = np.flatnonzero(np.diff(hours) > CALM_HOURS)
    begin = hours[breaks[-1] + 1] if len(breaks) else hours[0]
    return from_epoch(int(cells.first_loaded[cells.loaded // HOUR >= begin].min()))


def _spark(cells: Cells, view: ExposureView) -> Spark | None:
    if not len(cells.series):
        return None
    end = int(view.now.timestamp()) // HOUR + 1
    start = end - 14 * 24
    inside = (cells.loaded // HOUR >= start) & (cells.loaded // HOUR < end)
    counts = np.bincount(
        cells.loaded[inside] // HOUR - start, weights=cells.rows[inside], minlength=end - start
    )
    return spark_of(counts.astype(np.int64), start * HOUR)
