"""The rest of the table as witness: how far all series are off together, and who takes part in it.

Silent where series share nothing: what a series takes over from the others is its own regression on
them, itself left out, and 0 unless the table as a whole shows that there is something to share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.daytype import ordinary

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HALF_LIFE = 20.0
PRIOR = 10.0
AT_LEAST = 6
"""Fewer series than this are no witness."""
MOST_WEIGHT = 250.0
"""No series says more than one that is off by 6 % by itself: the largest type is not the table."""
EVENT_Z = 6.0
EVENT_MOVE = 0.08
EVENT_SHARE = 0.6
EVENT_WINDOWS = 3
MANY_HOT = 0.3
KNOWN_DAYS = 28.0
SHOWN, GOES_ON = 0.5, 0.35
"""Series that are not of one place have to show that they share: from this age on, since young ones all
err alike, and by so much of what the others do, to begin with and to go on."""


@dataclass(frozen=True)
class Common:
    """What the others do in the windows that end with one bucket."""

    moved: FloatArray | None
    """[W, S] relative movement that each series is expected to share; None: too few series, or they share
    nothing."""
    bucket: float
    """Relative deviation of all together in the bucket itself."""
    event: bool
    """Most of the table moves at once."""
    ordinary: BoolArray | None = None
    """[S] whose day is an ordinary one because the table has one; None: nobody can say."""


class Witness:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int, *, one_place: bool = False) -> None:
        self.one_place = one_place
        self.share = np.zeros(series)
        self.product, self.power = np.zeros(series), np.zeros(series)
        self.shares = one_place

    def look(
        self,
        relative: FloatArray,
        variance: FloatArray,
        valid: BoolArray,
        *,
        hot: BoolArray,
        slack: FloatArray,
        evidence: FloatArray,
        age: FloatArray,
    ) -> Common:
        """``relative`` deviations [W, S] with their variance; ``slack`` [W] is the variance that all
        share because nobody knows how complete the bucket is; ``evidence`` [S] is for another kind of
        day than the calendar says; ``age`` [S] in days."""
        # What is in alarm does not speak for the others, unless the alarm is everybody's.
        calm = ~hot if hot.mean() < MANY_HOT else np.ones_like(hot)
        can = valid & (variance < 2.5) & calm[None, :]
        weight = np.where(can, np.minimum(1.0 / variance, MOST_WEIGHT), 0.0)
        if int((weight > 0).sum(axis=1).max()) < AT_LEAST:
            return Common(None, 0.0, False)
        bound = 3.0 * np.sqrt(variance)
        clipped = np.clip(relative, -bound, bound)
        parts = weight * clipped
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
        sums = parts.sum(axis=1, keepdims=True)
        rest = np.maximum(total - weight, 1e-9)
        others = (sums - parts) / rest
        centre = (sums / total)[:, 0]
        if (np.abs(centre) * np.sqrt(total[:, 0]) > EVENT_Z).any():
            # All are far off: the bound is laid around their median, not around nothing.
            middle = _median(relative, weight)
            parts = weight * (middle + np.clip(relative - middle, -bound, bound))
            sums = parts.sum(axis=1, keepdims=True)
            others, centre = (sums - parts) / rest, (sums / total)[:, 0]
        own = np.where(can[0] & (rest[0] > 0.5 * total[0]), 1.0 / variance[0], 0.0)
        if not self.one_place:
            own = np.where(age > KNOWN_DAYS, own, 0.0)
        self.product += own * clipped[0] * others[0]
        self.power += own * others[0] ** 2
        strength = np.abs(centre) / np.sqrt(1.0 / total[:, 0] + slack)
        sided = parts * np.sign(sums) > 0.5 * np.abs(centre)[:, None] * weight
        share = (weight * sided).sum(axis=1) / total[:, 0]
        event = (strength > EVENT_Z) & (np.abs(centre) > EVENT_MOVE) & (share > EVENT_SHARE)
        event &= (weight > 0).sum(axis=1) >= AT_LEAST
        gain = np.where(event[:, None], 1.0, self.share[None, :])
        return Common(
            gain * others if self.shares or event.any() else None,
            float(centre[0]),
            bool(event[:EVENT_WINDOWS].any()),
            ordinary(evidence, np.ones_like(self.share) if self.one_place else self.share),
        )

    def settle(self) -> None:
        """The end of a day: how much each series shares."""
        power = self.power.sum()
        table = 0.0
        if power > 0:
            shared = float(self.product.sum() / power)
            self.shares = self.one_place or shared > (GOES_ON if self.shares else SHOWN)
            table = float(np.clip(1.2 * (shared - 0.15), 0.0, 1.0)) if self.shares else 0.0
        own = (self.product + PRIOR * table) / (self.power + PRIOR)
        self.share = np.clip(own, 0.0, 1.2) if table > 0 else np.zeros_like(own)
        fade = 0.5 ** (1.0 / HALF_LIFE)
        self.product *= fade
        self.power *= fade


def slack_of(doubt: FloatArray | None, t: int, usual: FloatArray) -> FloatArray:
    """[W] relative variance that all series share because buckets up to ``t`` are incomplete; ``doubt``
    as in a panel, ``usual`` seasons of the windows [W, S]."""
    if doubt is None:
        return np.zeros(len(usual))
    mean = np.broadcast_to(doubt[t], usual.shape[1:]).mean()
    if mean == 0.0:
        return np.zeros(len(usual))
    weight = np.median(np.minimum(usual[0] / usual, 1.0), axis=1)
    return np.asarray(mean * weight**2, dtype=np.float64)


def _median(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted median of each row, [W, 1]; 0 where nothing has weight."""
    order = values.argsort(axis=1)
    ordered = np.take_along_axis(weight, order, axis=1).cumsum(axis=1)
    place = (ordered < 0.5 * ordered[:, -1:]).sum(axis=1, keepdims=True)
    place = np.minimum(place, values.shape[1] - 1)
    middle = np.take_along_axis(np.take_along_axis(values, order, axis=1), place, axis=1)
    return np.asarray(np.where(ordered[:, -1:] > 0, middle, 0.0), dtype=np.float64)
