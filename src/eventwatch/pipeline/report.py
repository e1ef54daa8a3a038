"""What one run found, for every output form. The exit code is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from eventwatch.alerting.route import Route
from eventwatch.model.alert import Alert, Delivery, Outcome
from eventwatch.model.contract import Contract
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Severity, Status


class Disposition(StrEnum):
    """What becomes of a bad result."""

    FIRING = "firing"
    """Its owner is told (or already knows)."""
    PENDING = "pending"
    """It must last longer to be told."""
    SILENCED = "silenced"
    """A person muted it."""
    SUPPRESSED = "suppressed"
    """The contract switches the check off."""


@dataclass(frozen=True)
class Finding:
    """One bad result (FAIL) or one that could not be had (ERROR), with whom it concerns."""

    result: Result
    route: Route
    disposition: Disposition
    contract: Contract | None = None
    alert: Alert | None = None
    reason: str = ""
    """Why it is silenced, suppressed or pending."""
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExposureReport:
    """One exposure in one run."""

    name: str
    at: datetime
    row_count: int = 0
    """Rows in the look-back, by the measurements."""
    event_type_count: int = 0
    """Event types that came in the look-back."""
    last_arrival_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    """FAILs, worst first: severity, then disposition, then kind and event type."""
    errors: tuple[Result, ...] = ()
    """ERROR results: what could not be judged and why."""
    learning: tuple[Result, ...] = ()
    status_counts: Mapping[Status, int] = field(default_factory=dict)
    kind_counts: Mapping[tuple[KindName, Status], int] = field(default_factory=dict)
    error: str = ""
    """Why the exposure could not be measured at all; empty: it was."""
    notes: tuple[str, ...] = ()
    """Further sentences for people: approximate, capped dimensions, rows without a load time."""
    rows_read: int = 0
    statements: int = 0
    elapsed: timedelta = timedelta(0)
    read_from: datetime | None = None
    """First load that this run's scan read; None: nothing was read."""

    @property
    def late_by(self) -> timedelta | None:
        """Age of the newest arrival; None when nothing ever arrived."""
        return None if self.last_arrival_at is None else self.at - self.last_arrival_at


@dataclass(frozen=True)
class Report:
    """One run over one or more exposures."""

    run_id: str
    at: datetime
    exposures: tuple[ExposureReport, ...]
    messages: tuple[Delivery, ...] = ()
    """What was put into the outbox, or with ``--preview`` what would be."""
    outcomes: tuple[tuple[Delivery, Outcome], ...] = ()
    """With ``--send``: how each attempt ended."""
    recorded: bool = False
    """True: one full cycle; False: an audit that changed nothing."""
    fallback_team: str = ""

    def worst(self) -> Severity | None:
        """The highest severity among firing findings; None: nothing is wrong."""
        found = [
            f.result.severity
            for e in self.exposures
            for f in e.findings
            if f.disposition is Disposition.FIRING
        ]
        return max(found, key=lambda s: s.rank, default=None)

    def incomplete(self) -> bool:
        """Something could not be measured or delivered."""
        return any(e.error or e.errors for e in self.exposures) or any(
            o.verdict.value != "sent" for _, o in self.outcomes
        )

    def exit_code(self, fail_on: Severity | None) -> int:
        """0 nothing wrong, 1 wrong data from ``fail_on`` up (None: never), 3 not measured or
        delivered. 1 wins over 3. (2, wrong config or contracts, never gets as far as a report.)"""
        worst = self.worst()
        if fail_on is not None and worst is not None and worst.rank >= fail_on.rank:
            return 1
        return 3 if self.incomplete() else 0
