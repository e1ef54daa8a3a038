"""Contracts as the rest of the house sees them: no protobuf here, only what a contract promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType


class Tier(StrEnum):
    """How loud a problem with an event type is; unspecified counts as standard."""

    CRITICAL = "critical"
    STANDARD = "standard"
    BEST_EFFORT = "best_effort"


class LifecycleState(StrEnum):
    """Where an event type is in its life; unspecified counts as active."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class Pattern(StrEnum):
    """The usual shape of an event type's counts."""

    LEARNED = "learned"
    CONTINUOUS = "continuous"
    BURSTY = "bursty"
    SPARSE = "sparse"


class Direction(StrEnum):
    """Which way a deviation must go to count."""

    BOTH = "both"
    DROP = "drop"
    SPIKE = "spike"


@dataclass(frozen=True)
class Location:
    """Where a contract says what it says."""

    path: str
    """Relative to the root of the contract source, with ``/``; or the descriptor set's file name."""
    line: int | None
    """1-based line of the message; None when the source keeps no positions."""

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Owner:
    """Who answers, as the contract words it; empty strings where it says nothing."""

    team: str = ""
    slack_channel: str = ""
    oncall: str = ""
    email: str = ""


@dataclass(frozen=True)
class Team:
    """One entry of the team directory; empty strings where nothing is known."""

    key: str
    slack_channel: str = ""
    slack_group_id: str = ""
    oncall: str = ""
    email: str = ""
    escalate_to: str = ""
    location: Location | None = None


@dataclass(frozen=True)
class Consumer:
    """Somebody downstream: told, never paged."""

    name: str
    slack_channel: str = ""


@dataclass(frozen=True)
class Suppression:
    """A check switched off on purpose, up to and including a day."""

    check: str
    """``all``, ``freshness``, ``volume``, ``payload``, ``platforms``, ``drift`` or ``duplicates``."""
    reason: str
    until: date


@dataclass(frozen=True)
class FieldContract:
    """The contract of one field of an event."""

    name: str
    type_name: str
    description: str = ""
    required: bool = False
    pii: str = ""
    max_null_ratio: float | None = None
    unit: str = ""
    entity: str = ""


@dataclass(frozen=True)
class Contract:
    """The promise for one event type."""

    event_type: str
    message_name: str
    """Full protobuf name, e.g. ``acme.events.UserFollowedUser``."""
    location: Location
    owner: Owner = Owner()
    description: str = ""
    tier: Tier = Tier.STANDARD
    state: LifecycleState = LifecycleState.ACTIVE
    since: date | None = None
    sunset: date | None = None
    replaced_by: str = ""
    max_gap: timedelta | None = None
    """Longest silence in arrivals; None: learned from history."""
    max_lag: timedelta | None = None
    """Longest accepted loaded − occurred for 95 % of rows; None: the check's own limit."""
    min_per_day: int | None = None
    max_per_day: int | None = None
    z_threshold: float | None = None
    pattern: Pattern = Pattern.LEARNED
    alert_on: Direction = Direction.BOTH
    expected_values: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Dimension name → values that must be seen, e.g. {"platform": ("ios", "android")}. A dimension
    that is absent is not checked."""
    consumers: tuple[Consumer, ...] = ()
    tags: tuple[str, ...] = ()
    runbook_url: str = ""
    exposures: tuple[str, ...] = ()
    """Names of the exposures it lands in; empty: any."""
    suppressions: tuple[Suppression, ...] = ()
    fields: tuple[FieldContract, ...] = ()

    def lands_in(self, exposure: str) -> bool:
        """Whether the event type is expected in this exposure."""
        return not self.exposures or exposure in self.exposures


@dataclass(frozen=True)
class Catalog:
    """Every contract and team of a source, immutable, with a digest of what was read."""

    contracts: Mapping[str, Contract]
    """By event type, sorted."""
    teams: Mapping[str, Team]
    """By team key."""
    digest: str
    """SHA-256 hex of the compiled descriptors; equal inputs give equal digests."""
    source: str = ""
    """What was read, for people."""

    def of(self, event_type: str | None) -> Contract | None:
        """The contract of an event type; None for one that nobody declared."""
        return None if event_type is None else self.contracts.get(event_type)

    def declared_in(self, exposure: str) -> tuple[Contract, ...]:
        """Contracts expected in one exposure, sorted by event type."""
        return tuple(c for c in self.contracts.values() if c.lands_in(exposure))
