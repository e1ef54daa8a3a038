"""Foreign text in pictures: made harmless, cut to what fits, broken into lines."""

from __future__ import annotations

import unicodedata

from eventwatch.alerting.escape import plain, truncate


def title_of(text: str, length: int) -> str:
    """One line without control or bidi characters; a name nobody could see is said to be one."""
    shown = truncate(plain(truncate(text, 4 * length)), length)
    return shown if shown.strip() else "(empty)"


def lines_of(text: str, width: int, most: int) -> list[str]:
    """Broken at blanks into at most ``most`` lines of ``width`` columns, the last one cut by "…"."""
    rest = plain(truncate(text, 4 * width * most)).strip()
    lines: list[str] = []
    while rest and len(lines) < most:
        if columns(rest) <= width:
            return [*lines, rest]
        if len(lines) == most - 1:
            return [*lines, fitted(rest, width)]
        fits = max(_prefix(rest, width), 1)
        blank = rest.rfind(" ", 0, fits + 1)
        cut = blank if blank > 0 else fits
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return lines


def fitted(text: str, width: int) -> str:
    """At most ``width`` columns, the last of them "…" when something was cut."""
    if columns(text) <= width:
        return text
    return text[: _prefix(text, max(width - 1, 0))] + "…"


def columns(text: str) -> int:
    """How wide the text is where each letter has a cell: East Asian ones and emoji have two."""
    return sum(_width(c) for c in text)


def _prefix(text: str, width: int) -> int:
    """How many characters fit."""
    used = 0
    for i, character in enumerate(text):
        used += _width(character)
        if used > width:
            return i
    return len(text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
