"""The second, small statement: rows whose id came before.

A row is repeated when a row of the same event type and id was loaded before it, or with it, at most
``duplicates_window`` earlier. Read is one window more than is counted, never the whole table: exact
over all history would cost the whole history on every cycle. Rows without an id, and rows without a
usable occurred time, are not counted (but may be the ones that came before).
"""

from __future__ import annotations

from typing import Any

import ibis

from eventwatch.model.measurement import HOUR, ScanRequest
from eventwatch.warehouse.columns import Columns
from eventwatch.warehouse.grouped import Spans
from eventwatch.warehouse.times import Bound

REPEAT_PART = 0


def repeats(table: Any, columns: Columns, request: ScanRequest) -> Any:
    """The statement; columns as those of ``grouped``."""
    assert request.duplicates_from is not None
    assert columns.exposure.columns.event_id is not None
    spans = Spans.of(request)
    loaded, tick = columns.loaded, columns.loaded.tick
    start = request.duplicates_from - request.duplicates_window
    rows = table.filter(
        *columns.loaded_within(table, Bound(start), Bound(request.now)),
        table[columns.exposure.columns.event_id].notnull(),
    )
    slim = rows.select(
        e=columns.event_type(rows),
        i=rows[columns.exposure.columns.event_id],
        t=loaded.ticks(rows),
        good=columns.occurred.within(rows, Bound(spans.oldest), Bound(spans.newest)).fill_null(
            False
        ),
    )
    # Of rows loaded at one instant one is the first: one that is not counted, where there is one, so
    # that two runs say the same.
    in_order = ibis.window(group_by=[slim.e, slim.i], order_by=[slim.t, slim.good])
    before = slim.t.lag().over(in_order)
    seen = slim.mutate(before=before)
    window = int(request.duplicates_window.total_seconds() * tick)
    first = int(request.duplicates_from.timestamp()) * tick
    again = seen.filter(seen.good, seen.t >= first, seen.t - seen.before <= window)
    hour = columns.dialect.divide(again.t, HOUR * tick) * HOUR
    groups = again.group_by(e=again.e, l=hour).agg(
        n=again.count(), first=again.t.min(), last=again.t.max()
    )
    return groups.select(
        part=ibis.literal(REPEAT_PART, "int16"),
        event_type=groups.e,
        value=ibis.literal(""),
        occurred=groups.l,
        loaded=groups.l,
        rows=groups.n,
        first_loaded=columns.dialect.divide(groups["first"], tick),
        last_loaded=columns.dialect.divide(groups["last"], tick),
    )
