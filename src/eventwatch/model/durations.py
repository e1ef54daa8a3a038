"""Spans of time as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")


def parse_duration(value: object) -> timedelta:
    """``15m``, ``1d12h``, ``1.5h`` or a timedelta; ``0`` alone is zero.

    Raises ValueError for anything else: a number without a unit is a guess.
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip() if isinstance(value, str | int) else ""
    if text == "0" and not isinstance(value, bool):
        return timedelta(0)
    if not _WHOLE.fullmatch(text):
        raise ValueError("write a span with its unit, like 90s, 15m, 2h or 1d12h")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > 3650 * 86400:
        raise ValueError("longer than ten years")
    return timedelta(seconds=seconds)


def format_duration(span: timedelta | float) -> str:
    """Two units at most, as people say it: ``45 s``, ``3 h 10 min``, ``2 d 4 h``, ``61 d``."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if seconds < 1 and seconds > 0:
        return f"{sign}{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{sign}{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{sign}{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{sign}{hours} h" + (f" {minutes} min" if minutes else "")
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{sign}{days} d" + (f" {hours} h" if hours and days < 14 else "")


def write_duration(span: timedelta) -> str:
    """The shortest text that ``parse_duration`` reads back: ``1d12h``, ``15m``, ``0``."""
    milliseconds = round(span.total_seconds() * 1000)
    parts = []
    for unit, size in (("d", 86400000), ("h", 3600000), ("m", 60000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0"


def from_epoch(seconds: float) -> datetime:
    """Aware UTC instant of epoch seconds."""
    return datetime.fromtimestamp(float(seconds), UTC)


def floor_to(at: datetime, step: int) -> datetime:
    """``at`` rounded down to a whole multiple of ``step`` epoch seconds, aware UTC."""
    return from_epoch(int(at.timestamp()) // step * step)
