"""The telling step's transaction, and what a person does to an incident: both under one lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from eventwatch.model.incident import Board, Changes, Incident, Moment
from eventwatch.store import board as boards
from eventwatch.store import incidents, locks, moments, outbox, posts, silences
from eventwatch.store.encoding import key_of
from eventwatch.store.schema_incidents import digest
from eventwatch.store.upsert import insert


def tell(
    connection: sa.Connection,
    now: datetime,
    decide: Callable[[Board], Changes],
    window: timedelta,
) -> Changes:
    """Reads, decides, writes. Cycles may commit meanwhile: alerts are theirs and not written here."""
    locks.take(connection, locks.TELLING)
    board = boards.read(connection, now, window)
    changes = decide(board)
    incidents.write(connection, changes.incidents, {one.id: one for one in board.incidents})
    moments.add(connection, changes.moments, told=True)
    moments.mark_told(connection, changes.moments_told)
    known = {one.id: one for one in board.posts}
    posts.write(connection, (one for one in changes.posts if known.get(one.id) != one))
    outbox.add(connection, changes.deliveries)
    silences.add_hidden(connection, changes.hidden, now)
    silences.mark_told(connection, changes.silences_told)
    _write_digests(connection, changes.digests)
    return changes


def update(
    connection: sa.Connection,
    incident_id: str,
    change: Callable[[Incident], Incident | None],
    noted: Callable[[Incident], tuple[Moment, ...]],
) -> Incident | None:
    """One incident, changed by a person."""
    locks.take(connection, locks.TELLING)
    found = incidents.by_id(connection, (incident_id,))
    if not found:
        return None
    changed = change(found[0])
    if changed is None:
        return None
    incidents.write(connection, (changed,), {incident_id: found[0]})
    moments.add(connection, noted(changed), told=False)
    return changed


def _write_digests(connection: sa.Connection, made: Mapping[str, datetime]) -> None:
    rows = [{"id": key_of(name), "name": name, "at": at} for name, at in sorted(made.items())]
    if rows:
        new = insert(connection, digest)
        connection.execute(
            new.on_conflict_do_update(
                index_elements=["id"],
                set_={"at": new.excluded.at},
            ),
            rows,
        )
