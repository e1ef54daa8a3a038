"""Holidays of countries and their parts, from the ``holidays`` package (extra ``holidays``).

The one file that knows the package. It is imported on first use: an exposure without the setting
neither needs it nor pays for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from importlib import import_module
from typing import Any

from eventwatch.model.holiday import Holiday

PLACE = re.compile(r"([A-Z]{2})(?:-([A-Za-z0-9]{1,6}))?")
"""ISO 3166: a country, or a country and one of its parts."""
INSTALL = "pip install 'eventwatch[holidays]'"
_LONGEST_LIST = 60


def check_place(place: str) -> str:
    """The place as it is. Raises ValueError, which says what to do, for one that the package does
    not know, and where the package is not installed."""
    found = PLACE.fullmatch(place)
    if found is None:
        raise ValueError(
            "must be a country like DE, or one of its parts like US-CA, by the codes of ISO 3166"
        )
    known = _countries()
    country, part = found[1], found[2]
    if country not in known:
        raise ValueError(
            "is not a country whose holidays are known; write the code of ISO 3166, like DE or "
            "US-CA (the United Kingdom is GB)"
        )
    if part is not None and part not in known[country]:
        raise ValueError(f"is not a part of {country} {_parts(country, known[country])}")
    return place


def holidays_between(places: Sequence[str], first: date, last: date) -> tuple[Holiday, ...]:
    """Holidays of the places from ``first`` to ``last``, both included, by day. The places must have
    passed ``check_place``."""
    found = {
        holiday
        for place in places
        for year in range(first.year, last.year + 1)
        for holiday in _of_year(place, year)
        if first <= holiday.day <= last
    }
    return tuple(sorted(found))


@lru_cache(maxsize=256)
def _of_year(place: str, year: int) -> tuple[Holiday, ...]:
    country, _, part = place.partition("-")
    made = _package().country_holidays(country, subdiv=part or None, years=year, language="en_US")
    return tuple(Holiday(day, str(name), place) for day, name in made.items() if day.year == year)


@lru_cache(maxsize=1)
def _countries() -> dict[str, frozenset[str]]:
    """Country → its parts."""
    listed = _package().list_supported_countries(include_aliases=False)
    return {country: frozenset(parts) for country, parts in listed.items()}


def _package() -> Any:
    try:
        return import_module("holidays")
    except ImportError:
        raise ValueError(f"needs the holidays package: {INSTALL}") from None


def _parts(country: str, parts: frozenset[str]) -> str:
    if not parts:
        return "that has holidays of its own; write the country alone"
    shown = sorted(parts)
    more = f" and {len(shown) - _LONGEST_LIST} more" if len(shown) > _LONGEST_LIST else ""
    listed = ", ".join(f"{country}-{part}" for part in shown[:_LONGEST_LIST])
    return f"with holidays of its own; known: {listed}{more}"
