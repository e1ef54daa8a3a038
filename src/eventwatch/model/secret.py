"""Values that are never shown, and what there is of them in this process, so that logs can hide them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SHORTEST = 6
"""Shorter values would black out ordinary words."""
_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@:]*:([^@/]+)@", re.IGNORECASE)
_known: set[str] = set()


@dataclass(frozen=True, eq=True)
class Secret:
    """A value that never shows in a repr, a log or an error; ``reveal()`` gives it to an adapter."""

    _value: str = field(repr=False)

    def __post_init__(self) -> None:
        found = _PASSWORD.match(self._value)
        parts = (self._value, found[1] if found else "")
        _known.update(part for part in parts if len(part) >= _SHORTEST)

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __str__(self) -> str:
        return "********"

    def __repr__(self) -> str:
        return "Secret(********)"


def redacted(text: str) -> str:
    """The text without any secret of this process, or the password in one that is a URL."""
    # Longest first: one may be part of another.
    for value in sorted(_known, key=len, reverse=True):
        if value in text:
            text = text.replace(value, "********")
    return text
