"""The state that cannot be rebuilt."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from eventwatch.model.alert import Alert, Delivery, Outcome, Silence
from eventwatch.model.label import Label
from eventwatch.model.state import CycleRecord, ExposureState, Lease


class StateReader(Protocol):
    """What an audit needs; never writes."""

    def exposure_state(self, exposure: str, now: datetime) -> ExposureState:
        """State of one exposure; an empty one when it was never run."""
        ...

    def silences(self, now: datetime) -> tuple[Silence, ...]:
        """Silences that have not ended."""
        ...

    def labels(self, now: datetime) -> tuple[Label, ...]:
        """Labels of every exposure that were given and not withdrawn by then, newest first."""
        ...

    def alerts_like(self, beginning: str, limit: int = 10) -> tuple[Alert, ...]:
        """Alerts, open and closed, whose fingerprint or id begins so; newest first."""
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

    def commit_cycle(self, record: CycleRecord) -> None:
        """All of it or nothing, in one transaction; a lease that was lost raises LeaseHeld and
        changes nothing. Deliveries whose key is known are left as they are."""
        ...

    def claim_deliveries(self, now: datetime, limit: int) -> tuple[Delivery, ...]:
        """Turns due pending rows into sending ones (conditional update; oldest first) and returns
        them as claimed."""
        ...

    def stuck_deliveries(self, claimed_before: datetime) -> tuple[Delivery, ...]:
        """Rows left in sending by a process that died: they may have been sent."""
        ...

    def settle_delivery(
        self, delivery: Delivery, outcome: Outcome, now: datetime, fallback: Delivery | None = None
    ) -> None:
        """Records the answer to an attempt; with REFUSED, the fallback row in the same
        transaction. UNKNOWN leaves the row in sending."""
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

    def heartbeat(self, name: str, now: datetime) -> None:
        """Proof that a cycle ran; after the commit only."""
        ...
