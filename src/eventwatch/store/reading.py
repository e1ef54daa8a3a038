"""What cycles and audits read of the state."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from eventwatch.model.alert import Alert, Silence
from eventwatch.model.label import Label
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.state import ExposureState
from eventwatch.model.view import Seen
from eventwatch.store import labels, leases
from eventwatch.store.alerts import alerts_like, open_alerts
from eventwatch.store.encoding import decode_event_type, key_of
from eventwatch.store.engine import Database
from eventwatch.store.schema import exposure_cycle, ledger, silence


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
                alerts=open_alerts(connection, exposure_id),
                silences=_silences(connection, now),
                labels=labels.known(connection, now, exposure_id),
            )

    def silences(self, now: datetime) -> tuple[Silence, ...]:
        """Silences that have not ended, the one that ends first first."""
        with self._database.reading() as connection:
            return _silences(connection, now)

    def labels(self, now: datetime) -> tuple[Label, ...]:
        """Labels of every exposure that were given and not withdrawn by then, newest first."""
        with self._database.reading() as connection:
            return labels.known(connection, now)

    def alerts_like(self, beginning: str, limit: int = 10) -> tuple[Alert, ...]:
        """Alerts, open and closed, whose fingerprint or id begins so; newest first."""
        with self._database.reading() as connection:
            return alerts_like(connection, beginning, limit)

    def last_heartbeat(self, name: str) -> datetime | None:
        """None: never."""
        with self._database.reading() as connection:
            return leases.last_beat(connection, name)

    def close(self) -> None:
        """Gives back connections."""
        self._database.close()


def _ledger(connection: sa.Connection, exposure_id: str) -> dict[SeriesKey, Seen]:
    rows = connection.execute(
        sa.select(
            ledger.c.event_type,
            ledger.c.dimension,
            ledger.c.value,
            ledger.c.first_at,
            ledger.c.last_at,
        ).where(ledger.c.exposure_id == exposure_id)
    )
    return {
        SeriesKey(decode_event_type(event_type), dimension, value): Seen(first_at, last_at)
        for event_type, dimension, value, first_at, last_at in rows
    }


def _silences(connection: sa.Connection, now: datetime) -> tuple[Silence, ...]:
    rows = connection.execute(
        sa.select(silence).where(silence.c.ends_at > now).order_by(silence.c.ends_at, silence.c.id)
    )
    return tuple(Silence(**row._mapping) for row in rows)
