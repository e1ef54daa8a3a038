"""Who may press a button, and an answer that only who pressed it sees."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from eventwatch.alerting.escape import mrkdwn, truncate
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import SlackSettings
from eventwatch.notifiers.slack_client import Answered, SlackClient
from eventwatch.notifiers.slack_press import Press
from eventwatch.notifiers.verdicts import BROKEN, code_of

KNOWN_FOR = 300.0
"""Seconds for which a list of members is believed."""
_AGAIN_AFTER = 20.0
"""Seconds after which it is asked for again for somebody who is not in it: perhaps just added."""


@dataclass(frozen=True)
class _Listed:
    members: frozenset[str]
    at: float


class SlackDesk:
    """Scopes: ``usergroups:read``, ``chat:write``."""

    def __init__(self, settings: SlackSettings) -> None:
        """Raises DeliveryError when the settings are unusable."""
        if settings.token is None:
            raise DeliveryError("notify.slack.token is not set")
        self._client = SlackClient(settings.token, settings.base_url, settings.timeout)
        self._lock = threading.Lock()
        self._groups: dict[str, _Listed] = {}

    def __repr__(self) -> str:
        return f"SlackDesk({self._client.base_url!r})"

    def is_member(self, user_id: str, group_id: str) -> bool:
        """Raises DeliveryError when Slack does not say."""
        now = time.monotonic()
        with self._lock:
            listed = self._groups.get(group_id)
            age = float("inf") if listed is None else now - listed.at
            if listed is not None and user_id in listed.members and age < KNOWN_FOR:
                return True
            if listed is not None and age < _AGAIN_AFTER:
                return False
            listed = self._groups[group_id] = _Listed(self._members(group_id), now)
            return user_id in listed.members

    def _members(self, group_id: str) -> frozenset[str]:
        data = self._call("usergroups.users.list", {"usergroup": group_id})
        users = data.get("users")
        if not isinstance(users, list):
            raise DeliveryError(f"Slack did not list the members of {group_id}")
        return frozenset(user for user in users if isinstance(user, str))

    def whisper(self, press: Press, text: str) -> None:
        """A message for who pressed, unescaped text. Raises DeliveryError."""
        arguments = {
            "channel": press.channel,
            "user": press.user_id,
            "text": mrkdwn(truncate(text, 2900)),
        }
        if press.thread:
            arguments["thread_ts"] = press.thread
        self._call("chat.postEphemeral", arguments)

    def _call(self, method: str, arguments: dict[str, str]) -> dict[str, object]:
        try:
            return self._client.call(method, arguments)
        except Answered as error:
            code = code_of(error.data)
            said = f"says {code}" if code else f"answered with HTTP {error.status}"
            raise DeliveryError(f"Slack {said} to {method}") from None
        except BROKEN as error:
            raise DeliveryError(
                f"Slack cannot be reached for {method} ({type(error).__name__})"
            ) from None
