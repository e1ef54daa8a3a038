"""What a person is told about: the alerts of one cause, the message that shows them, what happened.

Alerts are remembered per fingerprint by the cycle of their exposure. Incidents are made of them in a
step of their own, over all exposures at once, so that one owner is told once whatever broke where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from eventwatch.model.alert import Alert, Delivery, Silence
from eventwatch.model.cause import Cause
from eventwatch.model.status import Severity


class IncidentState(StrEnum):
    """open → acknowledged → resolved; a resolved one may open again for a while."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Role(StrEnum):
    """Why somebody hears of an incident, the most concerned first."""

    OWNER = "owner"
    """Answers for it: the whole story, the mention."""
    ESCALATION = "escalation"
    """Nobody acknowledged it in time."""
    AFFECTED = "affected"
    """Owns an event type that the cause moved: one line."""
    CONSUMER = "consumer"
    """Reads an event type that the cause moved: one line, never a mention."""


@dataclass(frozen=True)
class Recipient:
    """A channel that hears of an incident, and in which role."""

    role: Role
    team: str
    channel: str
    """``#name`` or an id; empty only where the config names no channel at all."""
    group_id: str = ""
    """Slack user group to mention; empty: nobody is mentioned."""
    oncall: str = ""
    """On-call schedule of the team or contract, shown for critical tiers."""
    reason: str = ""
    """Why it goes there, for people."""
    is_fallback: bool = False


@dataclass(frozen=True)
class Member:
    """An alert of an incident."""

    alert_id: str
    explained: bool
    """Inhibited: the cause explains it, it does not speak for itself."""
    joined_at: datetime
    over_at: datetime | None = None
    """It was closed, or left for a cause of its own; None: it is open and belongs here."""


@dataclass(frozen=True)
class Incident:
    """Trouble of one cause and one owner, from the first firing alert to its end."""

    id: str
    """Twelve hex digits, unique for ever; what people type."""
    cause: Cause
    """As it was worded last."""
    state: IncidentState
    severity: Severity
    """Now."""
    owner: Recipient
    opened_at: datetime
    """By our clock, when it was first made."""
    began_at: datetime
    """In the data, as far as known: the earliest beginning of its alerts."""
    members: tuple[Member, ...]
    told_severity: Severity | None = None
    """Highest that anybody was told; None: nobody was told yet (muted, best effort, waiting)."""
    told_at: datetime | None = None
    """When the owner's message was put into the outbox; None: not yet."""
    others: tuple[Recipient, ...] = ()
    """Everybody else who was told or is to be told."""
    good_since: datetime | None = None
    """Since when no member is open; None: at least one is."""
    resolved_at: datetime | None = None
    end_reason: str = ""
    """For RESOLVED: "back to normal", "late, not lost: 3 h 10 min", "resolved by anna"."""
    late: timedelta | None = None
    """The rows came after all, so much later than they should."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    muted_by: str = ""
    """Id of the silence or maintenance window that holds it back now; empty: none."""
    muted_because: str = ""
    reopened: int = 0
    """How often it came back after it was resolved."""

    @property
    def open(self) -> bool:
        """Not resolved."""
        return self.state is not IncidentState.RESOLVED


class MomentKind(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    WORSE = "worse"
    """Severity rose above what was told."""
    JOINED = "joined"
    """More alerts belong to it."""
    LEFT = "left"
    """Some of its alerts are over or became incidents of their own, while it goes on."""
    ACKNOWLEDGED = "acknowledged"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    NOTE = "note"
    MUTED = "muted"
    UNMUTED = "unmuted"


@dataclass(frozen=True)
class Moment:
    """One thing that happened to an incident: a row for ever, a reply in its thread."""

    id: str
    """Hex, from what happened, so that the same moment twice is one row."""
    incident_id: str
    at: datetime
    kind: MomentKind
    text: str = ""
    """For people, unescaped; of a NOTE the note itself."""
    author: str = ""
    alert_ids: tuple[str, ...] = ()
    """Of JOINED and LEFT: which."""


@dataclass(frozen=True)
class Entry:
    """One incident in one post."""

    incident_id: str
    role: Role


@dataclass(frozen=True)
class Post:
    """A live message: one per flush window, channel and team; edited as what it lists changes."""

    id: str
    """Hex."""
    channel: str
    team: str
    entries: tuple[Entry, ...]
    """Worst first, as they were when it was made. Never changes."""
    created_at: datetime
    reference: str = ""
    """What the service calls it (Slack: channel id + ``:`` + ts); empty until it was accepted."""
    shown: str = ""
    """Digest of the content that was put into the outbox last."""
    refreshed_at: datetime | None = None
    """When content was put into the outbox last."""
    closed_at: datetime | None = None
    """Nothing in it can change any more."""
    dead: bool = False
    """Its message was refused for good, on the fallback route as well."""


@dataclass(frozen=True)
class Board:
    """All that the telling step looks at, read in one transaction."""

    alerts: Mapping[str, Alert]
    """By id: every open one, and every member of the incidents below."""
    incidents: tuple[Incident, ...]
    """Open ones, and those resolved no longer ago than they may open again."""
    posts: tuple[Post, ...]
    """Not closed ones."""
    silences: tuple[Silence, ...]
    """Those that apply now, and those that ended and whose end was not told yet."""
    moments: tuple[Moment, ...] = ()
    """What people did (``update_incident``) and no telling step has seen yet, oldest first."""
    last_posts: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """(channel, team) → when its newest post was made, of the last day."""
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Silence id → ids of incidents that it held back, for those whose end was not told yet; running
    ones too."""
    digests: Mapping[str, datetime] = field(default_factory=dict)
    """Name of a daily digest (``best_effort``, ``broken``) → when it was made last."""


@dataclass(frozen=True)
class Changes:
    """All that the telling step changes, for one transaction."""

    incidents: tuple[Incident, ...] = ()
    """New and changed ones."""
    moments: tuple[Moment, ...] = ()
    """New ones; this step has told them."""
    moments_told: tuple[str, ...] = ()
    """Ids of the board's moments, which this step has seen."""
    posts: tuple[Post, ...] = ()
    """New and changed ones."""
    deliveries: tuple[Delivery, ...] = ()
    """New rows of the outbox, withheld ones too. An UPDATE takes the place of a waiting UPDATE of
    the same post."""
    silences_told: tuple[str, ...] = ()
    """Ids whose end was told, or needs no telling."""
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Silence id → ids of incidents that it holds back; added to what is known."""
    digests: Mapping[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(
            (
                self.incidents,
                self.moments,
                self.moments_told,
                self.posts,
                self.deliveries,
                self.silences_told,
                self.hidden,
                self.digests,
            )
        )
