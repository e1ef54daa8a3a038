"""Asks Slack whether it could be spoken to: token, scopes, channels, groups. Posts nothing.

Only for people who ask: none of this is in the way of a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk.errors import SlackApiError

from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import SlackSettings
from eventwatch.notifiers.slack_client import Answered, SlackClient
from eventwatch.notifiers.transport import NotConnected
from eventwatch.notifiers.verdicts import BROKEN, code_of

_PAGES = 20
"""Of a list, a thousand entries each."""


@dataclass(frozen=True)
class Identity:
    """Whom the bot token belongs to."""

    team: str
    user: str
    scopes: frozenset[str] | None
    """None: Slack did not say."""
    clock: datetime | None = None
    """Slack's own, to the second; None: it did not say."""


@dataclass(frozen=True)
class Room:
    """A channel as the bot sees it."""

    name: str
    """As it was asked for."""
    found: bool
    member: bool = False
    archived: bool = False
    private: bool = False
    trouble: str = ""
    """Why it is not known; empty: it is."""


class SlackExam:
    """Not thread-safe; keeps the lists that it was given."""

    def __init__(self, settings: SlackSettings) -> None:
        """Raises DeliveryError when the settings are unusable."""
        if settings.token is None:
            raise DeliveryError("notify.slack.token is not set")
        self._settings = settings
        self._client = SlackClient(settings.token, settings.base_url, settings.timeout)
        self._mine: dict[str, Room] | None = None
        self._others: dict[str, Room] | None = None

    def identity(self) -> Identity:
        """Raises DeliveryError."""
        response = self._asked("auth.test", lambda: self._client.api_call("auth.test"))
        headers = {str(k).lower(): str(v) for k, v in response.headers.items()}
        told = headers.get("x-oauth-scopes")
        return Identity(
            team=str(response.data.get("team", "")),
            user=str(response.data.get("user", "")),
            scopes=None
            if told is None
            else frozenset(scope.strip() for scope in told.split(",") if scope.strip()),
            clock=_instant(headers.get("date")),
        )

    def room(self, channel: str) -> Room:
        """One channel, by id or ``#name``. Raises DeliveryError when Slack cannot be asked at all."""
        if not channel.startswith("#"):
            return self._by_id(channel)
        name = channel.removeprefix("#")
        if self._mine is None:
            self._mine = self._listed("users.conversations")
        if name in self._mine:
            return replace(self._mine[name], name=channel, member=True)
        if self._others is None:
            try:
                self._others = self._listed("conversations.list")
            except DeliveryError:
                self._others = {}
        return replace(self._others.get(name, Room(channel, found=False)), name=channel)

    def groups(self) -> dict[str, bool]:
        """User groups by id → whether they are in use. Raises DeliveryError."""
        response = self._asked(
            "usergroups.list",
            lambda: self._client.api_call("usergroups.list", params={"include_disabled": "true"}),
        )
        listed = response.data.get("usergroups")
        return {
            str(each.get("id")): not each.get("date_delete")
            for each in (listed if isinstance(listed, list) else [])
            if isinstance(each, dict)
        }

    def socket(self) -> None:
        """Whether a connection for buttons could be opened. Raises DeliveryError when not."""
        if self._settings.app_token is None:
            raise DeliveryError("notify.slack.app_token is not set")
        client = SlackClient(
            self._settings.app_token, self._settings.base_url, self._settings.timeout
        )
        self._asked("apps.connections.open", lambda: client.call("apps.connections.open", {}))

    def _by_id(self, channel: str) -> Room:
        try:
            data = self._call("conversations.info", {"channel": channel})
        except _Refused as refused:
            if refused.code == "channel_not_found":
                return Room(channel, found=False)
            return Room(channel, found=False, trouble=str(refused))
        found = data.get("channel")
        return _room(channel, found if isinstance(found, dict) else {})

    def _listed(self, method: str) -> dict[str, Room]:
        return {
            str(each.get("name")): _room(str(each.get("name")), each)
            for each in self._pages(method)
        }

    def _pages(self, method: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            arguments = {"types": "public_channel,private_channel", "limit": "1000"}
            data = self._call(method, {**arguments, **({"cursor": cursor} if cursor else {})})
            listed = data.get("channels")
            yield from (
                e for e in (listed if isinstance(listed, list) else []) if isinstance(e, dict)
            )
            further = data.get("response_metadata")
            cursor = str(further.get("next_cursor") or "") if isinstance(further, dict) else ""
            if not cursor:
                return
            # Tier 2: some twenty calls a minute, in a burst.
            time.sleep(0.05)

    def _call(self, method: str, arguments: dict[str, str]) -> dict[str, Any]:
        data: dict[str, Any] = self._asked(method, lambda: self._client.call(method, arguments))
        return data

    def _asked(self, method: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Answered as error:
            raise _Refused(method, code_of(error.data), error.status) from None
        except SlackApiError as error:
            data, status = error.response.data, error.response.status_code
            raise _Refused(method, code_of(data), status) from None
        except NotConnected as error:
            raise DeliveryError(f"Slack cannot be reached: {error}") from None
        except BROKEN as error:
            raise DeliveryError(f"Slack cannot be reached ({type(error).__name__})") from None


class _Refused(DeliveryError):  # noqa: N818 - what Slack said, named as one
    def __init__(self, method: str, code: str, status: int) -> None:
        self.code = code
        what = f"says {code}" if code else f"answered with HTTP {status}"
        super().__init__(f"Slack {what} to {method}")


def _room(name: str, data: dict[str, Any]) -> Room:
    return Room(
        name,
        found=True,
        member=bool(data.get("is_member")),
        archived=bool(data.get("is_archived")),
        private=bool(data.get("is_private")),
    )


def _instant(header: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(header or "")
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
