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
_KEPT = 700
"""For the line about the rest."""
_BUTTONS = (
    ("eventwatch_ack", "Acknowledge"),
    ("eventwatch_silence", "Silence 4 h"),
    ("eventwatch_not_a_problem", "Not a problem"),
)

Block = dict[str, Any]


class Page:
    """Blocks with a budget."""

    def __init__(self, summary: str, head: str) -> None:
        self._blocks: list[Block] = []
        self._free = BUDGET - size(summary) - 2 - _KEPT
        self._lines: list[str] = []
        if head:
            self._take(header(head))

    def line(self, line: Line) -> bool:
        """One line of a list; False: there is no room."""
        text = spans.slack(line, LINE)
        if not text:
            return True
        joined = "\n".join([*self._lines, text])
        if self._lines and size(joined) > SECTION:
            self._flush()
            joined = text
        if not self._fits([*self._pending(), section(joined)]):
            return False
        self._lines.append(text)
        return True

    def force_line(self, line: Line) -> None:
        """The last line: its room was kept."""
        self._free += _KEPT
        self.line(line)

    def context_line(self, line: Line) -> bool:
        """A line in small grey letters."""
        return self._add([context([spans.slack(line, 2 * LINE)])])

    def card(self, body: Sequence[Line], actions: Sequence[Line]) -> bool:
        """Lines that belong together, and commands below; False: there is no room for all of it."""
        lines: list[str] = []
        for line in body:
            text = spans.slack(line, LINE)
            if text and size("\n".join([*lines, text])) <= SECTION:
                lines.append(text)
        blocks = [section("\n".join(lines))]
        small = [text for line in actions if (text := spans.slack(line, LINE))]
        if small:
            blocks.append(context(small))
        return self._add(blocks)

    def buttons(self, incident_id: str) -> bool:
        """What can be done at once; the value is the incident's id and nothing else."""
        elements = [
            {
                "type": "button",
                "action_id": action,
                "text": {"type": "plain_text", "text": label, "emoji": False},
                "value": incident_id,
            }
            for action, label in _BUTTONS
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
        return (
            len(self._blocks) + len(blocks) <= MAX_BLOCKS and sum(map(_cost, blocks)) <= self._free
        )

    def _take(self, block: Block) -> None:
        self._blocks.append(block)
        self._free -= _cost(block)


def header(text: str) -> Block:
    """The line in large letters; ``text`` unescaped."""
    # Escapes made by plain_text lengthen it: cut again after them.
    shown = truncate(plain_text(truncate(text, HEADER)), HEADER)
    while size(shown) > HEADER:
        shown = truncate(shown, len(shown) - 1)
    return {"type": "header", "text": {"type": "plain_text", "text": shown, "emoji": False}}


def section(text: str) -> Block:
    """Text at full size; ``text`` escaped."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def context(texts: Sequence[str]) -> Block:
    """Text in small grey letters; escaped, at most ten."""
    elements = [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts[:10]]
    return {"type": "context", "elements": elements}


def _cost(block: Block) -> int:
    return size(_written(block)) + 1


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
