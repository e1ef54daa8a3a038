"""A pass that also tells what each window of the newest bucket said, not only the one that spoke.

It is for explaining: it runs the whole panel once and keeps everything, so nothing here is saved or gone
on from. What it says of a bucket is what ``run`` and ``run_on`` say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.engine import Pass
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.settings import DetectSettings
from eventwatch.detect.stretch import Stretch
from eventwatch.detect.witness import Common, Witness

FloatArray = NDArray[np.float64]

LEAST_LEFT = 0.02
"""The others never take away more than all but this part of what is expected, as in the engine."""


@dataclass(frozen=True)
class Windows:
    """All windows that end with the newest bucket; arrays [W, S], W in the order of the grain's."""

    length: NDArray[np.int64]
    """[W] buckets."""
    observed: FloatArray
    """NaN where the window could not be judged: too long for what is known, or not measured."""
    expected: FloatArray
    """With what the others do."""
    moved: FloatArray
    """By how much the others moved the expectation, relative to the series' own past; 0: not at all."""
    z: FloatArray
    """Signed, by the spread of the window, before the series' own calibration."""
    calibrated: FloatArray
    """The same in units of what is rare for this series."""


@dataclass(frozen=True)
class Aloud:
    """All that a pass said."""

    scored: Scored
    """Of every bucket, also of those too old for a verdict."""
    windows: Windows
    scale: FloatArray
    """[T, 2, S] by how much the single bucket's |z| was divided upwards and downwards."""


class _Heard(Witness):
    """Keeps what it said last."""

    said = Common(None, 0.0, False)

    @staticmethod
    def like(witness: Witness) -> _Heard:
        """Set up as the other one is."""
        heard = _Heard.__new__(_Heard)
        vars(heard).update(vars(witness))
        return heard

    def look(self, *of: Any, **more: Any) -> Common:
        self.said = super().look(*of, **more)
        return self.said


class _Telling(Pass):
    def __init__(self, panel: Panel, settings: DetectSettings) -> None:
        super().__init__(panel, settings)
        self.witness = self.heard = _Heard.like(self.witness)
        self.last: tuple[Any, ...] = ()
        self.scales = np.ones((self.total, 2, self.series))

    def _step(self, t: int, of: Stretch) -> None:
        super()._step(t, of)
        self.scales[t] = self.calibration.scale[:, 0]
        if t == self.total - 1:
            valid, held = of.valid[-1], of.held[-1]
            z = of.z[-1]
            error = np.where(valid, of.observed[-1] - held, np.nan)
            # Now: the end of a day calibrates anew.
            moved = self.heard.said.moved
            moved = np.zeros_like(z) if moved is None else np.maximum(moved, LEAST_LEFT - 1.0)
            self.last = z, error, held, moved, self.calibration.apply(z)


def run_aloud(panel: Panel, settings: DetectSettings) -> Aloud:
    """Scores every bucket and tells all windows of the newest. The panel must have a bucket and a
    series."""
    with np.errstate(all="ignore"):
        made = _Telling(panel, settings)
        scored = made.run()
    z, error, held, moved, calibrated = made.last
    known = np.isfinite(error)
    return Aloud(
        scored,
        Windows(
            length=made.windows,
            observed=error + held,
            expected=np.where(known, held, np.nan),
            moved=np.where(known, moved, 0.0) + 0.0,
            z=np.where(known, z, np.nan),
            calibrated=np.where(known, calibrated, np.nan),
        ),
        made.scales,
    )
