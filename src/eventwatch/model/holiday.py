"""A public holiday of one place, as a local day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class Holiday:
    """One holiday of one place. Several places may have the same day."""

    day: date
    """In the exposure's time zone."""
    name: str
    """For people, such as Thanksgiving Day."""
    place: str
    """As the config names it: ``US``, ``DE-BY``."""

    def __str__(self) -> str:
        return f"{self.name} ({self.place})"
