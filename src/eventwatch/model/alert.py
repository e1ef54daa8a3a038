"""Remembered trouble, silences, and messages on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from eventwatch.model.cause import Cause
from eventwatch.model.result import Result
from eventwatch.model.status import Severity


class AlertState(StrEnum):
    """inactive → pending → firing → resolved; inactive is the absence of a row."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    """Over after it fired. A pending alert that passes is dropped (EXPIRED) untold."""
    EXPIRED = "expired"


@dataclass(frozen=True)
class Alert:
    """One trouble of one fingerprint, from its first bad result to its end."""

    id: str
    """Hex; unique for ever; derived from fingerprint and ``started_at``."""
    fingerprint: str
    state: AlertState
    result: Result
    """The latest FAIL."""
    started_at: datetime
    """First FAIL, by our clock."""
    seen_at: datetime
    """Latest FAIL, by our clock."""
    fired_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    """For RESOLVED: why, in a few words, e.g. "back to normal", "no longer checked"."""
    good_since: datetime | None = None
    """First of the good results since ``seen_at``; None while it fails."""
    notified_at: datetime | None = None
    """When the latest message about it was put into the outbox."""
    notified_severity: Severity | None = None
    cause: Cause | None = None
    """Why, as the latest cycle of its exposure saw it; None: written before causes were known."""
    explained: bool = False
    """The cause is something bigger, which speaks for it."""

    @property
    def open(self) -> bool:
        """Pending or firing."""
        return self.state in (AlertState.PENDING, AlertState.FIRING)


class Change(StrEnum):
    """What one cycle did to one alert."""

    NONE = "none"
    PENDING = "pending"
    FIRED = "fired"
    RESOLVED = "resolved"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Transition:
    """An alert after one cycle, and what changed."""

    alert: Alert
    change: Change


@dataclass(frozen=True)
class Silence:
    """Muted by a person until an instant. An empty pattern matches everything."""

    id: str
    event_type: str
    """Glob on the event type."""
    exposure: str
    kind: str
    team: str
    reason: str
    author: str
    starts_at: datetime
    ends_at: datetime
    dimension: str = ""
    value: str = ""


class Action(StrEnum):
    """What a delivery does in its channel."""

    POST = "post"
    """A new message."""
    UPDATE = "update"
    """The live message of ``post_id`` gets new content; harmless when it is done twice."""
    REPLY = "reply"
    """A message in the thread of ``post_id``."""
    CHART = "chart"
    """A picture in the thread of ``post_id``: best effort, tried once, never asked about."""


class DeliveryState(StrEnum):
    """pending → sending → sent, or back to pending, or dead."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    """Never to be sent as it is; its fallback was put into the outbox."""
    WITHHELD = "withheld"
    """Recorded, never sent: silenced or suppressed; ``last_error`` says by what."""


@dataclass(frozen=True)
class Message:
    """A message in every form that a notifier may need. All escaped for where it goes."""

    text: str
    """Slack mrkdwn summary: notification text and the form without blocks."""
    blocks: str
    """JSON array of Block Kit blocks."""
    plain: str
    """For terminals and logs: no markup, control characters made visible."""


@dataclass(frozen=True)
class Delivery:
    """One message to one channel: the record that it is to be said, and that it was."""

    key: str
    """Unique; the same event never makes two."""
    channel: str
    """Slack channel ("#growth-alerts" or an id)."""
    team: str
    message: Message
    alert_ids: tuple[str, ...]
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    not_before: datetime | None = None
    claimed_at: datetime | None = None
    sent_at: datetime | None = None
    reference: str = ""
    """What the service calls it (Slack: channel id + ``:`` + ts)."""
    last_error: str = ""
    is_fallback: bool = False
    """It already is the second try on the fallback route: when refused, nothing further."""
    action: Action = Action.POST
    post_id: str = ""
    """The post that it makes, edits or answers; empty: a message of its own (e.g. a digest)."""
    parent: str = ""
    """Reference of that post, once it was accepted. UPDATE, REPLY and CHART wait for it."""
    incident_ids: tuple[str, ...] = ()


class Verdict(StrEnum):
    """How an attempt to send ended."""

    SENT = "sent"
    RETRY = "retry"
    """Definitely not accepted; try again, not before ``retry_at``."""
    UNKNOWN = "unknown"
    """May have been accepted: ask the service before anything is sent again."""
    REFUSED = "refused"
    """Never as it is; goes to the fallback route."""
    HALT = "halt"
    """The whole notifier is refused (token revoked): stop sending, keep the rows."""


@dataclass(frozen=True)
class Outcome:
    """The answer to one attempt."""

    verdict: Verdict
    reason: str = ""
    retry_at: datetime | None = None
    """Not again before. Of SENT: when the channel may hear the next message; None: at once."""
    reference: str = ""
