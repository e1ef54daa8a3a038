"""A remark in front of a message that is on its way."""

from __future__ import annotations

import json

from eventwatch.alerting.escape import mrkdwn, truncate
from eventwatch.model.alert import Delivery, Message
from eventwatch.ports.notifier import MAY_REPEAT

_LONGEST = 150


def repeat_note(delivery: Delivery) -> str:
    """What the reader is told when an earlier attempt perhaps arrived; empty: none did."""
    return "This may repeat an earlier message." if MAY_REPEAT in delivery.last_error else ""


def with_note(message: Message, note: str) -> Message:
    """The message with a short line above it; ``Page`` leaves room for that. Empty: as it is."""
    if not note:
        return message
    shown = mrkdwn(truncate(note, _LONGEST))
    block = {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": shown, "verbatim": True}],
    }
    blocks = ""
    if message.blocks:
        blocks = json.dumps([block, *json.loads(message.blocks)], ensure_ascii=False)
    return Message(f"{message.text}\n({shown})", blocks, f"{note}\n{message.plain}")
