"""What the two parts of value drift share: the sums over the cuts, and words for a stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eventwatch.kinds.arrivals import spark_of
from eventwatch.kinds.delays import quantile, summed_bins
from eventwatch.kinds.drift_stops import (
    BySeries,
    Members,
    Stop,
    Sums,
    by_part,
    by_value,
    numbered,
    sum_up,
)
from eventwatch.kinds.results import Maker
from eventwatch.model.measurement import HOUR
from eventwatch.model.result import Amount, Spark
from eventwatch.model.view import ExposureView

LEARNED_P, LEARNED_ROWS = 1e-6, 20.0
"""Of a value that nobody named: chance, and rows expected since, from which it is missing."""
LEARNED_HISTORY = 7 * 24
"""Hours a value must have been there before its absence says anything."""
NEW_NORMAL = timedelta(days=28)
"""A value that nobody named and that is gone for longer is not expected any more."""


@dataclass(frozen=True)
class Scene:
    """What the parts share."""

    view: ExposureView
    maker: Maker

    @cached_property
    def settled(self) -> int:
        """Epoch hour up to which most of what occurred has arrived, on every platform."""
        lag = 0.0
        if self.view.exposure.has_load_time:
            bins = summed_bins(self.view.delays, self.view.now, hours=24)
            lag = quantile(bins, 0.95) if bins.any() else 0.0
        wait = min(max(lag, HOUR), 24.0 * HOUR)
        return int(self.view.now.timestamp() - wait) // HOUR

    @cached_property
    def whole(self) -> tuple[Members, tuple[tuple[str, str], ...], Sums]:
        """Every value of every dimension over all event types."""
        of_series, pairs = by_value(self.view.cuts.keys)
        groups, dims = numbered([dimension for dimension, _ in pairs])
        members = Members(of_series, groups, len(dims))
        return members, pairs, sum_up(self._by_series, members)

    @cached_property
    def parts(self) -> tuple[Members, Sums]:
        """Every value of every dimension of every event type."""
        groups = self._fine[0]
        members = Members(np.arange(len(groups)), groups, self._fine[1])
        return members, sum_up(self._by_series, members)

    @cached_property
    def _fine(self) -> tuple[NDArray[np.int64], int]:
        groups, labels = by_part(self.view.cuts.keys)
        return groups, len(labels)

    @cached_property
    def _by_series(self) -> BySeries:
        return BySeries.of(self.view.cuts, *self._fine, self.settled)


def suspicious(sums: Sums, rows: float, share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    absent = (sums.last >= 0) & (sums.last < sums.hours) & (sums.since > 0)
    found = absent & (sums.since * sums.share >= rows) & (sums.share >= share)
    return np.asarray(found, dtype=np.bool_)


def expected(stop: Stop) -> Amount:
    return Amount("events", 0.0, expected=stop.expected, p_value=stop.p_value)


def picture(scene: Scene, stop: Stop) -> Spark | None:
    return spark_of(stop.hourly, (scene.settled - len(stop.hourly)) * HOUR)


def percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.01 else f"{share * 100:.1g} %"
