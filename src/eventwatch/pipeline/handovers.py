"""New names that look like the new name of a declared event type: rows of a similar name went missing
when they began.

Long before counts or a silence of the old name can be told, the two together are plain: the names are
alike, and what came under the one is what is missing of the other. Counted by five minutes since the
new name's first row, against as long a time just before and against what the other event types did.
Truly new names take nothing from anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from eventwatch.alerting.causes_evidence import Handover
from eventwatch.alerting.causes_falls import began, is_unseen
from eventwatch.alerting.causes_rename import RATES
from eventwatch.kinds.delays import quantile, summed_bins
from eventwatch.model.alert import Alert
from eventwatch.model.contract import LifecycleState
from eventwatch.model.measurement import FINE, Cells, SeriesKey
from eventwatch.model.names import is_misspelling, kindred
from eventwatch.model.view import ExposureView

YOUNG = timedelta(hours=12)
"""A name that is older is known by its own alert, or went nowhere."""
SPAN = 6 * 3600
"""Seconds at most that are compared."""
LEAST = 3.0
SURE = 2.0
"""Standard deviations by which the old name must be short."""
OTHERS = 50.0
"""Rows that "as before" is worth against what the other event types say."""
PART = 0.3
"""Of its usual rows, what must be missing."""
MOST = 20
"""New names that are looked at."""


def declared_names(view: ExposureView) -> tuple[str, ...]:
    """Event types that contracts declare for it and expect to come, in a fixed order."""
    live = (LifecycleState.ACTIVE, LifecycleState.DEPRECATED)
    declared = view.catalog.declared_in(view.exposure.name)
    return tuple(c.event_type for c in declared if c.state in live)


def handovers(view: ExposureView, alerts: Sequence[Alert]) -> dict[str, Handover]:
    """New name → what it took over; each old name is one's at most."""
    new = [a for a in alerts if is_unseen(a) and view.now - began(a) <= YOUNG]
    if not new or not len(view.rows.series):
        return {}
    declared = declared_names(view)
    end = _end(view)
    pairs: list[tuple[float, str, Handover]] = []
    for alert in sorted(new, key=lambda a: (began(a), a.id), reverse=True)[:MOST]:
        name = alert.result.event_type
        for old in () if name is None else _like(name, declared):
            found = _handover(view.rows, name or "", old, began(alert), end)
            if found is not None:
                rate = found.came / (found.expected - found.observed)
                pairs.append((abs(float(np.log(rate))), name or "", found))
    made: dict[str, Handover] = {}
    for _, name, found in sorted(pairs, key=lambda p: (p[0], p[1], p[2].old)):
        if name not in made and all(each.old != found.old for each in made.values()):
            made[name] = found
    return made


@lru_cache(maxsize=1024)
def _like(name: str, declared: tuple[str, ...]) -> tuple[str, ...]:
    """Comparing with thousands of names takes a tenth of a second: hence the cache."""
    slip = is_misspelling(name, declared)
    # A slip of one name is no new name of another that looks like it.
    return kindred(name, declared) if slip is None else (slip,)


def _end(view: ExposureView) -> int:
    """Up to when nearly all rows have come."""
    late = 0.0
    if view.exposure.has_load_time:
        bins = summed_bins(view.delays, view.now, hours=24)
        late = quantile(bins, 0.9) if bins.any() else 0.0
    return int(view.now.timestamp() - min(late, float(SPAN)))


def _handover(cells: Cells, new: str, old: str, since: datetime, end: int) -> Handover | None:
    """None: the rows do not say so."""
    start = int(since.timestamp()) // FINE * FINE
    end = min(end // FINE * FINE, start + SPAN)
    span = end - start
    if span <= 0:
        return None
    observed, came = _rows(cells, old, start, end), _rows(cells, new, start, end)
    before = _rows(cells, old, start - span, start)
    others = _all(cells, start, end) - observed - came
    others_before = _all(cells, start - span, start) - before
    # The hours differ: as the other event types did, so should this one.
    season = (others + OTHERS) / (others_before + OTHERS)
    expected = before * season
    gone = expected - observed
    # Both counts stray, that before and that since.
    if gone < max(LEAST, SURE * (expected + observed) ** 0.5, PART * expected) or came <= 0:
        return None
    if not RATES[0] <= came / gone <= RATES[1]:
        return None
    return Handover(old, float(observed), expected, float(came))


def _all(cells: Cells, start: int, end: int) -> int:
    return int(cells.rows[(cells.occurred >= start) & (cells.occurred < end)].sum())


def _rows(cells: Cells, name: str, start: int, end: int) -> int:
    key = SeriesKey(name)
    if key not in cells.keys:
        return 0
    places = cells.places(cells.keys.index(key))
    times = cells.occurred[places]
    return int(cells.rows[places][(times >= start) & (times < end)].sum())
