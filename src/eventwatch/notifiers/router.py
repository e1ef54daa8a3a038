"""Which service says a row: the webhook its own rows, Apprise those of its teams, else the usual one.

Only the usual service can halt everything; trouble of the two others is theirs alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from eventwatch.model.alert import Delivery, Outcome, Verdict
from eventwatch.ports.notifier import NOT_SENT, WEBHOOK_CHANNEL, Abilities, Notifier


class ForTeams(Notifier, Protocol):
    """A notifier for some teams."""

    def serves(self, team: str) -> bool:
        """Whether the team hears by it."""
        ...


class RouterNotifier:
    """Thread-safe as far as its parts are."""

    def __init__(
        self, usual: Notifier, *, webhook: Notifier | None = None, teams: ForTeams | None = None
    ) -> None:
        self._usual, self._webhook, self._teams = usual, webhook, teams

    @property
    def abilities(self) -> Abilities:
        """The usual service's: the others end what they cannot do by themselves, and a reply is a
        new message to them."""
        return self._usual.abilities

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt by the service whose row it is."""
        service = self._of(delivery)
        if service is None:
            return Outcome(
                Verdict.REFUSED, f"{NOT_SENT}: notify.webhook is not configured any more"
            )
        outcome = service.send(delivery, now)
        if outcome.verdict is Verdict.HALT and service is not self._usual:
            return replace(outcome, verdict=Verdict.RETRY)
        return outcome

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """Asks the service whose row it is."""
        service = self._of(delivery)
        if service is None:
            return Outcome(
                Verdict.REFUSED, f"{NOT_SENT}: notify.webhook is not configured any more"
            )
        return service.reconcile(delivery, now)

    def _of(self, delivery: Delivery) -> Notifier | None:
        if delivery.channel == WEBHOOK_CHANNEL:
            return self._webhook
        if self._teams is not None and self._teams.serves(delivery.team):
            return self._teams
        return self._usual
