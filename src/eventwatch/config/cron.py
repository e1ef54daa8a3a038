"""Five cron fields, checked before a scheduler sees them.

Refused although schedulers take it: a schedule that never comes (30 February), and one that restricts
both the day of the month and the day of the week, because cron itself reads that as "or" and most
schedulers as "and".
"""

from __future__ import annotations

import re
from calendar import monthrange

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(\*|[0-9a-z]+(?:-[0-9a-z]+)?)(?:/([0-9]+))?")


def check_cron(text: str) -> str:
    """The five fields with single blanks. Raises ValueError with the field that is wrong."""
    words = text.lower().split()
    if len(words) != len(_FIELDS):
        raise ValueError(
            'must have five fields (minute hour day month weekday), like "*/5 * * * *"'
        )
    values = [_values(word, *field) for word, field in zip(words, _FIELDS, strict=True)]
    if words[2] != "*" and words[4] != "*":
        raise ValueError("may restrict the day of the month or the day of the week, not both")
    if not any(day <= monthrange(2024, month)[1] for month in values[3] for day in values[2]):
        raise ValueError("names a day that no month of it has, so it would never run")
    return " ".join(words)


def _values(word: str, name: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"has a {name} that is not a number, range, list or step")
        span, step = match[1], match[2]
        if step is not None and int(step) == 0:
            raise ValueError(f"has a {name} with a step of 0")
        if span == "*":
            first, last = low, high
        else:
            begin, _, end = span.partition("-")
            first = _number(begin, name, low, high, names)
            last = _number(end, name, low, high, names) if end else (high if step else first)
        if last < first and name == "day of the week":
            last += 7
        if last < first:
            raise ValueError(f"has a {name} range that ends before it begins")
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + low
    if not text.isdigit() or not low <= int(text[:9]) <= high:
        raise ValueError(f"has a {name} that is not between {low} and {high}")
    return int(text)
