"""What is sent to Slack for a delivery, and where a message stands that was accepted before."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from eventwatch.model.alert import Delivery, Message
from eventwatch.notifiers.slack_history import EVENT_TYPE

_PLACE = re.compile(r"([CGD][A-Z0-9]{2,}):([0-9]{1,20}\.[0-9]{1,10})")


@dataclass(frozen=True)
class Place:
    """A message in a channel."""

    channel: str
    """Its id."""
    ts: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.ts}"


def place_of(reference: str) -> Place | None:
    """The place that a reference names; None: no message of Slack's, or none that can be named."""
    found = _PLACE.fullmatch(reference)
    return None if found is None else Place(found[1], found[2])


def new_message(
    delivery: Delivery, message: Message, thread: Place | None, *, blocks: bool
) -> dict[str, Any]:
    """For ``chat.postMessage``, with our key. ``thread``: an answer to that message. ``blocks``:
    with them, not only with the summary."""
    body: dict[str, Any] = {
        "channel": delivery.channel if thread is None else thread.channel,
        "text": message.text,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": delivery.key}},
        "link_names": False,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }
    if thread is not None:
        body["thread_ts"] = thread.ts
    if blocks and message.blocks:
        body["blocks"] = json.loads(message.blocks)
    return body


def edit(place: Place, message: Message, *, blocks: bool) -> dict[str, Any]:
    """For ``chat.update``. Metadata is left out, so that the message keeps the key that it was
    posted under; blocks never are, since Slack would keep the old ones."""
    return {
        "channel": place.channel,
        "ts": place.ts,
        "text": message.text,
        "blocks": json.loads(message.blocks) if blocks and message.blocks else [],
        "link_names": False,
        "parse": "none",
    }
