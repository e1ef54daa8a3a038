"""What cycles and audits read of the state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from eventwatch.model.alert import Alert, Delivery, Silence
from eventwatch.model.incident import Board, Incident, Moment, Post
from eventwatch.model.label import Label
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.state import ExposureState, Slot, Tally
from eventwatch.model.view import Seen
from eventwatch.store import (
    alerts,
    board,
    incidents,
    labels,
    leases,
    moments,
    outbox,
    posts,
    silences,
    slots,
)
from eventwatch.store import tally as counting
from eventwatch.store.encoding import decode_event_type, decode_instant, decode_text, key_of
from eventwatch.store.engine import Database
from eventwatch.store.schema import exposure_cycle, ledger


class SqlReader:
    """Implements ports.store.StateReader: one snapshot per question."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exposure_state(self, exposure: str, now: datetime) -> ExposureState:
        """State of one exposure; an empty one when it was never run."""
        exposure_id = key_of(exposure)
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(exposure_cycle).where(exposure_cycle.c.id == exposure_id)
            ).first()
            return ExposureState(
                watermark=None if row is None else row.watermark,
                watching_since=None if row is None else row.watching_since,
                recounted_on=None if row is None else row.recounted_on,
                ledger=_ledger(connection, exposure_id),
                alerts=alerts.open_alerts(connection, exposure_id),
                silences=silences.running(connection, now),
                labels=labels.known(connection, now, exposure_id),
            )

    def silences(
        self, now: datetime, *, ended_since: datetime | None = None
    ) -> tuple[Silence, ...]:
        """Silences that have not ended, the one that ends first first; after them those that ended
        since an instant, the latest first."""
        with self._database.reading() as connection:
            over = () if ended_since is None else silences.ended(connection, ended_since, now)
            return silences.running(connection, now) + over

    def hidden_by(self, silence_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Silence id → ids of the incidents that it held back, in that order."""
        with self._database.reading() as connection:
            return silences.hidden_of(connection, silence_ids)

    def labels(self, now: datetime) -> tuple[Label, ...]:
        """Labels of every exposure that were given and not withdrawn by then, newest first."""
        with self._database.reading() as connection:
            return labels.known(connection, now)

    def alerts_like(self, beginning: str, limit: int = 10) -> tuple[Alert, ...]:
        """Alerts, open and closed, whose fingerprint or id begins so; newest first."""
        with self._database.reading() as connection:
            return alerts.alerts_like(connection, beginning, limit)

    def incidents(self, *, open_only: bool = True, limit: int = 100) -> tuple[Incident, ...]:
        """Open ones first, then newest first."""
        with self._database.reading() as connection:
            return incidents.newest(connection, limit, open_only=open_only)

    def incidents_like(self, beginning: str, limit: int = 10) -> tuple[Incident, ...]:
        """By the beginning of the id, or of that of an alert; newest first."""
        with self._database.reading() as connection:
            return incidents.like(connection, beginning, limit)

    def moments(self, incident_id: str) -> tuple[Moment, ...]:
        """What happened to one incident, oldest first."""
        with self._database.reading() as connection:
            return moments.of(connection, incident_id)

    def posts_of(self, incident_id: str) -> tuple[Post, ...]:
        """The messages that show one incident, oldest first."""
        with self._database.reading() as connection:
            return posts.of_incident(connection, incident_id)

    def deliveries_of(self, incident_id: str) -> tuple[Delivery, ...]:
        """Rows of the outbox about one incident, withheld ones too, oldest first."""
        with self._database.reading() as connection:
            return outbox.of_incident(connection, incident_id)

    def alerts_of(self, alert_ids: Collection[str]) -> tuple[Alert, ...]:
        """Alerts by id, open and closed, oldest first."""
        with self._database.reading() as connection:
            return alerts.by_id(connection, alert_ids)

    def slots(self, exposure: str, since: datetime) -> tuple[Slot, ...]:
        """The slot ledger of one exposure, oldest first."""
        with self._database.reading() as connection:
            return slots.since(connection, exposure, since)

    def board(self, now: datetime, window: timedelta = board.LONGEST) -> Board:
        """What a telling step would look at; nothing is locked."""
        with self._database.reading() as connection:
            return board.read(connection, now, window)

    def tally(self) -> Tally:
        """What is open and what waits to be sent, counted."""
        with self._database.reading() as connection:
            return counting.tally(connection)

    def last_heartbeat(self, name: str) -> datetime | None:
        """None: never."""
        with self._database.reading() as connection:
            return leases.last_beat(connection, name)

    def close(self) -> None:
        """Gives back connections."""
        self._database.close()


def _ledger(connection: sa.Connection, exposure_id: str) -> dict[SeriesKey, Seen]:
    of = ledger.c
    # As they are stored: thousands of rows each cycle, of which nearly all have nothing to decode.
    texts = [sa.type_coerce(column, sa.Text) for column in (of.event_type, of.dimension, of.value)]
    instants = [sa.type_coerce(column, sa.BigInteger) for column in (of.first_at, of.last_at)]
    asked = sa.select(*texts, *instants).where(of.exposure_id == exposure_id)
    rows: Sequence[Any] = connection.execute(asked).fetchall()
    return {
        SeriesKey(
            decode_event_type(decode_text(event_type)), decode_text(dimension), decode_text(value)
        ): Seen(decode_instant(first_at), decode_instant(last_at))
        for event_type, dimension, value, first_at, last_at in rows
    }
