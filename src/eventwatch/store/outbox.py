"""The outbox: what is to be said, by whom it was claimed, and how each attempt ended.

pending → sending → sent, or back to pending, or dead. Every step is a conditional update, so a step
that runs twice, or late, changes nothing the second time. One thing is believed from anybody at any
time: that a message was accepted, since sending it again would tell a person twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from eventwatch.model.alert import Delivery, DeliveryState, Message, Outcome, Verdict
from eventwatch.store.encoding import key_of
from eventwatch.store.schema import delivery
from eventwatch.store.upsert import insert

ERROR_LENGTH = 500
"""Longest reason that is kept. Reasons come from services and may be of any length."""


def add(connection: sa.Connection, deliveries: Iterable[Delivery]) -> None:
    """New rows; one whose key is known is left as it is."""
    rows = sorted((_row(one) for one in deliveries), key=lambda row: str(row["id"]))
    if rows:
        connection.execute(insert(connection, delivery).on_conflict_do_nothing(), rows)


def claim(connection: sa.Connection, now: datetime, limit: int) -> tuple[Delivery, ...]:
    """Turns due pending rows into sending ones, oldest first."""
    due = connection.execute(
        sa.select(delivery)
        .where(
            delivery.c.state == DeliveryState.PENDING.value,
            sa.or_(delivery.c.not_before.is_(None), delivery.c.not_before <= now),
        )
        .order_by(delivery.c.created_at, delivery.c.id)
        .limit(limit)
        # SQLite has neither and needs neither: the transaction already holds the only write lock.
        .with_for_update(skip_locked=True)
    ).all()
    claimed = []
    for row in due:
        changed = connection.execute(
            sa.update(delivery)
            .where(delivery.c.id == row.id, delivery.c.state == DeliveryState.PENDING.value)
            .values(
                state=DeliveryState.SENDING.value, claimed_at=now, attempts=delivery.c.attempts + 1
            )
        )
        if changed.rowcount:
            claimed.append(
                _delivery(
                    {
                        **row._mapping,
                        "state": DeliveryState.SENDING.value,
                        "claimed_at": now,
                        "attempts": row.attempts + 1,
                    }
                )
            )
    return tuple(claimed)


def stuck(connection: sa.Connection, claimed_before: datetime) -> tuple[Delivery, ...]:
    """Rows in sending since before an instant, oldest claim first."""
    rows = connection.execute(
        sa.select(delivery)
        .where(
            delivery.c.state == DeliveryState.SENDING.value,
            delivery.c.claimed_at < claimed_before,
        )
        .order_by(delivery.c.claimed_at, delivery.c.id)
    )
    return tuple(_delivery(row._mapping) for row in rows)


def settle(
    connection: sa.Connection,
    one: Delivery,
    outcome: Outcome,
    now: datetime,
    fallback: Delivery | None,
) -> None:
    """Records how an attempt ended, if the claim it belongs to still holds."""
    row = delivery.c.id == key_of(one.key)
    claimed = sa.and_(
        row,
        delivery.c.state == DeliveryState.SENDING.value,
        delivery.c.claimed_at == one.claimed_at,
    )
    reason = shorten(outcome.reason)
    if outcome.verdict is Verdict.SENT:
        connection.execute(
            sa.update(delivery)
            .where(row, delivery.c.state != DeliveryState.SENT.value)
            .values(
                state=DeliveryState.SENT.value,
                sent_at=now,
                reference=outcome.reference,
                last_error="",
                not_before=None,
            )
        )
        return
    values: dict[str, Any] = {"last_error": reason}
    if outcome.verdict in (Verdict.RETRY, Verdict.HALT):
        values.update(state=DeliveryState.PENDING.value, not_before=outcome.retry_at)
    elif outcome.verdict is Verdict.REFUSED:
        values.update(state=DeliveryState.DEAD.value)
    changed = connection.execute(sa.update(delivery).where(claimed).values(values))
    if changed.rowcount and outcome.verdict is Verdict.REFUSED and fallback is not None:
        add(connection, (fallback,))


def newest(connection: sa.Connection, limit: int) -> tuple[Delivery, ...]:
    """The newest rows first."""
    rows = connection.execute(
        sa.select(delivery).order_by(delivery.c.created_at.desc(), delivery.c.id).limit(limit)
    )
    return tuple(_delivery(row._mapping) for row in rows)


def shorten(reason: str) -> str:
    """At most ERROR_LENGTH characters."""
    return reason if len(reason) <= ERROR_LENGTH else reason[: ERROR_LENGTH - 1] + "…"


def _row(one: Delivery) -> dict[str, Any]:
    return {
        "id": key_of(one.key),
        "key": one.key,
        "channel": one.channel,
        "team": one.team,
        "text": one.message.text,
        "blocks": one.message.blocks,
        "plain": one.message.plain,
        "alert_ids": one.alert_ids,
        "created_at": one.created_at,
        "state": one.state.value,
        "attempts": one.attempts,
        "not_before": one.not_before,
        "claimed_at": one.claimed_at,
        "sent_at": one.sent_at,
        "reference": one.reference,
        "last_error": shorten(one.last_error),
        "is_fallback": int(one.is_fallback),
    }


def _delivery(row: Mapping[Any, Any]) -> Delivery:
    return Delivery(
        key=row["key"],
        channel=row["channel"],
        team=row["team"],
        message=Message(text=row["text"], blocks=row["blocks"], plain=row["plain"]),
        alert_ids=row["alert_ids"],
        created_at=row["created_at"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        not_before=row["not_before"],
        claimed_at=row["claimed_at"],
        sent_at=row["sent_at"],
        reference=row["reference"],
        last_error=row["last_error"],
        is_fallback=bool(row["is_fallback"]),
    )
