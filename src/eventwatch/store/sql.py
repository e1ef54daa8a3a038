"""The state in SQL: SQLite by default, PostgreSQL for several replicas.

``open_store`` makes and upgrades what it opens; ``open_reader`` never changes anything and is what an
audit uses beside a running daemon.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

import sqlalchemy as sa

from eventwatch.model.alert import Delivery, Outcome, Silence
from eventwatch.model.errors import StoreError
from eventwatch.model.label import Label
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord, Lease
from eventwatch.store import cycle, labels, leases, outbox
from eventwatch.store.engine import Limits, open_database, parse_url
from eventwatch.store.migrate import Found, inspect, prepare
from eventwatch.store.reading import SqlReader
from eventwatch.store.schema import silence as silence_table
from eventwatch.store.upsert import insert


def open_store(url: Secret, *, limits: Limits | None = None) -> SqlStore:
    """The state, made or upgraded if need be. Raises StoreError with what to do."""
    limits = Limits() if limits is None else limits
    database = open_database(parse_url(url), limits)
    try:
        prepare(database, limits)
    except BaseException:
        database.close()
        raise
    return SqlStore(database)


def open_reader(url: Secret, *, limits: Limits | None = None) -> SqlReader | None:
    """The state for reading only; None where there is none yet.

    Raises StoreError when it is not ours, damaged, or of a schema that this version does not read.
    """
    limits = Limits() if limits is None else limits
    database = open_database(parse_url(url), limits, read_only=True)
    if database.path is not None and not database.path.exists():
        return None
    try:
        with database.reading() as connection:
            found = inspect(connection, database)
    except BaseException:
        database.close()
        raise
    if found is Found.OURS:
        return SqlReader(database)
    database.close()
    if found is Found.NOTHING:
        return None
    raise StoreError(
        f"state {database.place}: an older eventwatch wrote it and it was not upgraded yet. Start "
        "`eventwatch run` or `eventwatch run-once --send` once, which upgrades it"
    )


class SqlStore(SqlReader):
    """Implements ports.store.Store. Every method is one transaction; safe for threads."""

    def take_lease(self, name: str, holder: str, now: datetime, ttl: timedelta) -> Lease:
        """Takes or renews; raises LeaseHeld while somebody else holds it."""
        with self._database.writing() as connection:
            return leases.take(connection, name, holder, now, ttl)

    def give_lease(self, lease: Lease) -> None:
        """Gives it back if it is still ours."""
        with self._database.writing() as connection:
            leases.give(connection, lease)

    def commit_cycle(self, record: CycleRecord) -> None:
        """All of it or nothing; raises LeaseHeld when the record's lease was lost."""
        with self._database.writing() as connection:
            cycle.commit(connection, record)

    def prune(self, now: datetime) -> None:
        """Forgets what is past its time, at most once a day; every commit does it too."""
        with self._database.writing() as connection:
            cycle.prune(connection, now)

    def claim_deliveries(self, now: datetime, limit: int) -> tuple[Delivery, ...]:
        """Due pending rows, now in sending and ours, oldest first."""
        with self._database.writing() as connection:
            return outbox.claim(connection, now, limit)

    def stuck_deliveries(self, claimed_before: datetime) -> tuple[Delivery, ...]:
        """Rows in sending whose claim is older: they may have been sent."""
        with self._database.reading() as connection:
            return outbox.stuck(connection, claimed_before)

    def settle_delivery(
        self, delivery: Delivery, outcome: Outcome, now: datetime, fallback: Delivery | None = None
    ) -> None:
        """Records the answer to an attempt. Nothing happens when the claim no longer holds, except
        that SENT is believed at any time."""
        with self._database.writing() as connection:
            outbox.settle(connection, delivery, outcome, now, fallback)

    def deliveries(self, limit: int = 100) -> tuple[Delivery, ...]:
        """The newest rows of the outbox."""
        with self._database.reading() as connection:
            return outbox.newest(connection, limit)

    def add_silence(self, silence: Silence) -> None:
        """Remembers it; one whose id is known is left as it is."""
        with self._database.writing() as connection:
            connection.execute(
                insert(connection, silence_table).values(**asdict(silence)).on_conflict_do_nothing()
            )

    def end_silence(self, silence_id: str, now: datetime) -> bool:
        """Ends it now, if it has not ended; False when there is none of that id."""
        mine = silence_table.c.id == silence_id
        with self._database.writing() as connection:
            connection.execute(
                sa.update(silence_table)
                .where(mine, silence_table.c.ends_at > now)
                .values(ends_at=now)
            )
            found: str | None = connection.scalar(sa.select(silence_table.c.id).where(mine))
            return found is not None

    def add_label(self, label: Label) -> None:
        """Remembers it; one whose id is known is left as it is."""
        with self._database.writing() as connection:
            labels.add(connection, label)

    def withdraw_label(self, label_id: str, now: datetime) -> bool:
        """It counts no longer; False when there is none of that id that counted."""
        with self._database.writing() as connection:
            return labels.withdraw(connection, label_id, now)

    def heartbeat(self, name: str, now: datetime) -> None:
        """Proof that a cycle ran."""
        with self._database.writing() as connection:
            leases.beat(connection, name, now)
