"""What a daemon says of itself at one moment: plain values, gathered by whoever owns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class ExposureVitals:
    """One exposure. None: not known yet."""

    cycle_age: timedelta | None = None
    """Since the last finished cycle, of any process; where there never was one, since this began."""
    cycle_age_limit: timedelta | None = None
    """Beyond which a cycle is late, by the exposure's schedule."""
    cycle_duration: timedelta | None = None
    scan_duration: timedelta | None = None
    rows_read: int = 0
    """By all cycles of this process."""
    cycles: Mapping[str, int] = field(default_factory=dict)
    """How slots ended in this process: ``ran``, ``failed``, ``skipped`` → count."""
    results: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(kind, status) → results of the last cycle."""


@dataclass(frozen=True)
class Vitals:
    """The whole daemon."""

    exposures: Mapping[str, ExposureVitals]
    open_incidents: Mapping[tuple[str, str], int]
    """(severity, owner) → open incidents."""
    oldest_unsent: timedelta | None
    """Age of the oldest delivery that is to be sent and was not; None: nothing waits."""
    unsent: int
    contracts_digest: str
    contracts_age: timedelta
    """Since they were read successfully."""
    version: str
    leads: bool = True
    """It holds the right to run cycles; False: it stands by."""
    not_ready: str = ""
    """Why it is not ready, for those who may know; empty: it is."""
