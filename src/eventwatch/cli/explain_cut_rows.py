"""The lines of an explanation that are about one value of a dimension."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from eventwatch.cli import words
from eventwatch.model.durations import format_duration

if TYPE_CHECKING:
    from eventwatch.kinds.volume_cuts_explain import CutExplanation
    from eventwatch.kinds.volume_explanation import Explanation


def rows_of_cut(
    cut: CutExplanation, whole: Explanation | None, signed: Callable[[float], str]
) -> Iterator[tuple[str, str]]:
    """Label and text, unescaped. ``whole``: what is said of its event type; ``signed`` writes a z."""
    if cut.observed is not None and cut.expected is not None and cut.group is not None:
        yield "seen", f"{words.quantity(cut.observed, 'events')} of {words.number(cut.group)}"
        usual = f"{words.number(cut.expected)} of so many"
        if cut.lower is not None and cut.upper is not None:
            usual += f" (99 of 100: {words.number(cut.lower)} to {words.number(cut.upper)})"
        yield "expected", usual
        group = max(cut.group, 1.0)
        yield (
            "share",
            f"{cut.observed / group * 100:.1f} %, usually {cut.expected / group * 100:.1f} %",
        )
    if cut.window is not None:
        yield "window", f"the last {format_duration(cut.window)} to {words.instant(cut.at)}"
    if cut.z is not None and cut.score is not None:
        yield "how far", f"z {signed(cut.z)} of its share, score {cut.score:.2f}"
    if cut.threshold is not None:
        text = "its event type's, raised for the number of values that share a part of its budget"
        yield "threshold", f"score {cut.threshold:.2f}: {text}"
    if whole is not None:
        yield "event type", f"{whole.status.value}: {whole.sentence}"
