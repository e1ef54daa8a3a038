"""Whether a message stands in its channel or thread: looked up by the key in its metadata.

``conversations.history`` takes channel ids only while ``chat.postMessage`` also takes names, so a
name is looked up among the channels that the app is in. Each step needs a scope that an installation
may lack; then nothing can be told, and that is an answer too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from eventwatch.notifiers.slack_client import SlackClient

EVENT_TYPE = "eventwatch_notification"
_PAGES = 25
_PAGE = 200
_CHANNEL_PAGES = 20


class TooLong(Exception):  # noqa: N818 - a state of the world
    """More pages than are read; nothing was found up to there."""


def find(client: SlackClient, channel_id: str, key: str, since: datetime) -> str | None:
    """The ts of the channel's message with our key; None: there is none since then. Raises TooLong,
    and as ``SlackClient.call``."""
    return _find(client, "conversations.history", {"channel": channel_id}, key, since)


def find_reply(
    client: SlackClient, channel_id: str, thread_ts: str, key: str, since: datetime
) -> str | None:
    """As ``find``, in one thread."""
    where = {"channel": channel_id, "ts": thread_ts}
    return _find(client, "conversations.replies", where, key, since)


def _find(
    client: SlackClient, method: str, where: dict[str, str], key: str, since: datetime
) -> str | None:
    arguments = {
        **where,
        "oldest": f"{since.timestamp():.6f}",
        "inclusive": "true",
        "include_all_metadata": "true",
        "limit": str(_PAGE),
    }
    for page in _paged(client, method, arguments, _PAGES):
        for message in page.get("messages") or ():
            if isinstance(message, dict) and _key_of(message) == key:
                return str(message.get("ts", ""))
    return None


def channel_id(client: SlackClient, name: str) -> str | None:
    """The id of ``#name`` among the channels that the app is in; None: it is in none of that name.
    Raises as ``find``."""
    arguments = {
        "types": "public_channel,private_channel",
        "exclude_archived": "true",
        "limit": "999",
    }
    for page in _paged(client, "users.conversations", arguments, _CHANNEL_PAGES):
        for channel in page.get("channels") or ():
            if isinstance(channel, dict) and channel.get("name") == name.removeprefix("#"):
                return str(channel.get("id", ""))
    return None


def _paged(
    client: SlackClient, method: str, arguments: dict[str, str], pages: int
) -> Iterator[dict[str, Any]]:
    cursor = ""
    for _ in range(pages):
        page = client.call(method, {**arguments, "cursor": cursor} if cursor else arguments)
        yield page
        inner = page.get("response_metadata")
        cursor = str(inner.get("next_cursor") or "") if isinstance(inner, dict) else ""
        if not cursor:
            return
    raise TooLong


def _key_of(message: dict[str, Any]) -> object:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    return payload.get("key") if isinstance(payload, dict) else None
