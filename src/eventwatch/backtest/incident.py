"""What a replay would have told, and when: plain records, no arithmetic but counting.

An incident is as the telling step makes it: the alerts of one cause, from the cycle in which its owner
would have been told to the one from which on all was good. What had failed from the first cycle on
began nobody knows when, so it is kept apart (``at_start``) and counts in no week.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from eventwatch.backtest.span import Span
from eventwatch.model.cause import Cause
from eventwatch.model.result import Result


class Ending(StrEnum):
    """How an incident ended."""

    RESOLVED = "resolved"
    """Good again, or no longer found."""
    NOT_JUDGED = "not judged"
    """A bigger trouble spoke for it, or nothing could be said, for so long that it was let go."""
    OPEN = "still open"
    """At the last cycle."""


@dataclass(frozen=True)
class Incident:
    """The alerts of one cause."""

    id: str
    """As the daemon would have named it."""
    fingerprint: str
    """Names the cause across incidents."""
    exposure: str
    team: str
    channel: str
    opened: Result
    """What was said when it began."""
    worst: Result
    """What was said when it was worst; its severity is the highest of all."""
    began_at: datetime
    """First bad cycle."""
    told_at: datetime
    """The cycle that fired it."""
    ended_at: datetime | None
    """None: still open."""
    ending: Ending
    reason: str
    """Why it ended, in a few words; empty while it is open."""
    at_start: bool
    """It failed from the first cycle on."""
    message: str = ""
    """Key of the message that told it; those that share one were told together. Empty: untold."""
    muted: str = ""
    """Who muted it and why; empty: nobody, its owner was told."""
    cause: Cause | None = None
    part_of: str = ""
    """The wider trouble that it is, in words: ``app version 2.0: 3 event types fell``. Empty: it is about
    one event type, or about nothing but itself."""
    reopened: int = 0
    """How often it came back after its end."""

    def lasted(self, until: datetime) -> timedelta:
        """From the first bad cycle to the end, or to ``until`` where it is open."""
        return (self.ended_at or until) - self.began_at

    @property
    def counts(self) -> bool:
        """Whether it is one that somebody was told about within the span."""
        return not self.at_start and not self.muted


@dataclass(frozen=True)
class Replay:
    """One set of checks over one exposure and span."""

    exposure: str
    incidents: tuple[Incident, ...]
    """By time, then team and name."""
    untold: int
    """Failures that were over before anybody was told."""
    errors: tuple[Result, ...] = ()
    """What could not be judged: the first of each."""


@dataclass(frozen=True)
class Week:
    """What one team was told in one week."""

    team: str
    monday: date
    incident_count: int
    message_count: int


def week_of(at: datetime) -> date:
    """The Monday (UTC) of the week that an instant is in."""
    return (at - timedelta(days=at.weekday())).date()


def weeks_of(span: Span) -> tuple[date, ...]:
    """The Mondays of the weeks that a span touches."""
    first, last = week_of(span.first_at), week_of(span.last_at)
    return tuple(first + timedelta(weeks=i) for i in range((last - first).days // 7 + 1))


def by_week(incidents: Iterable[Incident]) -> tuple[Week, ...]:
    """Counts of what was told, by team and the week it was told in."""
    found: dict[tuple[str, date], list[Incident]] = {}
    for incident in incidents:
        if incident.counts:
            found.setdefault((incident.team, week_of(incident.told_at)), []).append(incident)
    return tuple(
        Week(team, monday, len(those), len({i.message or i.id for i in those}))
        for (team, monday), those in sorted(found.items())
    )


def weeks_in(span: Span) -> float:
    """The length of a span in weeks. At least one: what happened in two days says little of a week."""
    return max(1.0, (span.last_at - span.first_at) / timedelta(weeks=1))
