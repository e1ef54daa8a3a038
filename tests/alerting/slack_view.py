"""Reads a message as Slack would: every text in it, and a picture in plain characters."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from eventwatch.model.alert import Message

TAG = re.compile(r"<[^>]*>")
ACTIVE = re.compile(r"<!subteam\^S[A-Z0-9]{8,20}>|<https://[^<>|\s]+\|[^<>|]*>")


def blocks(message: Message) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(message.blocks)
    return made


def objects(message: Message) -> list[dict[str, Any]]:
    """Every text object of the blocks."""
    found = []
    for block in blocks(message):
        if "text" in block:
            found.append(block["text"])
        found.extend(block.get("elements", ()))
        found.extend(block.get("fields", ()))
    return found


def assert_inert(message: Message) -> None:
    """Nothing but our own mention and https links is active, in any of the forms."""
    for each in objects(message):
        if each["type"] == "plain_text":
            assert each["emoji"] is False
            assert not set(each["text"]) & set("<>&")
            continue
        assert each["verbatim"] is True
        assert_mrkdwn_inert(each["text"])
    assert_mrkdwn_inert(message.text)
    for line in message.plain.split("\n"):
        assert line.isprintable()


def assert_mrkdwn_inert(text: str) -> None:
    for tag in TAG.findall(text):
        assert ACTIVE.fullmatch(tag), tag
    rest = TAG.sub("", text)
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    for line in text.split("\n"):
        assert line.isprintable()
        assert line.count("`") % 2 == 0


def picture(message: Message) -> str:
    """What a reader sees, roughly: for golden files and for looking at."""
    lines = [f"notification: {_shown(message.text)}", "-" * 78]
    for block in blocks(message):
        if block["type"] == "header":
            lines.append(f"## {block['text']['text']}")
        elif block["type"] == "section":
            lines.append(_shown(block["text"]["text"]))
        else:
            lines.extend(f"    {_shown(e['text'])}" for e in block["elements"])
        lines.append("")
    return "\n".join(lines)


def _shown(text: str) -> str:
    text = re.sub(r"<(https://[^|>]+)\|([^>]*)>", r"[\2](\1)", text)
    text = re.sub(r"<!subteam\^(\w+)>", r"@group-\1", text)
    return html.unescape(text)
