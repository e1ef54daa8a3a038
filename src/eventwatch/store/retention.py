"""What is forgotten in time. What waits, is open or goes on is never forgotten, however old."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from eventwatch.model.alert import Action, DeliveryState
from eventwatch.store.encoding import ago
from eventwatch.store.schema import alert, cycle, label, ledger, meta, silence, slot
from eventwatch.store.schema_incidents import hidden, incident, member, moment
from eventwatch.store.schema_messages import about, delivery, entry, post
from eventwatch.store.upsert import insert

KEEP = timedelta(days=400)
"""Alerts, incidents with all that belongs to them, silences, labels that were withdrawn: a year back
can be compared."""
KEEP_CYCLES = timedelta(days=30)
"""One row a cycle and one a slot."""
KEEP_DELIVERIES = timedelta(days=90)
KEEP_EDITS = timedelta(days=7)
"""An open incident is edited several times an hour; what it read between is nobody's question."""
KEEP_NAMES = timedelta(days=1000)
"""An event type, or a value, after its last row: longer than what most exposures look back, so that
none comes and goes; but a table that invents names must not fill the disk for ever."""
_PRUNED = "pruned_on"
_DONE = [s.value for s in (DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.WITHHELD)]
_EDITS = [Action.UPDATE.value, Action.CHART.value]


def prune(connection: sa.Connection, now: datetime) -> None:
    """Forgets what is past its time; does nothing when it was done today already."""
    today = now.date().isoformat()
    if connection.scalar(sa.select(meta.c.value).where(meta.c.key == _PRUNED)) == today:
        return
    new = insert(connection, meta).values(key=_PRUNED, value=today)
    connection.execute(
        new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value})
    )
    _incidents(connection, ago(now, KEEP))
    # An alert is kept for as long as an incident names it.
    named = sa.exists().where(member.c.alert_id == alert.c.id)
    connection.execute(
        sa.delete(alert).where(alert.c.is_open == 0, alert.c.ended_at < ago(now, KEEP), ~named)
    )
    connection.execute(sa.delete(cycle).where(cycle.c.at < ago(now, KEEP_CYCLES)))
    connection.execute(sa.delete(slot).where(slot.c.scheduled_at < ago(now, KEEP_CYCLES)))
    connection.execute(sa.delete(ledger).where(ledger.c.last_at < ago(now, KEEP_NAMES)))
    connection.execute(sa.delete(silence).where(silence.c.ends_at < ago(now, KEEP)))
    # A label that counts is kept for as long as the exposure may hold the rows it is about.
    connection.execute(sa.delete(label).where(label.c.withdrawn_at < ago(now, KEEP)))
    _messages(connection, now)


def _incidents(connection: sa.Connection, before: datetime) -> None:
    # A resolved one always says since when; should one not, its opening counts.
    ended = sa.func.coalesce(incident.c.resolved_at, incident.c.opened_at)
    over = sa.select(incident.c.id).where(incident.c.is_open == 0, ended < before)
    for table in (member, moment, hidden):
        connection.execute(sa.delete(table).where(table.c.incident_id.in_(over)))
    connection.execute(sa.delete(incident).where(incident.c.is_open == 0, ended < before))
    # A post goes with the last incident that it lists; one that lists none, by its age.
    live = (
        sa.select(entry.c.post_id)
        .join(incident, incident.c.id == entry.c.incident_id)
        .where(entry.c.post_id == post.c.id)
    )
    gone = sa.select(post.c.id).where(post.c.created_at < before, ~sa.exists(live))
    connection.execute(sa.delete(post).where(post.c.id.in_(gone)))
    orphan = ~sa.exists().where(post.c.id == entry.c.post_id)
    connection.execute(sa.delete(entry).where(orphan))


def _messages(connection: sa.Connection, now: datetime) -> None:
    old = sa.or_(
        delivery.c.created_at < ago(now, KEEP_DELIVERIES),
        sa.and_(delivery.c.created_at < ago(now, KEEP_EDITS), delivery.c.action.in_(_EDITS)),
    )
    over = sa.and_(delivery.c.state.in_(_DONE), delivery.c.created_at < ago(now, KEEP_EDITS), old)
    ids = sa.select(delivery.c.id).where(over)
    connection.execute(sa.delete(about).where(about.c.delivery_id.in_(ids)))
    connection.execute(sa.delete(delivery).where(over))
