"""A series as one line of blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.:-=+*#"
_GAP = " "
NOTHING = "·"


def sparkline(values: Sequence[float], width: int, *, unicode: bool = True) -> str:
    """At most ``width`` characters, newest last; longer series are averaged in equal groups. The scale
    begins at 0, so that a fall to nothing looks like one; NaN (not measured) is a dot."""
    if width < 1 or not values:
        return ""
    blocks = _BLOCKS if unicode else _ASCII
    points = _grouped(values, width)
    known = [p for p in points if math.isfinite(p)]
    top = max(known, default=0.0)
    if top <= 0:
        return "".join(blocks[0] if math.isfinite(p) else _gap(unicode) for p in points)
    steps = len(blocks) - 1
    return "".join(
        blocks[min(steps, math.ceil(max(0.0, p) / top * steps))]
        if math.isfinite(p)
        else _gap(unicode)
        for p in points
    )


def _gap(unicode: bool) -> str:
    return NOTHING if unicode else _GAP


def _grouped(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return [float(v) for v in values]
    size = math.ceil(len(values) / width)
    # Whole groups from the newest back, so that the last character is the latest time.
    start = len(values) % size
    groups = [values[:start]] if start else []
    groups += [values[i : i + size] for i in range(start, len(values), size)]
    return [_mean(group) for group in groups]


def _mean(group: Sequence[float]) -> float:
    known = [float(v) for v in group if math.isfinite(v)]
    return sum(known) / len(known) if known else math.nan
