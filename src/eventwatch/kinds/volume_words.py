"""Counts and spans of time as the sentences of the volume kind write them."""

from __future__ import annotations

from eventwatch.detect.calendar import DAY
from eventwatch.model.durations import format_duration, from_epoch


def number(count: float) -> str:
    """1,240; 0.4 where a whole number would say nothing."""
    if 0 < count < 9.95 and abs(count - round(count)) > 0.05:
        return f"{count:.1f}"
    return f"{round(count):,}"


def events(count: float) -> str:
    """ "1 event", "1,240 events"."""
    said = number(count)
    return f"{said} event" if said == "1" else f"{said} events"


def span_of(lower: float, upper: float) -> str:
    """ "9,800 to 11,600", rounded to what is meant."""
    low, high = _rounded(lower), _rounded(upper)
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _rounded(count: float) -> float:
    if count < 100:
        return float(round(count)) if count >= 10 else round(count, 1)
    scale = 10.0 ** (len(str(int(count))) - 3)
    return round(count / scale) * scale


def when(start: int, end: int) -> str:
    """ "between 13:00 and 14:00 UTC"; longer spans by their length and their end."""
    if end - start <= 3600 * 3:
        return f"between {_clock(start)} and {_clock(end)} UTC"
    if (end - start) % DAY == 0 and start % DAY == 0 and end - start == DAY:
        return f"on {from_epoch(start):%Y-%m-%d} (UTC)"
    return f"in the {format_duration(end - start)} to {from_epoch(end):%Y-%m-%d %H:%M} UTC"


def _clock(seconds: int) -> str:
    return f"{from_epoch(seconds):%H:%M}"
