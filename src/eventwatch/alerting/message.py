"""One message per owner and cycle: everything that began, worsened, goes on or ended, worst first.

Slack refuses a message of more than 50 blocks, and one of more than some 12,000 characters, without
saying where. So the size is kept by construction: every block is written out, escaped and measured
before it is taken, and what does not fit is counted, with the command that shows it. ``BUDGET``
counts the JSON of the blocks and the summary together, in UTF-16 units; it stays under the promised
9,000 by what a notifier or the fallback route may put in front.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from eventwatch.alerting import card as cards
from eventwatch.alerting import commands, spans, words
from eventwatch.alerting.card import News
from eventwatch.alerting.escape import plain_text, size, truncate
from eventwatch.alerting.route import Route
from eventwatch.alerting.spans import Command, Line, Mention, Text, joined
from eventwatch.alerting.trouble import is_trouble
from eventwatch.model.alert import Change, Message
from eventwatch.model.status import Severity

BUDGET = 8_000
MAX_BLOCKS = 45
_HEADER = 140
_SUMMARY = 700
_LINE = 420
_DETAILED = 6
"""Alerts told in full."""
_DETAILED_OF_MANY = 3
"""Of a longer message, where the reader needs the list first."""
_MANY = 12
_LISTED = 20
_SECTION = 2_600

Block = dict[str, Any]

_ORDER = (Change.WORSE, Change.FIRED, Change.REMIND, Change.RESOLVED)


def worst_first(news: Sequence[News]) -> tuple[News, ...]:
    """Bad before over, severe before mild, new before old, data before our own trouble, the whole
    exposure before one event type; then by name."""

    def key(item: News) -> tuple[object, ...]:
        result = item.alert.result
        return (
            item.is_over,
            -result.severity.rank,
            _ORDER.index(item.change) if item.change in _ORDER else len(_ORDER),
            is_trouble(result),
            not result.total,
            result.event_type is not None,
            words.subject(result),
            item.alert.id,
        )

    return tuple(sorted(news, key=key))


def compose(
    route: Route, news: Sequence[News], now: datetime, *, contract_link: str = ""
) -> Message:
    """The message of one route. ``news`` is what is to be told there, at least one."""
    ordered = worst_first(news)
    head = headline(route, ordered)
    summary = _summary(head, ordered, now)
    page = _Page(BUDGET - size(summary) - 2)
    page.force(_header(head))
    intro = _intro(route, ordered, now)
    page.force(_context(joined((_mention(route, ordered), intro))))
    page.reserve(_context(_footer(route, ordered)))
    page.reserve(_reserved_more(ordered, route))

    told: list[Line] = []
    bad = [item for item in ordered if not item.is_over]
    detailed = 0
    for item in bad[: _DETAILED if len(ordered) <= _MANY else _DETAILED_OF_MANY]:
        made = cards.card(item, now, contract_link)
        blocks = _card_blocks(made)
        # A long list is worth more than a sixth card; leave it room.
        spare = 1_500 if len(ordered) > detailed + 1 else 0
        if not page.fits(blocks, spare=spare) and detailed:
            break
        if not page.fits(blocks):
            break
        page.add(*blocks)
        told.extend(made.body)
        told.extend(made.actions)
        told.append(())
        detailed += 1
    rest = [*bad[detailed:], *(item for item in ordered if item.is_over)]
    listed = _list(page, rest, now, told)
    left = rest[listed:]
    page.release(_reserved_more(ordered, route))
    if left:
        page.add(_section(spans.slack(_more(left, route), _LINE)))
        told.append(_more(left, route))
    page.release(_context(_footer(route, ordered)))
    footer = _footer(route, ordered, with_all=not left and len(ordered) > 1)
    if footer:
        page.add(_context(footer))
    return Message(text=summary, blocks=page.json(), plain=_plain(head, intro, told, footer))


def headline(route: Route, ordered: Sequence[News]) -> str:
    """The header, unescaped."""
    if len(ordered) == 1:
        only = ordered[0]
        name = truncate(words.subject(only.alert.result), 60)
        if only.is_over:
            return f"{name}: {only.alert.end_reason or 'over'}"
        still = "still: " if only.change is Change.REMIND else ""
        return f"{still}{name} {words.phrase(only.alert.result)}"
    n = Counter(item.change for item in ordered)
    parts = [
        words.count(n[Change.FIRED], "new problem", "new problems") if n[Change.FIRED] else "",
        f"{n[Change.WORSE]:,} worse" if n[Change.WORSE] else "",
        f"{n[Change.REMIND]:,} still open" if n[Change.REMIND] else "",
        f"{n[Change.RESOLVED]:,} over" if n[Change.RESOLVED] else "",
    ]
    team = truncate(route.team, 40) or "no team"
    return f"{team}: " + ", ".join(part for part in parts if part)


def _summary(head: str, ordered: Sequence[News], now: datetime) -> str:
    """What a notification shows, and all there is when blocks are refused."""
    lines = [spans.slack((Text(head),), 300)]
    for item in ordered[:3]:
        if len(ordered) > 1:
            lines.append("• " + spans.slack(cards.one_line(item, now), 200))
        elif item.alert.result.summary and not item.is_over:
            lines.append(spans.slack((Text(item.alert.result.summary),), 300))
    if len(ordered) > 3:
        lines.append(f"+{len(ordered) - 3:,} more")
    kept = [line for line in lines if line]
    while size("\n".join(kept)) > _SUMMARY:
        kept.pop()
    return "\n".join(kept)


def _mention(route: Route, ordered: Sequence[News]) -> Line:
    """The owner's group, unless all that is told is good or only informs."""
    loud = any(
        not item.is_over and item.alert.result.severity is not Severity.INFO for item in ordered
    )
    return (Mention(route.group_id),) if route.group_id and loud else ()


def _intro(route: Route, ordered: Sequence[News], now: datetime) -> Line:
    exposures = sorted({item.alert.result.exposure for item in ordered})
    parts: list[Line] = [(spans.Name(name),) for name in exposures[:3]]
    if len(exposures) > 3:
        parts.append((Text("and others"),))
    if route.team:
        parts.append((Text(f"for {truncate(route.team, 60)}"),))
    parts.append((Text(words.instant(now, now)),))
    return joined(parts)


def _footer(route: Route, ordered: Sequence[News], *, with_all: bool = True) -> Line:
    exposure = ordered[0].alert.result.exposure
    all_of_it: Line = (Text("All of it: "), Command(commands.see_team(route.team, exposure)))
    on_purpose: Line = (
        Text("On purpose and for days? Add to the contract: "),
        Command('suppressions { check: CHECK_… reason: "…" until: "YYYY-MM-DD" }'),
    )
    can_suppress = any(item.contract is not None and not item.is_over for item in ordered)
    return joined((all_of_it if with_all else (), on_purpose if can_suppress else ()))


def _more(left: Sequence[News], route: Route) -> Line:
    bad = Counter(item.alert.result.severity for item in left if not item.is_over)
    parts = [f"{bad[s]:,} {s.value}" for s in reversed(Severity) if bad[s]]
    over = sum(item.is_over for item in left)
    parts += [f"{over:,} over"] if over else []
    exposure = left[0].alert.result.exposure
    return (
        Text(f"+{len(left):,} more ({', '.join(parts)}). Show them: "),
        Command(commands.see_team(route.team, exposure)),
    )


def _reserved_more(ordered: Sequence[News], route: Route) -> Block:
    """The longest that the line about the rest can become."""
    text = spans.slack(_more(ordered, route), _LINE)
    return _section(text + "9" * 60)


def _list(page: _Page, rest: Sequence[News], now: datetime, told: list[Line]) -> int:
    """Adds the rest as a list; returns how many found room."""
    lines: list[str] = []
    taken = 0
    for item in rest[:_LISTED]:
        line = cards.one_line(item, now)
        text = spans.slack(line, _LINE // 2)
        if not page.fits([_section("\n".join([*lines, text]))]):
            break
        if lines and size("\n".join([*lines, text])) > _SECTION:
            page.add(_section("\n".join(lines)))
            lines = []
            if not page.fits([_section(text)]):
                break
        lines.append(text)
        told.append(line)
        taken += 1
    if lines:
        page.add(_section("\n".join(lines)))
    return taken


def _card_blocks(made: cards.Card) -> list[Block]:
    lines: list[str] = []
    for line in made.body:
        text = spans.slack(line, _LINE)
        if text and size("\n".join([*lines, text])) <= _SECTION:
            lines.append(text)
    actions = [text for line in made.actions if (text := spans.slack(line, _LINE))]
    return [_section("\n".join(lines)), _context_texts(actions)]


def _header(text: str) -> Block:
    # Escapes made by plain_text lengthen it: cut again after them.
    shown = truncate(plain_text(truncate(text, _HEADER)), _HEADER)
    while size(shown) > _HEADER:
        shown = truncate(shown, len(shown) - 1)
    return {"type": "header", "text": {"type": "plain_text", "text": shown, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(line: Line) -> Block:
    return _context_texts([spans.slack(line, 2 * _LINE)])


def _context_texts(texts: Sequence[str]) -> Block:
    elements = [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts]
    return {"type": "context", "elements": elements}


def _plain(head: str, intro: Line, told: Sequence[Line], footer: Line) -> str:
    lines = [(Text(head),), intro, (), *told, footer]
    return "\n".join(spans.on_terminal(line) for line in lines)


class _Page:
    """Blocks with a budget. What is reserved is counted until it is released and added."""

    def __init__(self, budget: int) -> None:
        self._blocks: list[Block] = []
        self._free = budget
        self._places = MAX_BLOCKS

    def fits(self, blocks: Sequence[Block], spare: int = 0) -> bool:
        return len(blocks) <= self._places and sum(map(_cost, blocks)) <= self._free - spare

    def reserve(self, block: Block) -> None:
        self._free -= _cost(block)
        self._places -= 1

    def release(self, block: Block) -> None:
        self._free += _cost(block)
        self._places += 1

    def add(self, *blocks: Block) -> None:
        if not self.fits(blocks):
            raise ValueError("a block was added that had not been measured")
        self.force(*blocks)

    def force(self, *blocks: Block) -> None:
        for block in blocks:
            self.reserve(block)
            self._blocks.append(block)

    def json(self) -> str:
        return _written(self._blocks)


def _cost(block: Block) -> int:
    return size(_written(block)) + 1


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
