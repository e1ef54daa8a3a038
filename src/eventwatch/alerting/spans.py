"""Lines of a message as typed pieces, written out once for Slack and once for terminals.

Because a piece knows whether it is text, a name, a command, a link or a mention, no caller escapes
anything, and none can forget to. Lengths are bounded here too, before escaping.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eventwatch.alerting.escape import code, mrkdwn, plain, size, terminal, truncate


@dataclass(frozen=True)
class Text:
    """Words; foreign ones as well."""

    value: str


@dataclass(frozen=True)
class Bold:
    """A label. Ours only: in foreign text an asterisk could end it."""

    value: str


@dataclass(frozen=True)
class Name:
    """A name from data or contracts, shown as code."""

    value: str


@dataclass(frozen=True)
class Command:
    """Something to copy; never shortened, so made short by ``commands``."""

    value: str


@dataclass(frozen=True)
class Link:
    """A URL that ``links`` made or accepted, with its label."""

    url: str
    label: str


@dataclass(frozen=True)
class Mention:
    """A user group to mention, an id that ``routing`` accepted."""

    group_id: str


Span = Text | Bold | Name | Command | Link | Mention
Line = tuple[Span, ...]

_LONGEST = 400
_SHORTEST = 4


def slack(line: Line, cap: int) -> str:
    """One line of mrkdwn of at most ``cap`` UTF-16 units; text and names give way evenly. What can
    give no more way (commands, links) makes the line fall away whole: the empty string."""
    longest = _LONGEST
    while True:
        text = "".join(_slack(span, longest) for span in line)
        if size(text) <= cap:
            return text
        if longest <= _SHORTEST:
            return ""
        longest //= 2


def _slack(span: Span, longest: int) -> str:
    match span:
        case Text(value):
            return mrkdwn(truncate(value, longest))
        case Bold(value):
            return f"*{mrkdwn(value)}*"
        case Name(value):
            return f"`{code(truncate(value, min(longest, 100)))}`"
        case Command(value):
            return f"`{code(value)}`"
        case Link(url, label):
            address = url.replace("&", "&amp;")
            shown = mrkdwn(truncate(label, min(longest, 80))).replace("|", "¦")
            return f"<{address}|{shown}>"
        case Mention(group_id):
            return f"<!subteam^{group_id}>"


def on_terminal(line: Line) -> str:
    """One line without markup; mentions are left out, with what stood between them and the rest."""
    kept: list[Span] = []
    gone = False
    for span in line:
        if isinstance(span, Mention):
            gone = True
        elif not (gone and span in _BETWEEN):
            kept.append(span)
            gone = False
    if gone and kept and kept[-1] in _BETWEEN:
        kept.pop()
    return "".join(_on_terminal(span) for span in kept)


def _on_terminal(span: Span) -> str:
    match span:
        case Text(value):
            return terminal(truncate(value, _LONGEST))
        case Name(value):
            return terminal(truncate(value, 100)) or "(empty)"
        case Bold(value):
            return f"{plain(value)}:"
        case Command(value):
            return plain(value)
        case Link(url, label):
            return f"{terminal(truncate(label, 80))} ({plain(url)})"
        case Mention():
            return ""


SEPARATOR = " · "
_BETWEEN = (Text(SEPARATOR), Text(" "))


def joined(parts: Iterable[Line], separator: str = SEPARATOR) -> Line:
    """Lines as one, with a separator between those that are not empty."""
    whole: list[Span] = []
    for part in parts:
        if not part:
            continue
        if whole:
            whole.append(Text(separator))
        whole.extend(part)
    return tuple(whole)
