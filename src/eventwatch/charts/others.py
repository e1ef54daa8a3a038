"""The second expectation of a trace: what would have come, had the series moved with all the others.

Drawn only where all event types together were clearly off: beside a quiet table it would run in the
dashed line and say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from eventwatch.model.trace import Trace, Values

CLEAR = 0.15
"""Common movement from which on a bucket is one in which the table moved."""
LASTING = timedelta(hours=3)
"""So long it must go on to be drawn: an hour of a small table strays that far by itself."""
LARGE = 0.25
"""Common movement that is drawn however short it was."""
SEEN = 0.02
"""Part of the largest count by which the two lines must part to be seen as two: of a job that runs
once a day nothing can be seen in the hours in which nothing is due."""
AROUND = 2
"""Buckets before and after: where the lines part and meet again. Gaps that short are closed."""


def expected_with_others(trace: Trace) -> Values:
    """As long as ``observed``, with None where the others say nothing; empty: nowhere."""
    if not trace.common or not trace.expected:
        return ()
    moved = trace.common
    loud = [i for i, by in enumerate(moved) if by is not None and abs(by) >= CLEAR]
    drawn: set[int] = set()
    for stretch in _stretches(loud):
        large = any(abs(moved[i] or 0.0) >= LARGE for i in stretch)
        if large or len(stretch) * trace.step >= LASTING:
            drawn.update(range(stretch[0] - AROUND, stretch[-1] + AROUND + 1))
    made = tuple(
        max(usual * (1.0 + by), 0.0)
        if i in drawn and usual is not None and by is not None
        else None
        for i, (usual, by) in enumerate(zip(trace.expected, moved, strict=True))
    )
    least = SEEN * max(
        (v for v in (*trace.observed, *trace.expected) if v is not None), default=0.0
    )
    parted = any(
        value is not None and usual is not None and abs(value - usual) > least
        for value, usual in zip(made, trace.expected, strict=True)
    )
    return made if parted else ()


def _stretches(places: Sequence[int]) -> Iterator[list[int]]:
    """Ascending places, parted where the gap is too long to be closed."""
    stretch: list[int] = []
    for place in places:
        if stretch and place - stretch[-1] > AROUND + 1:
            yield stretch
            stretch = []
        stretch.append(place)
    if stretch:
        yield stretch
