"""What the store remembers between cycles, and what one cycle adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from eventwatch.model.alert import Alert, Delivery, Silence
from eventwatch.model.label import Label
from eventwatch.model.view import Ledger


@dataclass(frozen=True)
class ExposureState:
    """One exposure as the last cycles left it."""

    watermark: datetime | None = None
    """``now`` of the last finished cycle; None: never."""
    watching_since: datetime | None = None
    recounted_on: date | None = None
    """UTC day of the last recount."""
    ledger: Ledger = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    """Open ones only (pending and firing)."""
    silences: tuple[Silence, ...] = ()
    """Not ended at the instant asked for; of every exposure."""
    labels: tuple[Label, ...] = ()
    """Known at the instant asked for; of this exposure."""


@dataclass(frozen=True)
class Lease:
    """The right to run cycles of one exposure until an instant."""

    name: str
    holder: str
    token: int
    """Fencing token: grows with every taking; every write of a cycle carries it."""
    expires_at: datetime


@dataclass(frozen=True)
class CycleRecord:
    """All that one cycle changes, for one transaction."""

    exposure: str
    run_id: str
    now: datetime
    lease: Lease | None
    watermark: datetime | None
    """None: nothing was measured, the watermark stays."""
    recounted_on: date | None
    """None: no recount in this cycle."""
    ledger: Ledger
    """Series that arrived in this cycle; merged by min and max."""
    alerts: tuple[Alert, ...]
    """Alerts that are new or changed."""
    deliveries: tuple[Delivery, ...]
    """New rows of the outbox."""
    counts: dict[str, int] = field(default_factory=dict)
    """Results by status."""
    catalog_digest: str = ""
    elapsed_seconds: float = 0.0
    error: str = ""
    """Why the exposure could not be measured; empty: it was."""


class SlotStatus(StrEnum):
    """How a scheduled slot ended. No row stays DUE or RUNNING for ever."""

    DUE = "due"
    RUNNING = "running"
    RAN = "ran"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Never ran, with the reason: coalesced, the run before had not ended, the process was down."""


@dataclass(frozen=True)
class Slot:
    """One time at which the schedule wanted a cycle of one exposure."""

    exposure: str
    scheduled_at: datetime
    status: SlotStatus
    reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    run_id: str = ""


@dataclass(frozen=True)
class Tally:
    """What is open and what waits to be sent, counted, and the last signs of life."""

    open_incidents: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(severity, owner) → open incidents; acknowledged ones are open."""
    unsent: int = 0
    """Deliveries that are to be sent and were not yet."""
    oldest_unsent_at: datetime | None = None
    """When the oldest of them was made; None: nothing waits."""
    beats: Mapping[str, datetime] = field(default_factory=dict)
    """Every heartbeat by name."""
