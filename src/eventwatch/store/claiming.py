"""Which rows of the outbox are to be said next: of each channel its oldest that can be said now.

One claim at a time looks, so that no channel ever has two rows under way; it touches the indexes of
each channel, never all rows.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from eventwatch.model.alert import Action, Delivery, DeliveryState
from eventwatch.store import locks
from eventwatch.store.outbox import ORDER, REFUSED_FOR_GOOD, bury, channel_id, read
from eventwatch.store.schema_messages import delivery, post

NOT_KNOWN = "the message that it belongs to is not known"
_PENDING = DeliveryState.PENDING.value
_SENDING = DeliveryState.SENDING.value


def claim(
    connection: sa.Connection, now: datetime, limit: int, busy: Collection[str]
) -> tuple[Delivery, ...]:
    """Turns due pending rows into sending ones, at most one of a channel, the oldest first.

    An edit, a reply or a chart waits for the message that it belongs to; where that will never be,
    the row ends.
    """
    locks.take(connection, locks.CLAIMING)
    closed = {channel_id(channel) for channel in busy}
    claimed: list[Delivery] = []
    while len(claimed) < limit:
        rows = connection.execute(_heads(now, limit - len(claimed), closed)).all()
        if not rows:
            break
        for row in rows:
            if row.action != Action.POST.value and not (row.parent or row.post_reference):
                if row.post_dead:
                    bury(connection, delivery.c.post_id == row.post_id, REFUSED_FOR_GOOD)
                else:
                    bury(connection, delivery.c.id == row.id, NOT_KNOWN)
                continue
            closed.add(row.channel_id)
            one = _take(connection, row, now)
            if one is not None:
                claimed.append(one)
    return tuple(claimed)


def _take(connection: sa.Connection, row: sa.Row[Any], now: datetime) -> Delivery | None:
    values = {
        "state": _SENDING,
        "claimed_at": now,
        "attempts": row.attempts + 1,
        # Where the post is now: it may have been made anew since an earlier try.
        "parent": row.post_reference or row.parent,
    }
    mine = sa.and_(delivery.c.id == row.id, delivery.c.state == _PENDING)
    changed = connection.execute(sa.update(delivery).where(mine).values(values))
    return read({**row._mapping, **values}) if changed.rowcount else None


def _heads(now: datetime, limit: int, closed: Collection[str]) -> sa.Select[Any]:
    """The rows at the head of the open channels, the oldest first, and what is known of their posts."""
    waiting = (
        sa.select(delivery.c.channel_id).where(delivery.c.state == _PENDING).distinct().subquery()
    )
    under_way = delivery.alias()
    # A chart is best effort and takes seconds: it waits for everything that is text.
    head = sa.func.coalesce(_head(now, waiting, charts=False), _head(now, waiting, charts=True))
    heads = (
        sa.select(head.label("id"))
        .where(
            waiting.c.channel_id.not_in(closed),
            ~sa.exists().where(
                under_way.c.state == _SENDING, under_way.c.channel_id == waiting.c.channel_id
            ),
        )
        .subquery()
    )
    return (
        sa.select(
            delivery, post.c.reference.label("post_reference"), post.c.dead.label("post_dead")
        )
        .join(heads, heads.c.id == delivery.c.id)
        .outerjoin(post, post.c.id == delivery.c.post_id)
        .order_by(*ORDER)
        .limit(limit)
        # Somebody else may be at the row: an edit that is just being replaced. It waits its turn.
        .with_for_update(of=delivery, skip_locked=True)
    )


def _head(now: datetime, waiting: sa.FromClause, *, charts: bool) -> sa.ScalarSelect[str]:
    """The oldest row of a channel that can be said now."""
    one = delivery.alias()
    is_chart = one.c.action == Action.CHART.value
    return (
        sa.select(one.c.id)
        .select_from(one.outerjoin(post, post.c.id == one.c.post_id))
        .where(
            one.c.state == _PENDING,
            one.c.channel_id == waiting.c.channel_id,
            is_chart if charts else ~is_chart,
            sa.or_(one.c.not_before.is_(None), one.c.not_before <= now),
            sa.or_(
                one.c.action == Action.POST.value,
                one.c.parent != "",
                post.c.id.is_(None),
                post.c.dead == 1,
                post.c.reference != "",
            ),
            sa.or_(one.c.action != Action.REPLY.value, ~_older_reply(one)),
        )
        .order_by(one.c.created_at, one.c.place, one.c.id)
        .limit(1)
        .correlate(waiting)
        .scalar_subquery()
    )


def _older_reply(one: sa.FromClause) -> sa.Exists:
    """A reply of the same thread that was written before and rests: a thread keeps its order."""
    older = delivery.alias()
    return sa.exists().where(
        older.c.post_id == one.c.post_id,
        older.c.state == _PENDING,
        older.c.action == Action.REPLY.value,
        sa.tuple_(older.c.created_at, older.c.place, older.c.id)
        < sa.tuple_(one.c.created_at, one.c.place, one.c.id),
    )
