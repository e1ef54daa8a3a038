"""The state in SQL: SQLite by default, PostgreSQL for several replicas.

``open_store`` makes and upgrades what it opens; ``open_reader`` never changes anything and is what an
audit uses beside a running daemon.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from eventwatch.model.alert import Delivery, Outcome, Silence
from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Board, Changes, Incident, Moment
from eventwatch.model.label import Label
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord, Lease, Slot
from eventwatch.store import (
    claiming,
    cycle,
    labels,
    leases,
    outbox,
    retention,
    settling,
    silences,
    telling,
)
from eventwatch.store import slots as slot_ledger
from eventwatch.store.board import LONGEST
from eventwatch.store.engine import Limits, open_database, parse_url
from eventwatch.store.lost import refuse_if_lost, witness_among
from eventwatch.store.migrate import Found, inspect, prepare
from eventwatch.store.reading import SqlReader


def open_store(
    url: Secret, *, limits: Limits | None = None, beside: Path | None = None
) -> SqlStore:
    """The state, made or upgraded if need be. ``beside``: a folder of this machine where it is noted
    that a server has one, so that one that was emptied is no first start. Raises StoreError with what
    to do."""
    limits = Limits() if limits is None else limits
    parsed = parse_url(url)
    database = open_database(parsed, limits)
    witness = None if beside is None or database.path else witness_among(beside, parsed)
    try:
        prepare(database, limits, witness)
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
        refuse_if_lost(database.path)
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

    def fenced(self, lease: Lease) -> SqlStore:
        """The same state, written only while the lease is held: every transaction asks first, and
        nobody can take the lease before it ends. Raises LeaseHeld where it was lost."""
        fence = partial(leases.verify, held=lease, shared=True)
        return SqlStore(replace(self._database, fence=fence))

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
            retention.prune(connection, now)

    def tell(
        self,
        now: datetime,
        decide: Callable[[Board], Changes],
        *,
        window: timedelta = LONGEST,
    ) -> Changes:
        """The telling step; ``window``: how long ago incidents on the board may have been resolved."""
        with self._database.writing() as connection:
            return telling.tell(connection, now, decide, window)

    def update_incident(
        self,
        incident_id: str,
        change: Callable[[Incident], Incident | None],
        moments: Callable[[Incident], tuple[Moment, ...]] = lambda _: (),
    ) -> Incident | None:
        """What a person does to an incident. None: there is none of that id, or no change."""
        with self._database.writing() as connection:
            return telling.update(connection, incident_id, change, moments)

    def claim_deliveries(
        self, now: datetime, limit: int, *, busy: Collection[str] = ()
    ) -> tuple[Delivery, ...]:
        """Due pending rows, now in sending and ours: of each channel that is not busy its oldest."""
        with self._database.writing() as connection:
            return claiming.claim(connection, now, limit, busy)

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
            settling.settle(connection, delivery, outcome, now, fallback)

    def deliveries(self, limit: int = 100) -> tuple[Delivery, ...]:
        """The newest rows of the outbox."""
        with self._database.reading() as connection:
            return outbox.newest(connection, limit)

    def add_silence(self, silence: Silence) -> None:
        """Remembers it; one whose id is known is left as it is."""
        with self._database.writing() as connection:
            silences.add(connection, silence)

    def end_silence(self, silence_id: str, now: datetime) -> bool:
        """Ends it now, if it has not ended; False when there is none of that id."""
        with self._database.writing() as connection:
            return silences.end(connection, silence_id, now)

    def add_label(self, label: Label) -> None:
        """Remembers it; one whose id is known is left as it is."""
        with self._database.writing() as connection:
            labels.add(connection, label)

    def withdraw_label(self, label_id: str, now: datetime) -> bool:
        """It counts no longer; False when there is none of that id that counted."""
        with self._database.writing() as connection:
            return labels.withdraw(connection, label_id, now)

    def write_slots(self, slots: Sequence[Slot]) -> None:
        """New slots and those that changed; one that ended stays as it is."""
        with self._database.writing() as connection:
            slot_ledger.write(connection, slots)

    def heartbeat(self, name: str, now: datetime) -> None:
        """Proof that a cycle ran."""
        with self._database.writing() as connection:
            leases.beat(connection, name, now)
