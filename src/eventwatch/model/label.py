"""What a person said of an incident afterwards: it was real, or it was not a problem.

A label is about counts in a span of the data's own time, not about the alert that showed them: an
alert may be told late, end early, or have no equal when the same rows are judged again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Opinion(StrEnum):
    """What the person said."""

    NOT_A_PROBLEM = "not-a-problem"
    """Such counts are usual here: they are learned from, and the open alert ends."""
    WAS_REAL = "was-real"
    """Something was broken: nothing is learned from it."""


@dataclass(frozen=True)
class Label:
    """One opinion about one span."""

    id: str
    exposure: str
    event_type: str | None
    """None: the exposure as a whole, hence each of its event types."""
    opinion: Opinion
    starts_at: datetime
    """Of the data, by when rows occurred: [starts_at, ends_at), aware UTC."""
    ends_at: datetime
    reason: str
    author: str
    given_at: datetime
    """By our clock. Before it nobody knew: a replay of the past must not use it."""
    withdrawn_at: datetime | None = None
    fingerprint: str = ""
    """Of the alert it was said of; empty: it was said of the event type."""
    dimension: str = ""
    """Of a cut; empty: the event type as a whole."""
    value: str = ""

    def known_at(self, now: datetime) -> bool:
        """Whether it had been given, and not withdrawn, by then."""
        return self.given_at <= now and (self.withdrawn_at is None or self.withdrawn_at > now)
