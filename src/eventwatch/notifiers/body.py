"""A remark in front of a message that is on its way."""

from __future__ import annotations

import json

from eventwatch.alerting.escape import mrkdwn, truncate
from eventwatch.model.alert import Message

_LONGEST = 150


def with_note(message: Message, note: str) -> Message:
    """The message with a short line above it; ``compose`` leaves room for that. Empty: as it is."""
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
