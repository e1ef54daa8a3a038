"""The counts around one incident as an SVG drawing: no script, no fonts, colours from the page.

Only numbers and dates of ours are drawn; nothing foreign gets in, so nothing has to be escaped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eventwatch.backtest.incident import Incident
from eventwatch.backtest.picture import Picture

WIDTH, HEIGHT = 760, 150
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 22
TICKS = 6


@dataclass(frozen=True)
class _Frame:
    start_at: datetime
    end_at: datetime
    top: float

    def x(self, at: datetime) -> float:
        share = (at - self.start_at) / (self.end_at - self.start_at)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)


def drawing(picture: Picture, incident: Incident, last_at: datetime) -> str:
    """An ``<svg>`` element. Classes: count, expected, during, told, axis."""
    size = len(picture.counts)
    end = picture.start_at + size * picture.step
    known = [*picture.counts, *(value for _, value in picture.expected)]
    top = _round_up(max([v for v in known if math.isfinite(v)], default=0.0))
    frame = _Frame(picture.start_at, end, top)
    over = incident.ended_at or last_at
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_label(picture)}">',
        _during(frame, incident.began_at, over),
        *_axis(frame),
        f'<path class="count" d="{_steps(frame, picture)}"/>',
        _expected(frame, picture),
        _mark(frame, incident.told_at, "told"),
        "</svg>",
    ]
    return "".join(parts)


def _label(picture: Picture) -> str:
    each = "day" if picture.step >= timedelta(days=1) else "hour"
    return f"rows by the {each} they were {'loaded' if picture.by_load else 'made'}"


def _during(frame: _Frame, began_at: datetime, over: datetime) -> str:
    x = frame.x(began_at)
    width = max(frame.x(over) - x, 1.5)
    height = HEIGHT - TOP - BOTTOM
    return f'<rect class="during" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{height}"/>'


def _axis(frame: _Frame) -> list[str]:
    parts = []
    # Half a row is nothing one can count.
    for value in (0.0, *((frame.top / 2,) if frame.top >= 2 else ()), frame.top):
        y = frame.y(value)
        parts.append(
            f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="axis" x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">'
            f"{_short(value)}</text>"
        )
    span = frame.end_at - frame.start_at
    every = next((d for d in (0.25, 1, 2, 7, 14, 28) if span / timedelta(days=d) <= TICKS + 1), 28)
    midnight = frame.start_at.astimezone(UTC).replace(hour=0, minute=0, second=0)
    at = midnight
    while at < frame.end_at:
        if at >= frame.start_at:
            shown = f"{at:%m-%d %H:%M}" if every < 1 else f"{at:%m-%d}"
            x = frame.x(at)
            parts.append(
                f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{HEIGHT - BOTTOM}" '
                f'y2="{HEIGHT - BOTTOM + 4}"/>'
                f'<text class="axis" x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{shown}</text>'
            )
        at += timedelta(days=every)
    return parts


def _steps(frame: _Frame, picture: Picture) -> str:
    """Each bucket as a step, closed along the bottom."""
    floor = frame.y(0.0)
    points = [f"M{LEFT} {floor:.1f}"]
    before = math.nan
    for i, value in enumerate(picture.counts):
        if value != before:
            x = frame.x(picture.start_at + i * picture.step)
            points.append(f"H{x:.1f}V{frame.y(value):.1f}")
            before = value
    points.append(f"H{WIDTH - RIGHT}V{floor:.1f}Z")
    return "".join(points)


def _expected(frame: _Frame, picture: Picture) -> str:
    if not picture.expected:
        return ""
    points: list[str] = []
    for at, value in picture.expected:
        y = frame.y(value)
        first = "M" if not points else "L"
        points.append(f"{first}{frame.x(at):.1f} {y:.1f}H{frame.x(at + picture.step):.1f}")
    return f'<path class="expected" d="{"".join(points)}"/>'


def _mark(frame: _Frame, at: datetime, name: str) -> str:
    x = frame.x(at)
    return f'<line class="{name}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'


def _round_up(value: float) -> float:
    """The next number that is easy to read on an axis."""
    if value <= 1:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next(scale * step for step in (1, 2, 4, 5, 8, 10) if value <= scale * step)


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
