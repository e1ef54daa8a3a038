"""Leases and heartbeats.

A lease is a row with a fencing token: every commit of a cycle names the token, so a holder that slept
through its lease changes nothing when it wakes after somebody else took over. Whether a lease has run
out is told by the caller's clock; replicas keep theirs in step (NTP), and the token covers the rest.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from eventwatch.model.errors import LeaseHeld
from eventwatch.model.state import Lease
from eventwatch.store.encoding import key_of
from eventwatch.store.schema import heartbeat, lease
from eventwatch.store.upsert import greatest, insert

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def take(connection: sa.Connection, name: str, holder: str, now: datetime, ttl: timedelta) -> Lease:
    """Takes or renews. A renewal keeps the token, even when it comes late but before anybody else.

    Raises LeaseHeld while somebody else holds it, ValueError for an empty holder.
    """
    if not holder:
        raise ValueError("a lease needs a holder")
    key = key_of(name)
    connection.execute(
        insert(connection, lease)
        .values(id=key, name=name, holder="", token=0, expires_at=_NEVER)
        .on_conflict_do_nothing()
    )
    row = connection.execute(sa.select(lease).where(lease.c.id == key).with_for_update()).one()
    ours = row.holder == holder
    if row.holder and not ours and row.expires_at > now:
        raise LeaseHeld(name, row.holder)
    token = row.token if ours else row.token + 1
    expires_at = max(now + ttl, row.expires_at) if ours else now + ttl
    connection.execute(
        sa.update(lease)
        .where(lease.c.id == key)
        .values(holder=holder, token=token, expires_at=expires_at)
    )
    return Lease(name, holder, token, expires_at)


def give(connection: sa.Connection, held: Lease) -> None:
    """Gives it back if it is still the one that was taken."""
    connection.execute(
        sa.update(lease)
        .where(
            lease.c.id == key_of(held.name),
            lease.c.holder == held.holder,
            lease.c.token == held.token,
        )
        .values(holder="", expires_at=_NEVER)
    )


def verify(connection: sa.Connection, held: Lease, *, shared: bool = False) -> None:
    """Raises LeaseHeld when it was lost; else nobody can take it before this transaction ends.
    ``shared``: others may verify the same lease meanwhile."""
    row = connection.execute(
        sa.select(lease).where(lease.c.id == key_of(held.name)).with_for_update(read=shared)
    ).first()
    if row is None or row.token != held.token or row.holder != held.holder:
        holder = "nobody (it was given back)" if row is None or not row.holder else row.holder
        raise LeaseHeld(held.name, holder)


FUTURE = timedelta(minutes=5)
"""A beat that is so far ahead of us was written by a clock that was wrong."""


def beat(connection: sa.Connection, name: str, now: datetime) -> None:
    """Remembers the latest instant, but no instant of the future: while that stood, nobody would see
    that beats have ended."""
    new = insert(connection, heartbeat).values(id=key_of(name), name=name, at=now)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "at": sa.case(
                    (heartbeat.c.at > now + FUTURE, new.excluded.at),
                    else_=greatest(connection, heartbeat.c.at, new.excluded.at),
                )
            },
        )
    )


def last_beat(connection: sa.Connection, name: str) -> datetime | None:
    """None: never."""
    return connection.scalar(sa.select(heartbeat.c.at).where(heartbeat.c.id == key_of(name)))
