"""The outbox: what is to be said, in which order, and what became of it.

pending → sending → sent, or back to pending, or dead. Who takes a row is in ``claiming``, how an
attempt ended in ``settling``. A row that waits with an edit takes the newer content of the same post
in place: its turn, its tries and its pause stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from eventwatch.model.alert import Action, Delivery, DeliveryState, Message
from eventwatch.model.errors import StoreError
from eventwatch.store import posts
from eventwatch.store.encoding import encode_text, key_of
from eventwatch.store.schema_messages import about, delivery
from eventwatch.store.upsert import insert

ERROR_LENGTH = 500
"""Longest reason that is kept. Reasons come from services and may be of any length."""
REFUSED_FOR_GOOD = "its message was refused for good"
ORDER = (delivery.c.created_at, delivery.c.place, delivery.c.id)
"""Of the rows of a channel."""
_CHUNK = 500


def add(connection: sa.Connection, deliveries: Iterable[Delivery]) -> None:
    """New rows; one whose key is known is left as it is, an edit takes the place of a waiting one.

    A post may have moved, or ended, since the caller looked: its rows go where it is now.
    """
    given = list(deliveries)
    places = posts.places(connection, (one.post_id for one in given if one.post_id))
    # Of several edits of one post, the last.
    last = {one.post_id: one.key for one in given if _waiting_edit(one)}
    given = [one for one in given if not _waiting_edit(one) or last[one.post_id] == one.key]
    rows = [{**_row(_placed(one, places)), "place": place} for place, one in enumerate(given)]
    known = _known(connection, [row["id"] for row in rows])
    rows = [row for row in rows if row["id"] not in known]
    edits = [r for r in rows if r["action"] == Action.UPDATE.value and _waits(r) and r["post_id"]]
    replaced = _take_places(connection, edits)
    rows = sorted((row for row in rows if row["id"] not in replaced), key=lambda row: row["id"])
    if rows:
        connection.execute(insert(connection, delivery).on_conflict_do_nothing(), rows)
        _link(connection, rows)


def stuck(connection: sa.Connection, claimed_before: datetime) -> tuple[Delivery, ...]:
    """Rows in sending since before an instant, oldest claim first."""
    rows = connection.execute(
        sa.select(delivery)
        .where(
            delivery.c.state == DeliveryState.SENDING.value,
            delivery.c.claimed_at < claimed_before,
        )
        .order_by(delivery.c.claimed_at, *ORDER)
    )
    return tuple(read(row._mapping) for row in rows)


def newest(connection: sa.Connection, limit: int) -> tuple[Delivery, ...]:
    """The newest rows first."""
    rows = connection.execute(
        sa.select(delivery).order_by(*(column.desc() for column in ORDER)).limit(limit)
    )
    return tuple(read(row._mapping) for row in rows)


def of_incident(connection: sa.Connection, incident_id: str) -> tuple[Delivery, ...]:
    """Rows about one incident, withheld ones too, oldest first."""
    mine = sa.select(about.c.delivery_id).where(about.c.incident_id == incident_id)
    rows = connection.execute(sa.select(delivery).where(delivery.c.id.in_(mine)).order_by(*ORDER))
    return tuple(read(row._mapping) for row in rows)


def bury(connection: sa.Connection, which: sa.ColumnElement[bool], reason: str) -> None:
    """Ends rows that wait and that nobody will ever be able to say."""
    connection.execute(
        sa.update(delivery)
        .where(which, delivery.c.state == DeliveryState.PENDING.value)
        .values(state=DeliveryState.DEAD.value, last_error=shorten(reason))
    )


def shorten(reason: str) -> str:
    """At most ERROR_LENGTH characters."""
    return reason if len(reason) <= ERROR_LENGTH else reason[: ERROR_LENGTH - 1] + "…"


def channel_id(channel: str) -> str:
    """The name under which the rows of a channel are found."""
    return hashlib.sha256(encode_text(channel).encode()).hexdigest()[:40]


def read(row: Mapping[Any, Any]) -> Delivery:
    """The record of a row."""
    try:
        state, action = DeliveryState(row["state"]), Action(row["action"])
    except ValueError:
        raise StoreError(
            f"state: the message {row['id']} cannot be read. A newer eventwatch may have written "
            "it; install that version, or delete the row"
        ) from None
    return Delivery(
        key=row["key"],
        channel=row["channel"],
        team=row["team"],
        message=Message(text=row["text"], blocks=row["blocks"], plain=row["plain"]),
        alert_ids=row["alert_ids"],
        created_at=row["created_at"],
        state=state,
        attempts=row["attempts"],
        not_before=row["not_before"],
        claimed_at=row["claimed_at"],
        sent_at=row["sent_at"],
        reference=row["reference"],
        last_error=row["last_error"],
        is_fallback=bool(row["is_fallback"]),
        action=action,
        post_id=row["post_id"],
        parent=row["parent"],
        incident_ids=row["incident_ids"],
    )


def _waiting_edit(one: Delivery) -> bool:
    return one.action is Action.UPDATE and one.state is DeliveryState.PENDING and one.post_id != ""


def _waits(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == DeliveryState.PENDING.value)


def _placed(one: Delivery, places: Mapping[str, posts.Place]) -> Delivery:
    place = places.get(one.post_id)
    # A message that makes its post says itself where that is.
    if place is None or one.action is Action.POST or one.state is not DeliveryState.PENDING:
        return one
    if place.dead:
        return replace(one, state=DeliveryState.DEAD, last_error=REFUSED_FOR_GOOD)
    return replace(one, channel=place.channel, team=place.team)


def _known(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        some = delivery.c.id.in_(ids[start : start + _CHUNK])
        found.update(connection.scalars(sa.select(delivery.c.id).where(some)))
    return found


def _take_places(connection: sa.Connection, edits: Sequence[dict[str, Any]]) -> set[str]:
    """Puts edits into the rows of those that wait; returns the ids of those that found one."""
    taken = set()
    for row in edits:
        waiting = sa.and_(
            delivery.c.post_id == row["post_id"],
            delivery.c.state == DeliveryState.PENDING.value,
            delivery.c.action == Action.UPDATE.value,
        )
        old = connection.scalar(
            sa.select(delivery.c.id).where(waiting).order_by(*ORDER).limit(1).with_for_update()
        )
        # On a server somebody may have claimed it in between: then the edit is a row of its own.
        if old is None:
            continue
        content = ("id", "key", "text", "blocks", "plain", "alert_ids", "incident_ids")
        changed = connection.execute(
            sa.update(delivery)
            .where(delivery.c.id == old, waiting)
            .values({name: row[name] for name in content})
        )
        if changed.rowcount:
            connection.execute(sa.delete(about).where(about.c.delivery_id == old))
            _link(connection, [row])
            taken.add(row["id"])
    return taken


def _link(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    links = [
        {"incident_id": incident_id, "delivery_id": row["id"]}
        for row in rows
        for incident_id in row["incident_ids"]
    ]
    if links:
        connection.execute(insert(connection, about).on_conflict_do_nothing(), links)


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
        "action": one.action.value,
        "post_id": one.post_id,
        "parent": one.parent,
        "incident_ids": one.incident_ids,
        "channel_id": channel_id(one.channel),
    }
