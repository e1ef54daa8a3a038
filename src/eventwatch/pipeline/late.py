"""Late, not lost: rows that were missing when an alert fired, and came afterwards.

A check that is good again does not say why. The reporting triangle does: rows that occurred in the bad
stretch and were loaded after it was last seen bad filled the hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.alerting.causes_falls import began, falls
from eventwatch.model.alert import Alert
from eventwatch.model.durations import format_duration
from eventwatch.model.measurement import Cells
from eventwatch.model.result import LATE, Fact, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

FILLS = 0.5
"""Part of what was missing that must have come to call it late."""
LEAST_LATE = timedelta(minutes=10)


def with_late(
    view: ExposureView, alerts: Sequence[Alert], results: Sequence[Result]
) -> tuple[Result, ...]:
    """The results; a PASS whose open alert was about missing rows that came after all carries the fact
    LATE with how late they were."""
    waiting = {a.fingerprint: a for a in alerts if a.open and falls(a)}
    if not waiting or not view.exposure.has_load_time:
        return tuple(results)
    return tuple(
        _with_fact(view, waiting[r.fingerprint], r)
        if r.status is Status.PASS and r.fingerprint in waiting
        else r
        for r in results
    )


def _with_fact(view: ExposureView, alert: Alert, result: Result) -> Result:
    late = lateness(view, alert)
    if late is None:
        return result
    return replace(result, facts=(*result.facts, Fact(LATE, format_duration(late))))


def lateness(view: ExposureView, alert: Alert) -> timedelta | None:
    """How late the rows of an alert's bad stretch came, in the middle; None: they did not, or not
    enough of them."""
    amount, cut = alert.result.amount, alert.result.cut
    end = alert.seen_at
    if amount is not None and amount.end_at is not None:
        end = min(end, amount.end_at)
    start = began(alert)
    cells = view.rows if cut is None else view.cuts
    places = _rows_of(cells, alert, start, end)
    came = cells.rows[places]
    after = cells.first_loaded[places] >= int(alert.seen_at.timestamp())
    filled, total = int(came[after].sum()), int(came.sum())
    if not filled:
        return None
    missing = float(total)
    if amount is not None and amount.unit == "events" and amount.expected is not None:
        missing = max(amount.expected - amount.observed, 1.0)
    if filled < FILLS * missing:
        return None
    delays = (cells.last_loaded[places] - cells.occurred[places])[after]
    order = np.argsort(delays)
    middle = int(np.searchsorted(np.cumsum(came[after][order]), filled / 2))
    found = timedelta(seconds=int(delays[order][min(middle, len(order) - 1)]))
    return found if found >= LEAST_LATE else None


def _rows_of(cells: Cells, alert: Alert, start: datetime, end: datetime) -> NDArray[np.bool_]:
    """[N] cells of what the alert is about that occurred in [start, end)."""
    result = alert.result
    inside = (cells.occurred >= int(start.timestamp())) & (cells.occurred < int(end.timestamp()))
    if not cells.keys:
        return inside
    mine = [
        (result.event_type is None or key.event_type == result.event_type)
        and (
            result.cut is None
            or (key.dimension == result.cut.dimension and key.value == result.cut.value)
        )
        for key in cells.keys
    ]
    return np.asarray(inside & np.array(mine, dtype=np.bool_)[cells.series])
