"""Numbers, spans and amounts as people read them, the same in every form of the answer."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from eventwatch.model.durations import format_duration
from eventwatch.model.result import Amount


def instant(at: datetime) -> str:
    """``2026-03-01 12:00 UTC``; seconds only where they are not zero."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.second else f"{at:%Y-%m-%d %H:%M} UTC"


def minute(at: datetime) -> str:
    """``2026-03-01 12:00 UTC``, rounded down."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(at: datetime, now: datetime) -> str:
    """``3 h 10 min ago``; an instant after ``now`` is ``in 5 min``."""
    span = now - at
    return (
        f"{format_duration(span)} ago"
        if span.total_seconds() >= 0
        else (f"in {format_duration(-span)}")
    )


def quantity(value: float, unit: str) -> str:
    """A number in its unit; ``unknown`` for NaN."""
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else "without limit"
    if unit == "seconds":
        return format_duration(value)
    if unit == "share":
        percent = value * 100
        return f"{percent:.3g} %" if percent < 10 else f"{percent:.1f} %"
    noun = {"events": "event", "values": "value"}.get(unit, unit)
    text = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"
    if not noun:
        return text
    return f"{text} {noun}" + ("" if text == "1" or noun == unit else "s")


def expected(amount: Amount) -> str:
    """What was expected, with the range where there is one; empty: nothing is known."""
    low, high, unit = amount.lower, amount.upper, amount.unit
    nothing = amount.expected == 0 or (amount.expected is None and high == 0)
    if nothing and not low and not high and unit in ("events", "values"):
        return f"no {unit}"
    bounds = ""
    if unit == "events":
        low, high = (None if bound is None else _meant(bound) for bound in (low, high))
    if low is not None and high is not None and math.isfinite(high):
        bounds = f"{_bare(low, unit)} to {quantity(high, unit)}"
    elif high is not None and math.isfinite(high):
        bounds = f"at most {quantity(high, unit)}"
    elif low is not None and math.isfinite(low):
        bounds = f"at least {quantity(low, unit)}"
    if amount.expected is None or not math.isfinite(amount.expected):
        return bounds
    about = quantity(_meant(amount.expected) if unit == "events" else amount.expected, unit)
    if not bounds and unit == "seconds":
        return f"usually at most {about}"  # a pause, or an age: the usual one is no aim
    return f"about {about} ({bounds})" if bounds else about


def _meant(count: float) -> float:
    """Of a number that was worked out the digits that mean something: whole events from ten on, three
    digits of large ones."""
    if not math.isfinite(count) or abs(count) < 10:
        return count
    scale = 10.0 ** max(len(str(int(abs(count)))) - 3, 0)
    return round(count / scale) * scale


def _bare(value: float, unit: str) -> str:
    text = quantity(value, unit)
    return text.partition(" ")[0] if unit in ("events", "values") else text


def number(count: float) -> str:
    """``1,240``, ``12.4``; "unknown" for what is none."""
    if not math.isfinite(count):
        return "unknown"
    return f"{count:,.0f}" if count >= 100 or count == int(count) else f"{count:,.1f}"
