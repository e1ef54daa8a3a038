"""The cheap count of the daily recount: rows per loaded day and event type, nothing else.

It counts every row that a scan counts under ``""`` or ``@time``, so the two can be held against each
other day by day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from eventwatch.warehouse.columns import Columns
from eventwatch.warehouse.times import Bound

DAY = 86400


def recounting(table: Any, columns: Columns, first: datetime, end: datetime) -> Any:
    """The statement. Columns of the answer: day (epoch seconds; null: rows without a load time),
    event_type, rows."""
    low, high = Bound(first), Bound(end, inside=False)
    rows = table.filter(*columns.loaded_within(table, low, high))
    loaded, tick = columns.loaded, columns.loaded.tick
    day = columns.dialect.divide(loaded.ticks(rows), DAY * tick) * DAY
    slim = rows.select(e=columns.event_type(rows), d=day)
    days = slim.group_by("d", "e").agg(n=slim.count())
    lost = table.filter(loaded.missing(table), *columns.partition(table, low, high))
    return ibis.union(
        days.select(day=days.d, event_type=days.e, rows=days.n),
        lost.agg(n=lambda t: t.count()).select(
            day=ibis.null("int64"), event_type=ibis.null("string"), rows=lambda t: t.n
        ),
        distinct=False,
    )
