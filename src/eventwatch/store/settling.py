"""How an attempt to send ended, and what follows from it for the post and for what waits for it.

Every step is a conditional update, so an answer that comes twice, or late, changes nothing the second
time. One thing is believed from anybody at any time: that a message was accepted, since sending it
again would tell a person twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from eventwatch.model.alert import Action, Delivery, DeliveryState, Outcome, Verdict
from eventwatch.store import outbox
from eventwatch.store.encoding import key_of
from eventwatch.store.outbox import ORDER, channel_id, shorten
from eventwatch.store.schema_messages import about, delivery, post
from eventwatch.store.upsert import greatest, least

UNNAMED = "unnamed"
"""Reference of a post whose service gave none: what waits for it goes on, and the notifier says what
it cannot do."""
ARRIVED_AFTER_ALL = "the message arrived where it was meant to be after all"
_PENDING = DeliveryState.PENDING.value


def settle(
    connection: sa.Connection,
    one: Delivery,
    outcome: Outcome,
    now: datetime,
    fallback: Delivery | None,
) -> None:
    """Records how an attempt ended, if the claim it belongs to still holds."""
    if outcome.verdict is Verdict.SENT:
        _sent(connection, one, outcome, now)
        return
    claimed = sa.and_(
        delivery.c.id == key_of(one.key),
        delivery.c.state == DeliveryState.SENDING.value,
        delivery.c.claimed_at == one.claimed_at,
    )
    values: dict[str, Any] = {"last_error": shorten(outcome.reason)}
    if outcome.verdict in (Verdict.RETRY, Verdict.HALT):
        if one.action is Action.UPDATE and _overtaken(connection, one, outcome, claimed):
            return
        values.update(state=_PENDING, not_before=outcome.retry_at)
    elif outcome.verdict is Verdict.REFUSED:
        values.update(state=DeliveryState.DEAD.value)
    changed = connection.execute(sa.update(delivery).where(claimed).values(values))
    if changed.rowcount and outcome.verdict is Verdict.REFUSED:
        _refused(connection, one, outcome, fallback)


def _sent(connection: sa.Connection, one: Delivery, outcome: Outcome, now: datetime) -> None:
    changed = connection.execute(
        sa.update(delivery)
        .where(delivery.c.id == key_of(one.key), delivery.c.state != DeliveryState.SENT.value)
        .values(
            state=DeliveryState.SENT.value,
            sent_at=now,
            reference=outcome.reference,
            last_error="",
            not_before=None,
        )
    )
    if not changed.rowcount:
        return
    if one.action is Action.UPDATE and outcome.reference not in ("", one.parent):
        _anew(connection, one, outcome.reference)
    if not _makes_post(one):
        return
    # The first acceptance counts, and the post is where that was.
    accepted = connection.execute(
        sa.update(post)
        .where(
            post.c.id == one.post_id,
            post.c.reference == "",
            sa.or_(post.c.channel == one.channel, post.c.first_channel == one.channel),
        )
        .values(reference=outcome.reference or UNNAMED, channel=one.channel, team=one.team, dead=0)
    )
    if accepted.rowcount:
        others = _waits_for(one.post_id)
        connection.execute(
            sa.update(delivery)
            .where(others, delivery.c.action == Action.POST.value)
            .values(state=DeliveryState.WITHHELD.value, last_error=ARRIVED_AFTER_ALL)
        )
        _move(connection, one.post_id, one.channel, one.team)


def _anew(connection: sa.Connection, one: Delivery, reference: str) -> None:
    """The live message had been deleted and was posted again: the post is there now."""
    connection.execute(
        sa.update(post)
        .where(post.c.id == one.post_id, post.c.reference == one.parent)
        .values(reference=reference)
    )
    connection.execute(
        sa.update(delivery)
        .where(_waits_for(one.post_id), delivery.c.parent == one.parent)
        .values(parent="")
    )


def _refused(
    connection: sa.Connection, one: Delivery, outcome: Outcome, fallback: Delivery | None
) -> None:
    if _makes_post(one):
        mine = sa.and_(
            post.c.id == one.post_id, post.c.reference == "", post.c.channel == one.channel
        )
        if fallback is not None and fallback.post_id == one.post_id:
            moved = {"channel": fallback.channel, "team": fallback.team}
            if connection.execute(sa.update(post).where(mine).values(moved)).rowcount:
                _move(connection, one.post_id, fallback.channel, fallback.team)
        elif connection.execute(sa.update(post).where(mine).values(dead=1)).rowcount:
            reason = f"{outbox.REFUSED_FOR_GOOD}: {outcome.reason}"
            outbox.bury(connection, delivery.c.post_id == one.post_id, reason)
    if fallback is not None:
        outbox.add(connection, (fallback,))


def _overtaken(
    connection: sa.Connection, one: Delivery, outcome: Outcome, claimed: sa.ColumnElement[bool]
) -> bool:
    """Whether a newer edit of the same post waits: then this one has nothing left to say, and its
    turn, its tries and its pause are the newer one's."""
    if not one.post_id:
        return False
    newer = connection.scalar(
        sa.select(delivery.c.id)
        .where(_waits_for(one.post_id), delivery.c.action == Action.UPDATE.value)
        .order_by(*(column.desc() for column in ORDER))
        .limit(1)
        .with_for_update()
    )
    if newer is None or not connection.execute(sa.delete(delivery).where(claimed)).rowcount:
        return False
    connection.execute(sa.delete(about).where(about.c.delivery_id == key_of(one.key)))
    not_before = outcome.retry_at
    connection.execute(
        sa.update(delivery)
        .where(delivery.c.id == newer)
        .values(
            created_at=least(
                connection,
                delivery.c.created_at,
                sa.bindparam(None, one.created_at, delivery.c.created_at.type),
            ),
            attempts=greatest(connection, delivery.c.attempts, one.attempts),
            last_error=shorten(outcome.reason),
            not_before=not_before,
        )
    )
    return True


def _makes_post(one: Delivery) -> bool:
    return one.action is Action.POST and one.post_id != ""


def _waits_for(post_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(delivery.c.post_id == post_id, delivery.c.state == _PENDING)


def _move(connection: sa.Connection, post_id: str, channel: str, team: str) -> None:
    """What waits for a post goes where it is."""
    connection.execute(
        sa.update(delivery)
        .where(_waits_for(post_id), delivery.c.action != Action.POST.value)
        .values(channel=channel, channel_id=channel_id(channel), team=team)
    )
