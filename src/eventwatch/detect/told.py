"""What is known of buckets beside their counts: holidays and people's labels, ready for a pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.panel import BoolArray, FloatArray, Panel

FROM = 0.5
"""Part of a bucket that must be holiday for it to be learned from as one, and not as any other."""


@dataclass(frozen=True)
class Told:
    """Arrays that rest on the panel alone."""

    mark: FloatArray
    """[T] how much of a holiday."""
    fine: BoolArray
    """[T, S or 1] a person said that it is not a problem."""
    real: BoolArray
    """[T, S or 1] a person said that something was broken."""
    lesson: BoolArray
    """[T, S or 1] what came teaches what is usual: neither a holiday nor broken."""

    some: bool
    """Whether anybody said anything."""

    @staticmethod
    def of(panel: Panel) -> Told:
        """Of a panel; without holidays and labels, every bucket is a lesson."""
        total = panel.counts.shape[0]
        mark = np.zeros(total) if panel.holiday is None else panel.holiday
        said: NDArray[np.int8] = (
            np.zeros((total, 1), dtype=np.int8) if panel.labels is None else panel.labels
        )
        lesson = (mark < FROM)[:, None] & (said <= 0)
        return Told(mark, said < 0, said > 0, lesson, panel.labels is not None)
