"""Makes foreign text harmless where it is shown: Slack mrkdwn, Slack code spans, terminals.

Names, comments and descriptions come from data and contracts, so all of them may be hostile. The
order matters: truncate first, then escape. A cut through ``&lt;`` would leave half an entity.
"""

from __future__ import annotations

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NO_TICKS = str.maketrans({"`": "ˋ"})
_NO_BRACKETS = str.maketrans({"<": "‹", ">": "›", "&": "＆"})


def plain(text: str) -> str:
    """Everything that does not print made visible as ``\\x1b``, ``\\u202e``, ``\\ud800``: control
    and bidi characters, lone surrogates, invisible and odd blanks. One line comes out as one line.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def terminal(text: str) -> str:
    """For a terminal or a log line: no escape sequence survives, and nothing breaks the line."""
    return plain(text)


def mrkdwn(text: str) -> str:
    """For Slack mrkdwn outside code spans: nothing in it can mention, link or open a code span.

    Every text object that carries it also says ``verbatim``: else Slack links bare URLs itself.
    """
    return plain(text).translate(_NO_TICKS).translate(_ENTITIES)


def code(text: str) -> str:
    """For the inside of a Slack code span. Slack reads ``<…>`` even there, and a backtick would end
    the span. An empty or blank-edged text would be no span at all, so its edges are marked.
    """
    shown = plain(text).translate(_NO_TICKS)
    if not shown:
        return "(empty)"
    inner = shown.strip(" ")
    left = len(shown) - len(shown.lstrip(" "))
    right = len(shown) - len(inner) - left
    return ("␣" * left + inner + "␣" * right).translate(_ENTITIES)


def plain_text(text: str) -> str:
    """For Slack ``plain_text`` objects (headers). Whether entities are decoded there is not
    documented, so the three special characters are replaced by look-alikes."""
    return plain(text).translate(_NO_BRACKETS)


def truncate(text: str, length: int) -> str:
    """At most ``length`` characters, the last of them "…" when something was cut. Unescaped text
    only. Raises ValueError for a length under 1."""
    if length < 1:
        raise ValueError("nothing fits in less than one character")
    return text if len(text) <= length else text[: length - 1] + "…"


def size(text: str) -> int:
    """Length in UTF-16 units: what JavaScript counts, never less than the number of characters."""
    return len(text) + sum(c > "\uffff" for c in text)
