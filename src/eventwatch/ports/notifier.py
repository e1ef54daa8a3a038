"""Who speaks."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from eventwatch.model.alert import Delivery, Outcome


class Notifier(Protocol):
    """Hands one message over. Never raises for what the service says: that is an Outcome."""

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt."""
        ...

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """Whether an attempt of unknown end arrived: SENT, RETRY (it did not, send again) or
        UNKNOWN (cannot be told yet)."""
        ...
