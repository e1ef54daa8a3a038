"""Buttons under a message: who pressed may or may not, and what then happens.

The buttons do what ``eventwatch incidents`` and ``eventwatch silence`` do, through the same functions,
so nothing can be done here that cannot be done there. Without an app-level token there are no buttons
and everything else works.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from eventwatch.alerting.escape import plain
from eventwatch.alerting.routing import Directory, usable_group
from eventwatch.app.adapters import adapter
from eventwatch.app.button_acts import ACTS, Act
from eventwatch.app.house import House
from eventwatch.model.errors import DeliveryError, EventwatchError
from eventwatch.model.incident import Incident, Role
from eventwatch.model.settings import SlackSettings
from eventwatch.ports.store import Store

if TYPE_CHECKING:
    from eventwatch.notifiers.slack_press import Press

log = logging.getLogger(__name__)


class Listener(Protocol):
    """What hears the buttons."""

    @property
    def alive(self) -> bool:
        """Whether it still tries to."""
        ...

    @property
    def connected(self) -> bool:
        """Whether a press would be heard now."""
        ...

    def start(self) -> None:
        """Returns at once."""
        ...

    def stop(self, seconds: float = 5.0) -> None:
        """Waits for no longer than that."""
        ...


class Desk(Protocol):
    """What is known of who presses, and how they are answered."""

    def is_member(self, user_id: str, group_id: str) -> bool:
        """Raises DeliveryError when it cannot be told."""
        ...

    def whisper(self, press: Press, text: str) -> None:
        """A message that only who pressed sees. Raises DeliveryError."""
        ...


@dataclass(frozen=True)
class Allowed:
    """The user groups that may press the buttons of one incident."""

    groups: tuple[str, ...]
    who: str
    """For people: whose groups they are."""


class Buttons:
    """``start`` and ``stop`` once each. Whatever goes wrong here ends neither the daemon nor the
    hearing of the next press."""

    def __init__(
        self,
        house: House,
        store: Store,
        *,
        wake: Callable[[], None] | None = None,
        directory: Callable[[], Directory] | None = None,
        acts: Mapping[str, Act] = ACTS,
    ) -> None:
        """``wake`` is called after something was done, so that the message changes soon;
        ``directory`` gives the teams as they are now, where contracts are followed. Raises
        DeliveryError when the settings are unusable."""
        self._house, self._store = house, store
        self._wake, self._acts = wake, acts
        self._directory = house.directory if directory is None else directory
        slack = house.settings.notify.slack
        self._listener: Listener | None = None
        if slack is not None and slack.token is not None and slack.app_token is not None:
            self._settings: SlackSettings = slack
            self._desk: Desk = adapter("slack-desk")(slack)
            self._listener = adapter("slack-socket")(slack, self.press)

    def __repr__(self) -> str:
        return f"Buttons(wanted={self.wanted})"

    @property
    def wanted(self) -> bool:
        """Whether the config asks for buttons."""
        return self._listener is not None

    @property
    def alive(self) -> bool:
        """False after its threads have died, or where none was started."""
        return self._listener is not None and self._listener.alive

    @property
    def connected(self) -> bool:
        """Whether a press would be heard now."""
        return self._listener is not None and self._listener.connected

    def start(self) -> None:
        """Returns at once, also where there are no buttons."""
        if self._listener is not None:
            self._listener.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Ends the hearing."""
        if self._listener is not None:
            self._listener.stop(seconds)

    def press(self, press: Press) -> None:
        """Does what was asked for, where it may be, and answers who asked. Called in one thread."""
        try:
            said = self._answer(press)
        except EventwatchError as error:
            log.warning("a button could not be acted upon: %s", plain(str(error)))
            said = f"That did not work: {error}. {_by_hand(press)}"
        try:
            self._desk.whisper(press, said)
        except DeliveryError as error:
            log.warning("a button was not answered: %s", plain(str(error)))

    def _answer(self, press: Press) -> str:
        incident = self._incident(press.incident_id)
        if incident is None:
            return "This incident is not remembered any more, so nothing was changed."
        refusal = self._refusal(press, incident)
        if refusal:
            log.info("%s may not press %s", press.user_id, press.button.value)
            return refusal
        now = self._house.clock.now()
        author = plain(press.user_name)
        said = self._acts[press.button.value](self._house, self._store, incident, author, now)
        log.info(
            "%s pressed %s of incident %s", press.user_id, press.button.value, press.incident_id
        )
        self._stir()
        return said

    def _incident(self, incident_id: str) -> Incident | None:
        """The incident of exactly this id: a beginning would do for a person who types."""
        found = self._store.incidents_like(incident_id, 10)
        return next((each for each in found if each.id == incident_id), None)

    def _refusal(self, press: Press, incident: Incident) -> str:
        """Why it may not be done; empty: it may."""
        allowed = allowed_for(incident, self._settings, self._directory())
        if not allowed.groups:
            return (
                "Nobody may press this yet: neither the owner nor the fallback team has a Slack user "
                "group. Set notify.slack.button_groups, or teams.NAME.slack_group_id, in config.yaml. "
                + _by_hand(press)
            )
        trouble = ""
        for group in allowed.groups:
            try:
                if self._desk.is_member(press.user_id, group):
                    return ""
            except DeliveryError as error:
                trouble = str(error)
        if trouble:
            return f"It cannot be told whether you may do that: {trouble}. {_by_hand(press)}"
        return f"You may not do that: only members of {allowed.who} may."

    def _stir(self) -> None:
        if self._wake is None:
            return
        try:
            self._wake()
        except Exception as error:
            # The change is written; the next tick tells it anyway.
            log.warning("after a button: %s", type(error).__name__)


def allowed_for(incident: Incident, settings: SlackSettings, directory: Directory) -> Allowed:
    """The groups of the config; without them that of the incident's owner, those of who was escalated
    to, and that of the fallback team."""
    if settings.button_groups:
        return Allowed(settings.button_groups, "the user groups in notify.slack.button_groups")
    groups: dict[str, str] = {}
    fallback = directory.team(directory.fallback_team)
    escalated = [each for each in incident.others if each.role is Role.ESCALATION]
    for recipient in (incident.owner, *escalated):
        groups.setdefault(usable_group(recipient.group_id), recipient.team)
    if fallback is not None:
        groups.setdefault(usable_group(fallback.slack_group_id), fallback.key)
    groups.pop("", None)
    named = " and ".join(dict.fromkeys(team for team in groups.values() if team))
    return Allowed(tuple(groups), f"the user group of {named}" if named else "its user group")


def _by_hand(press: Press) -> str:
    return f"By hand: eventwatch incidents explain {press.incident_id}"
