"""Who speaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from eventwatch.model.alert import Delivery, Outcome

MAY_REPEAT = "it may repeat"
"""In the reason of an outcome, and kept in the row until it is sent: an earlier attempt perhaps
arrived and nobody can tell, so the next one says so to its reader."""
NOT_SENT = "not sent"
"""Begins the reason of a refusal that is nobody's trouble: a person deleted the message, the service
has no edits, there is nothing to draw. No other route is told."""

WEBHOOK_CHANNEL = "webhook"
"""The channel of rows for the JSON webhook; no Slack channel is called so, which begin with # or an
id."""


@dataclass(frozen=True)
class Abilities:
    """What a service can do with a message that it has accepted."""

    edits: bool = False
    """``UPDATE``. Without it a change that matters is a new message."""
    threads: bool = False
    """``REPLY``."""
    charts: bool = False
    buttons: bool = False


class Notifier(Protocol):
    """Hands one message over. Never raises for what the service says: that is an Outcome."""

    @property
    def abilities(self) -> Abilities:
        """The same for the life of the process."""
        ...

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt. Called from several threads at once, for different channels."""
        ...

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """Whether an attempt of unknown end arrived: SENT, RETRY (it did not, send again),
        UNKNOWN (cannot be told yet) or, for what is tried once only, REFUSED."""
        ...
