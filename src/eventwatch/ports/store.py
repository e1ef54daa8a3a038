"""The state that cannot be rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from eventwatch.model.alert import Alert, Delivery, Outcome, Silence
from eventwatch.model.incident import Board, Changes, Incident, Moment, Post
from eventwatch.model.label import Label
from eventwatch.model.state import CycleRecord, ExposureState, Lease, Slot, Tally


class StateReader(Protocol):
    """What an audit needs; never writes."""

    def exposure_state(self, exposure: str, now: datetime) -> ExposureState:
        """State of one exposure; an empty one when it was never run."""
        ...

    def silences(
        self, now: datetime, *, ended_since: datetime | None = None
    ) -> tuple[Silence, ...]:
        """Silences that have not ended; after them those that ended since an instant, if one is
        given."""
        ...

    def hidden_by(self, silence_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Silence id → ids of the incidents that it held back, in that order; those of maintenance
        windows too. One that hid nothing is absent."""
        ...

    def labels(self, now: datetime) -> tuple[Label, ...]:
        """Labels of every exposure that were given and not withdrawn by then, newest first."""
        ...

    def alerts_like(self, beginning: str, limit: int = 10) -> tuple[Alert, ...]:
        """Alerts, open and closed, whose fingerprint or id begins so; newest first."""
        ...

    def board(self, now: datetime) -> Board:
        """What a telling step would look at now."""
        ...

    def incidents(self, *, open_only: bool = True, limit: int = 100) -> tuple[Incident, ...]:
        """Open ones first, then newest first."""
        ...

    def incidents_like(self, beginning: str, limit: int = 10) -> tuple[Incident, ...]:
        """Incidents whose id begins so, and those that an alert with such an id or fingerprint
        belongs to; newest first."""
        ...

    def moments(self, incident_id: str) -> tuple[Moment, ...]:
        """What happened to one incident, oldest first."""
        ...

    def posts_of(self, incident_id: str) -> tuple[Post, ...]:
        """The messages that show one incident, oldest first."""
        ...

    def deliveries_of(self, incident_id: str) -> tuple[Delivery, ...]:
        """Rows of the outbox about one incident, withheld ones too, oldest first."""
        ...

    def alerts_of(self, alert_ids: Collection[str]) -> tuple[Alert, ...]:
        """Alerts by id, open and closed."""
        ...

    def slots(self, exposure: str, since: datetime) -> tuple[Slot, ...]:
        """The slot ledger of one exposure, oldest first."""
        ...

    def tally(self) -> Tally:
        """What is open and what waits to be sent, counted; cheap."""
        ...

    def last_heartbeat(self, name: str) -> datetime | None:
        """None: never."""
        ...

    def close(self) -> None:
        """Gives back connections."""
        ...


class Store(StateReader, Protocol):
    """What a recording cycle needs. Raises StoreError throughout."""

    def take_lease(self, name: str, holder: str, now: datetime, ttl: timedelta) -> Lease:
        """Takes or renews; raises LeaseHeld while somebody else holds it."""
        ...

    def give_lease(self, lease: Lease) -> None:
        """Gives it back if it is still ours."""
        ...

    def fenced(self, lease: Lease) -> Store:
        """The same state, written only while the lease is held: every write asks first, and raises
        LeaseHeld where it was lost. Reading is free."""
        ...

    def commit_cycle(self, record: CycleRecord) -> None:
        """All of it or nothing, in one transaction; a lease that was lost raises LeaseHeld and
        changes nothing. Deliveries whose key is known are left as they are."""
        ...

    def tell(self, now: datetime, decide: Callable[[Board], Changes]) -> Changes:
        """The telling step: reads the board, asks ``decide`` (pure, may be called once only), writes
        what it changes; one transaction that excludes every other telling step of any process.
        Deliveries whose key is known are left as they are."""
        ...

    def update_incident(
        self,
        incident_id: str,
        change: Callable[[Incident], Incident | None],
        moments: Callable[[Incident], tuple[Moment, ...]] = lambda _: (),
    ) -> Incident | None:
        """What a person does to an incident, in one transaction: ``change`` gives the new row or None
        for no change, ``moments`` what is noted of it. None: there is no such incident, or no change.
        Messages follow with the next telling step."""
        ...

    def claim_deliveries(
        self, now: datetime, limit: int, *, busy: Collection[str] = ()
    ) -> tuple[Delivery, ...]:
        """Turns due pending rows into sending ones (conditional update) and returns them as claimed.

        At most one row per channel, its oldest that is due; none of a channel in ``busy``, none of a
        channel that has a row in sending, no UPDATE, REPLY or CHART of a post that was not accepted
        yet, no REPLY before an older one of its thread. What belongs to a dead post ends as dead."""
        ...

    def stuck_deliveries(self, claimed_before: datetime) -> tuple[Delivery, ...]:
        """Rows left in sending by a process that died: they may have been sent."""
        ...

    def settle_delivery(
        self, delivery: Delivery, outcome: Outcome, now: datetime, fallback: Delivery | None = None
    ) -> None:
        """Records the answer to an attempt; with REFUSED, the fallback row in the same
        transaction. UNKNOWN leaves the row in sending. A POST that was accepted gives its post the
        reference; a refused one with a fallback moves its post to the fallback's channel, and one
        without makes the post dead, with every row that waits for it."""
        ...

    def deliveries(self, limit: int = 100) -> tuple[Delivery, ...]:
        """The newest rows of the outbox, for people and tests."""
        ...

    def add_silence(self, silence: Silence) -> None:
        """Remembers it."""
        ...

    def end_silence(self, silence_id: str, now: datetime) -> bool:
        """Ends it now; False when there is none of that id."""
        ...

    def add_label(self, label: Label) -> None:
        """Remembers it; one whose id is known is left as it is."""
        ...

    def withdraw_label(self, label_id: str, now: datetime) -> bool:
        """It counts no longer; False when there is none of that id that counted."""
        ...

    def write_slots(self, slots: Sequence[Slot]) -> None:
        """New slots and those that changed, by exposure and ``scheduled_at``. An ended slot (RAN,
        FAILED, SKIPPED) stays as it is."""
        ...

    def heartbeat(self, name: str, now: datetime) -> None:
        """Proof that a cycle ran; after the commit only."""
        ...
