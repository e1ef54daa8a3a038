"""The blocks of one Slack message, kept within what Slack accepts while they are added.

Slack refuses more than 50 blocks and, undocumented, more than some 12,000 characters, without saying
where. So every block is written out, escaped and measured before it is taken; what has no room is
counted by the caller, for whose last line room is always kept. Sizes are UTF-16 units of the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from eventwatch.alerting import spans
from eventwatch.alerting.escape import plain_text, size, truncate
from eventwatch.alerting.spans import Line

BUDGET = 8_000
"""Under the promised 9,000 by what a notifier or the fallback route may put in front."""
MAX_BLOCKS = 45
HEADER = 140
LINE = 420
SECTION = 2_600
QUESTION = 290
"""Of a question before something is done."""
_LAST = 500
"""Kept for the line about the rest."""
_FOOTER = 330
_FOOTER_KEPT = 2 * _FOOTER + 110
"""JSON may double a text, and there is some around it."""
_SILENCE = "eventwatch_silence"
_BUTTONS = (
    ("eventwatch_ack", "Acknowledge"),
    (_SILENCE, "Silence 4 h"),
    ("eventwatch_not_a_problem", "Not a problem"),
)

Block = dict[str, Any]


class Page:
    """Blocks with a budget."""

    def __init__(self, summary: str, head: str) -> None:
        self._blocks: list[Block] = []
        self._free = BUDGET - size(summary) - 2 - _LAST - _FOOTER_KEPT
        self._places = MAX_BLOCKS - 2
        self._lines: list[str] = []
        if head:
            self._take(header(head))

    def line(self, line: Line, cap: int = LINE) -> bool:
        """One line of a list; False: there is no room."""
        text = spans.slack(line, cap)
        if not text:
            return True
        joined = "\n".join([*self._lines, text])
        if self._lines and size(joined) > SECTION:
            self._flush()
            joined = text
        if not self._fits([section(joined)]):
            return False
        self._lines.append(text)
        return True

    def force_line(self, line: Line) -> None:
        """The line about the rest: its room was kept."""
        self._free += _LAST
        self._places += 1
        self.line(line)

    def footer(self, line: Line) -> bool:
        """The last line, in small grey letters: its room was kept."""
        text = spans.slack(line, _FOOTER)
        self._free += _FOOTER_KEPT
        self._places += 1
        return bool(text) and self._add([context([text])])

    def card(self, body: Sequence[Line], about: Sequence[Line], actions: Sequence[Line]) -> bool:
        """Lines that belong together, and small ones below; False: there is no room for all of it."""
        lines: list[str] = []
        for line in body:
            text = spans.slack(line, LINE)
            if text and size("\n".join([*lines, text])) <= SECTION:
                lines.append(text)
        blocks = [section("\n".join(lines))] if lines else []
        for small in (about, actions):
            texts = [text for line in small if (text := spans.slack(line, LINE))]
            if texts:
                # One text, so that each stands in a line of its own.
                blocks.append(context(["\n".join(texts)]))
        return self._add(blocks)

    def divider(self) -> None:
        """A thin line, where there is room for one."""
        self._add([{"type": "divider"}])

    def buttons(self, incident_id: str, *, acknowledged: bool, hides: str) -> bool:
        """What can be done at once; the value is the incident's id and nothing else. ``hides``: what
        the silence would mute, unescaped, to be asked before it does; empty: nothing is asked."""
        offered = _BUTTONS[1:] if acknowledged else _BUTTONS
        elements = [
            {
                "type": "button",
                "action_id": action,
                "text": _label(label),
                "value": incident_id,
                **(_question(hides) if action == _SILENCE and hides else {}),
            }
            for action, label in offered
        ]
        return self._add([{"type": "actions", "elements": elements}])

    def json(self) -> str:
        """A JSON array."""
        self._flush()
        return _written(self._blocks)

    def _add(self, blocks: Sequence[Block]) -> bool:
        if not self._fits([*self._pending(), *blocks]):
            return False
        self._flush()
        for block in blocks:
            self._take(block)
        return True

    def _pending(self) -> list[Block]:
        return [section("\n".join(self._lines))] if self._lines else []

    def _flush(self) -> None:
        for block in self._pending():
            self._take(block)
        self._lines = []

    def _fits(self, blocks: Sequence[Block]) -> bool:
        return len(blocks) <= self._places and sum(map(_cost, blocks)) <= self._free

    def _take(self, block: Block) -> None:
        self._blocks.append(block)
        self._free -= _cost(block)
        self._places -= 1


def header(text: str) -> Block:
    """The line in large letters; ``text`` unescaped."""
    return {"type": "header", "text": _label(_short(text, HEADER))}


def section(text: str) -> Block:
    """Text at full size; ``text`` escaped."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def context(texts: Sequence[str]) -> Block:
    """Text in small grey letters; escaped, at most ten."""
    elements = [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts[:10]]
    return {"type": "context", "elements": elements}


def _question(hides: str) -> Block:
    """What is asked before it is muted; ``hides`` unescaped."""
    text = _short(f"This mutes for 4 h: {hides}.", QUESTION)
    return {
        "confirm": {
            "title": _label("Silence for 4 h?"),
            "text": _label(text),
            "confirm": _label("Silence"),
            "deny": _label("Cancel"),
        }
    }


def _label(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _short(text: str, longest: int) -> str:
    """As plain text of Slack's; the escapes made by it lengthen it, so it is cut again after them."""
    shown = truncate(plain_text(truncate(text, longest)), longest)
    while size(shown) > longest:
        shown = truncate(shown, len(shown) - 1)
    return shown


def _cost(block: Block) -> int:
    return size(_written(block)) + 1


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
