"""The board of the telling step: what is open, what was so lately, the live messages, the silences.

A few indexed queries when nothing is open. Alerts are read in one statement, so that one that is just
closed by a cycle is seen before or after it, never in neither.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from eventwatch.model.alert import Alert
from eventwatch.model.incident import Board
from eventwatch.store import alerts, incidents, moments, posts, silences
from eventwatch.store.encoding import ago
from eventwatch.store.schema import alert
from eventwatch.store.schema_incidents import digest, incident, member

LONGEST = timedelta(days=7)
"""How long ago an incident may have been resolved to stand on the board still: longer than it may
open again, which the config says."""
LAST_POSTS = timedelta(days=1)
UNTOLD = timedelta(days=7)
"""The end of a silence that nobody told for so long is news no more."""
HIDDEN = timedelta(days=35)
"""How long what a silence or a maintenance window hid is kept at hand."""


def read(connection: sa.Connection, now: datetime, window: timedelta = LONGEST) -> Board:
    """Everything as of now; ``window``: of the resolved incidents, those that ended so lately."""
    lately = sa.or_(incidents.IS_OPEN, incident.c.resolved_at > ago(now, window))
    return Board(
        alerts=_alerts(connection, lately),
        incidents=incidents.select(connection, lately),
        posts=posts.select(connection, posts.NOT_CLOSED),
        moments=moments.untold(connection),
        silences=silences.to_tell(connection, now, ago(now, UNTOLD)),
        last_posts=posts.last(connection, ago(now, LAST_POSTS), now),
        hidden=silences.hidden_by(connection, ago(now, HIDDEN)),
        digests={
            row[0]: row[1] for row in connection.execute(sa.select(digest.c.name, digest.c.at))
        },
    )


def _alerts(connection: sa.Connection, lately: sa.ColumnElement[bool]) -> dict[str, Alert]:
    members = (
        sa.select(member.c.alert_id).join(incident, incident.c.id == member.c.incident_id)
    ).where(lately)
    still = sa.select(alert).where(alerts.IS_OPEN)
    over = sa.select(alert).where(alert.c.is_open == 0, alert.c.id.in_(members))
    both = sa.union_all(still, over).subquery()
    rows = connection.execute(sa.select(both).order_by(both.c.started_at, both.c.id))
    return {row.id: alerts.read(row._mapping) for row in rows}
