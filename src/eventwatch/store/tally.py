"""What is open and what waits, counted by the database: cheap enough to be asked every few seconds."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from eventwatch.model.alert import DeliveryState
from eventwatch.model.state import Tally
from eventwatch.store.encoding_incidents import decode_recipient
from eventwatch.store.incidents import IS_OPEN
from eventwatch.store.schema import heartbeat
from eventwatch.store.schema_incidents import incident
from eventwatch.store.schema_messages import delivery

_WAIT = (DeliveryState.PENDING.value, DeliveryState.SENDING.value)


def tally(connection: sa.Connection) -> Tally:
    """Reads two indexes; of incidents the open ones alone, of messages no text."""
    counts: Counter[tuple[str, str]] = Counter()
    groups = connection.execute(
        sa.select(incident.c.severity, incident.c.owner, sa.func.count())
        .where(IS_OPEN)
        .group_by(incident.c.severity, incident.c.owner)
    )
    for severity, owner, count in groups:
        # Rows of one team differ by the reason why it is the owner.
        counts[severity, decode_recipient(owner).team] += count
    unsent, oldest = 0, None
    # One state at a time: so the index gives the oldest without reading the others.
    for state in _WAIT:
        found = connection.execute(
            sa.select(sa.func.count(), sa.func.min(delivery.c.created_at)).where(
                delivery.c.state == state
            )
        ).one()
        unsent += found[0]
        if found[1] is not None:
            oldest = found[1] if oldest is None else min(oldest, found[1])
    beats = connection.execute(sa.select(heartbeat.c.name, heartbeat.c.at))
    return Tally(dict(counts), unsent, oldest, {row.name: row.at for row in beats})
