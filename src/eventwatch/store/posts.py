"""Live messages as rows.

The telling step says what a post shows; where it is and what the service calls it is known by whoever
sends. Neither overwrites the other's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Entry, Post, Role
from eventwatch.store.schema_messages import entry, post
from eventwatch.store.upsert import insert

NOT_CLOSED = post.c.closed_at.is_(None)


@dataclass(frozen=True)
class Place:
    """Where a post is now."""

    channel: str
    team: str
    dead: bool


def select(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> tuple[Post, ...]:
    """Those that a condition on the table picks, oldest first."""
    rows = connection.execute(
        sa.select(post).where(wanted).order_by(post.c.created_at, post.c.id)
    ).all()
    if not rows:
        return ()
    entries = connection.execute(
        sa.select(entry.c.post_id, entry.c.incident_id, entry.c.role)
        .where(entry.c.post_id.in_(sa.select(post.c.id).where(wanted)))
        .order_by(entry.c.post_id, entry.c.place)
    ).all()
    of = {
        name: tuple(_entry(name, row[1], row[2]) for row in group)
        for name, group in groupby(entries, key=lambda row: str(row[0]))
    }
    return tuple(
        Post(
            id=row.id,
            channel=row.channel,
            team=row.team,
            entries=of.get(row.id, ()),
            created_at=row.created_at,
            reference=row.reference,
            shown=row.shown,
            refreshed_at=row.refreshed_at,
            closed_at=row.closed_at,
            dead=bool(row.dead),
        )
        for row in rows
    )


def of_incident(connection: sa.Connection, incident_id: str) -> tuple[Post, ...]:
    """Those that list it, oldest first."""
    return select(
        connection,
        post.c.id.in_(sa.select(entry.c.post_id).where(entry.c.incident_id == incident_id)),
    )


def last(
    connection: sa.Connection, since: datetime, now: datetime
) -> dict[tuple[str, str], datetime]:
    """(channel, team) → when its newest post was made. One that had to move counts for where it was
    meant to be as well: a dead channel is not tried more often than a good one. What a clock that was
    ahead made later than now counts for nobody."""
    rows = connection.execute(
        sa.select(
            post.c.channel,
            post.c.team,
            post.c.first_channel,
            post.c.first_team,
            sa.func.max(post.c.created_at),
        )
        .where(post.c.created_at > since, post.c.created_at <= now)
        .group_by(post.c.channel, post.c.team, post.c.first_channel, post.c.first_team)
    )
    found: dict[tuple[str, str], datetime] = {}
    for channel, team, first_channel, first_team, at in rows:
        for key in ((channel, team), (first_channel, first_team)):
            found[key] = max(at, found.get(key, at))
    return found


def write(connection: sa.Connection, posts: Iterable[Post]) -> None:
    """New ones whole; of known ones what they show."""
    # By id, so that two transactions never wait for each other crosswise.
    posts = sorted(posts, key=lambda each: each.id)
    rows = [
        {
            "id": one.id,
            "channel": one.channel,
            "team": one.team,
            "first_channel": one.channel,
            "first_team": one.team,
            "created_at": one.created_at,
            "reference": one.reference,
            "shown": one.shown,
            "refreshed_at": one.refreshed_at,
            "closed_at": one.closed_at,
            "dead": int(one.dead),
        }
        for one in posts
    ]
    if not rows:
        return
    new = insert(connection, post)
    columns = ("shown", "refreshed_at", "closed_at")
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["id"], set_={name: new.excluded[name] for name in columns}
        ),
        rows,
    )
    listed = [
        {
            "post_id": one.id,
            "place": place,
            "incident_id": each.incident_id,
            "role": each.role.value,
        }
        for one in posts
        for place, each in enumerate(one.entries)
    ]
    if listed:
        connection.execute(insert(connection, entry).on_conflict_do_nothing(), listed)


def places(connection: sa.Connection, ids: Iterable[str]) -> Mapping[str, Place]:
    """Where posts are; they stay there until this transaction ends."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = connection.execute(
        sa.select(post.c.id, post.c.channel, post.c.team, post.c.dead)
        .where(post.c.id.in_(wanted))
        .order_by(post.c.id)
        .with_for_update()
    )
    return {row.id: Place(row.channel, row.team, bool(row.dead)) for row in rows}


def _entry(post_id: str, incident_id: str, role: str) -> Entry:
    try:
        return Entry(incident_id, Role(role))
    except ValueError:
        raise StoreError(
            f"state: the post {post_id} cannot be read. A newer eventwatch may have written it; "
            "install that version, or delete the row"
        ) from None
