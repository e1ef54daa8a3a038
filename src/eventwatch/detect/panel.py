"""What goes into a pass over counts and what comes out of it, as arrays laid out [T, S]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.clock import Clock
from eventwatch.detect.settings import Grain

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Panel:
    """What is to be scored. Arrays are laid out [T, S]: one row a bucket."""

    counts: FloatArray
    """NaN: not observed, or before the series was born."""
    clock: Clock
    grain: Grain
    share: FloatArray | None = None
    """Part of a bucket that can be there yet, (0, 1], [T, S] or [T, 1]; None: all of it."""
    doubt: FloatArray | None = None
    """Relative variance of ``share``; same shape."""
    holiday: FloatArray | None = None
    """How much of a public holiday a bucket is, 0 to 1, [T]; None: not known, so none."""
    labels: NDArray[np.int8] | None = None
    """What people said of a bucket, [T, S]: +1 something was broken (never learned from), -1 it is
    not a problem (learned from even in alarm, and no news when it comes again); 0 nothing."""


@dataclass(frozen=True)
class Scored:
    """What a pass says of each bucket; all [T, S]."""

    score: FloatArray
    """≥ 0; false alarms become rarer by e for each 0.5."""
    z: FloatArray
    """Of the window that spoke, signed and calibrated; 0 where nothing could be judged."""
    own_z: FloatArray
    """The same without the other series as witness."""
    window: NDArray[np.int16]
    """Length in buckets of the window that spoke; 0: none."""
    observed: FloatArray
    """Sum over that window."""
    expected: FloatArray
    """Expected over that window."""
    spread: FloatArray
    """Relative variance beyond Poisson over that window."""
    scale: FloatArray
    """By how much the window's |z| was divided because this series strays by itself."""
    one_expected: FloatArray
    """Expected in the bucket itself; NaN before birth."""
    one_spread: FloatArray
    season: FloatArray
    """Season of the bucket times its ``share``."""
    level: FloatArray
    """Level before the bucket; while in alarm, the level before the alarm."""
    age: FloatArray
    """Days since the series' first bucket; -1 before it."""
    alarm: BoolArray
    """Not learned from."""
    common: FloatArray
    """[T]: how far all series together were off, as a relative deviation of the bucket."""
    common_hot: BoolArray
    """[T]: most of the table moves at once."""
    accepted: NDArray[np.int32]
    """[S]: bucket at which a new level was last accepted; -1: never."""

    @staticmethod
    def blank(total: int, series: int, accepted: NDArray[np.int32]) -> Scored:
        """Before anything was said."""
        shape = (total, series)
        zeros = ("score", "z", "own_z", "observed", "expected", "spread", "season", "level")
        return Scored(
            **{name: np.zeros(shape) for name in (*zeros, "one_spread")},
            window=np.zeros(shape, dtype=np.int16),
            scale=np.ones(shape),
            one_expected=np.full(shape, np.nan),
            age=np.full(shape, -1.0),
            alarm=np.zeros(shape, dtype=bool),
            common=np.zeros(total),
            common_hot=np.zeros(total, dtype=bool),
            accepted=accepted,
        )
