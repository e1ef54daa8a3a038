"""duplicates: rows whose event id came before.

What repeats is counted by the scan, within its window and per loaded hour; here it is held against
the rows loaded in the same hours. One batch that was loaded twice repeats ids of everything: that is
told once, of the exposure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from eventwatch.kinds.arrivals import spark_of
from eventwatch.kinds.definition import Check, Duration, Rules
from eventwatch.kinds.results import Maker
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import HOUR, Cells
from eventwatch.model.result import Amount, Fact, Result, Spark
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
    maker = Maker(view.exposure.name, KindName.DUPLICATES)
    check = rules.for_exposure()
    if view.exposure.columns.event_id is None:
        if check.enabled:
            reason = "the config maps no event_id, so repeated rows cannot be told"
            yield maker.make(check, "repeated", Status.SKIPPED, reason)
        return
    names = list(dict.fromkeys(k.event_type for k in (*view.rows.keys, *view.duplicates.keys)))
    checks = dict(rules.each(names))
    spans = {check.over, *(own.over for own in checks.values())}
    rows = {span: _counted(view.rows, names, view, span) for span in spans}
    repeated = {span: _counted(view.duplicates, names, view, span) for span in spans}
    failing: set[str | None] = set()
    able = 0
    for i, name in enumerate(names):
        own = checks[name]
        count, total = int(repeated[own.over][i]), int(rows[own.over][i])
        able += count >= MIN_ROWS or total * own.max_share >= MIN_ROWS
        if own.enabled and _too_many(count, total, own):
            failing.add(name)
    widespread = len(failing) >= WIDESPREAD and len(failing) >= able / 2
    if check.enabled:
        yield _of_exposure(view, check, maker, failing, widespread, rows, repeated)
    for i, name in enumerate(names):
        own = checks[name]
        count, total = int(repeated[own.over][i]), int(rows[own.over][i])
        if name is None or not own.enabled or not (count or total):
            continue
        status = Status.PASS
        if name in failing:
            # Where the exposure's own result is switched off, nothing else would tell of it.
            status = Status.SKIPPED if widespread and check.enabled else Status.FAIL
        cells = view.duplicates
        yield maker.make(
            own,
            "repeated",
            status,
            "the exposure as a whole repeats ids"
            if status is Status.SKIPPED
            else _said(count, total, own),
            event_type=name,
            contract=view.catalog.of(name),
            amount=Amount("share", count / max(total, 1), upper=own.max_share),
            since=_since(cells.where(_is(cells, name)), view) if status is Status.FAIL else None,
            facts=(Fact("repeated rows", f"{count:,}"),) if status is Status.FAIL else (),
            spark=_spark(cells.where(_is(cells, name)), view) if status is Status.FAIL else None,
        )


def _too_many(count: int, total: int, check: DuplicatesCheck) -> bool:
    least = 1 if check.max_share == 0 else MIN_ROWS
    return count >= least and count > check.max_share * total


def _counted(
    cells: Cells, names: list[str | None], view: ExposureView, span: timedelta
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Rows per name, loaded in the whole hours that the span touches."""
    since = int((view.now - span).timestamp()) // HOUR * HOUR
    place = {name: i for i, name in enumerate(names)}
    of_series = np.array([place[k.event_type] for k in cells.keys], dtype=np.int64)
    late = cells.loaded >= since
    return np.bincount(
        of_series[cells.series[late]], weights=cells.rows[late], minlength=len(names)
    ).astype(np.float64)


def _of_exposure(
    view: ExposureView,
    check: DuplicatesCheck,
    maker: Maker,
    failing: set[str | None],
    widespread: bool,
    rows: dict[timedelta, np.ndarray[tuple[int], np.dtype[np.float64]]],
    repeated: dict[timedelta, np.ndarray[tuple[int], np.dtype[np.float64]]],
) -> Result:
    count, total = int(repeated[check.over].sum()), int(rows[check.over].sum())
    # Rows without a type have no owner: the exposure answers for them.
    bad = widespread or None in failing
    return maker.make(
        check,
        "repeated",
        Status.FAIL if bad else Status.PASS,
        _said(count, total, check),
        amount=Amount("share", count / max(total, 1), upper=check.max_share),
        since=_since(view.duplicates, view) if bad else None,
        facts=(Fact("event types", f"{len(failing):,} with too many repeated ids"),) if bad else (),
        spark=_spark(view.duplicates, view) if bad else None,
    )


def _said(count: int, total: int, check: DuplicatesCheck) -> str:
    span = format_duration(check.over)
    if not count:
        return f"no repeated id in the {total:,} rows of the last {span}"
    share = count / max(total, 1) * 100
    rows = "1 row" if count == 1 else f"{count:,} rows"
    repeats = "repeats" if count == 1 else "repeat"
    return (
        f"{rows} of the last {span} {repeats} an event id that came before ({share:.2g} % of "
        f"{total:,}); accepted are {check.max_share * 100:.2g} %"
    )


def _is(cells: Cells, name: str | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    mine = np.array([k.event_type == name for k in cells.keys], dtype=np.bool_)
    return mine[cells.series] if len(mine) else np.zeros(0, dtype=np.bool_)


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
