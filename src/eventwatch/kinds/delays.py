"""The delay histogram as numbers: rows per loaded hour and bin, and quantiles out of bins.

Bins double, so a quantile is interpolated by the logarithm within its bin and good to a few per cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.measurement import DELAY_BINS, HOUR, Cells

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Delays:
    """Rows per loaded hour and bin, the running hour last."""

    start: int
    """First hour, in hours since 1970."""
    bins: FloatArray
    """[H, DELAY_BINS]."""

    @staticmethod
    def of(cells: Cells, now: datetime) -> Delays:
        """Asked for by several checks of one cycle, so worked out once."""
        found = cells.memo.get(("delays", now))
        if found is None:
            found = cells.memo["delays", now] = Delays._of(cells, now)
        delays: Delays = found
        return delays

    @staticmethod
    def _of(cells: Cells, now: datetime) -> Delays:
        end = int(now.timestamp()) // HOUR
        if not len(cells.series):
            return Delays(end, np.zeros((1, DELAY_BINS)))
        start = min(int(cells.loaded.min()) // HOUR, end)
        hours = np.minimum(cells.loaded // HOUR, end) - start
        width = end - start + 1
        flat = hours * DELAY_BINS + bin_of(cells)[cells.series]
        bins = np.bincount(flat, weights=cells.rows, minlength=width * DELAY_BINS)
        return Delays(start, bins.astype(np.float64).reshape(width, DELAY_BINS))


def bin_of(cells: Cells) -> NDArray[np.int64]:
    """The bin of each series."""
    found = cells.memo.get("bins")
    if found is None:
        found = cells.memo["bins"] = _bin_of(cells)
    bins: NDArray[np.int64] = found
    return bins


def _bin_of(cells: Cells) -> NDArray[np.int64]:
    values = [int(k.value) if k.value.isdecimal() else 0 for k in cells.keys]
    return np.clip(np.array(values, dtype=np.int64), 0, DELAY_BINS - 1)


def quantile(bins: FloatArray, share: float) -> float:
    """Seconds that ``share`` of the rows stay under, by the logarithm within a bin; NaN: no rows."""
    total = float(bins.sum())
    if total <= 0:
        return float("nan")
    wanted = share * total
    above = np.cumsum(bins)
    k = int(np.searchsorted(above, wanted))
    k = min(k, DELAY_BINS - 1)
    before = float(above[k] - bins[k])
    part = (wanted - before) / float(bins[k]) if bins[k] > 0 else 1.0
    # Bin 0 holds what is under a second, bin k what lies in [2**(k-1), 2**k).
    return part if k == 0 else float(2.0 ** (k - 1 + min(max(part, 0.0), 1.0)))


def quantiles(bins: FloatArray, share: float) -> FloatArray:
    """[N] ``quantile`` of each row of ``bins`` [N, DELAY_BINS], none of which is empty."""
    wanted = share * bins.sum(axis=1)
    above = np.cumsum(bins, axis=1)
    place = np.minimum((above < wanted[:, None]).sum(axis=1), DELAY_BINS - 1)[:, None]
    mine = np.take_along_axis(bins, place, axis=1)[:, 0]
    before = np.take_along_axis(above, place, axis=1)[:, 0] - mine
    part = np.where(mine > 0, (wanted - before) / np.where(mine > 0, mine, 1.0), 1.0)
    return np.array(
        [
            p if k == 0 else 2.0 ** (k - 1 + min(max(p, 0.0), 1.0))
            for k, p in zip(place[:, 0].tolist(), part.tolist(), strict=True)
        ]
    )


def summed_bins(cells: Cells, now: datetime, *, hours: int) -> FloatArray:
    """[DELAY_BINS] of what was loaded in the last hours, the running one included."""
    recent = Delays.of(cells, now).bins[-hours:]
    return np.asarray(recent.sum(axis=0), dtype=np.float64)
