"""How far the share of a cut lies off: a rolling z-score of shares, calibrated on its own record.

Given the rows of the group, the rows of a cut are binomial with a share that wanders a little. What
all values do alike (the event type's season, its growth, its outage) is gone with that, so much smaller
changes show than in the counts. Pure; arrays are [T, K]: T closed hours, oldest first, K cuts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtri

from eventwatch.detect.settings import SCORE_AT_TAIL_START, SCORE_PER_FOLD, TAIL_START
from eventwatch.kinds.volume_cuts_counts import RECENT, SETTLED, WINDOWS, CutHistory

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

HALF_LIFE = 7 * 24
"""Hours after which a share counts half in the level of the share."""
PRIOR_ROWS = 5.0
SLOT_ROWS = 100.0
"""Rows that "as at other hours" is worth: shares differ by a tenth between the hours of a day."""
STEADIEST = 0.02
"""No share is taken to be steadier than this, relatively."""
STRAY = 2.8
EXACT_BELOW = 40.0
EXACT_FROM = 2.2
CALIBRATE_DAYS = 28
CALIBRATE_PRIOR = 12.0
TAIL_PRIOR_DAYS = 15.0
TAIL_PRIOR_MEAN = 0.5
TAIL_MEANS = (0.38, 6.0)
EXCESS_CAP = 4.0
STARTS = (SCORE_AT_TAIL_START, 5.0)
LATE_DOUBT = 0.15
"""Of what is on its way, how much more or less may be of this cut."""


@dataclass(frozen=True)
class CutScores:
    """Of the last RECENT hours, [RECENT, K]; the last row is the newest closed hour."""

    score: FloatArray
    """≥ 0, on the scale of ``detect.settings.threshold_for``."""
    z: FloatArray
    """Of the window that spoke, signed, calibrated."""
    window: IntArray
    """Hours of it."""
    observed: FloatArray
    expected: FloatArray
    """Rows of the cut in it; expected given the rows of its group."""
    group: FloatArray
    """Rows of the group in it."""
    spread: FloatArray
    """Variance of the arcsine of the share beyond the binomial's."""
    scale: FloatArray
    hourly: FloatArray
    """Expected in the hour itself."""


def score_cuts(history: CutHistory, prior: FloatArray, slots: IntArray) -> CutScores:
    """Scores of cuts. ``prior``: [T, K] rows expected by their long-term share alone; ``slots``: [T]
    local hour of day, from 24 on for weekends."""
    counts, group = history.counts, history.group
    prior = prior * history.lead
    shape = _slot_factors(counts, prior, slots)
    usual = prior * shape
    ends = [_ends(values) for values in (counts, group, usual)]
    level = _Levels(counts, usual, ends[0], ends[2])
    size, width = counts.shape
    zs = np.zeros((len(WINDOWS), size, width))
    parts: list[tuple[FloatArray, ...]] = []
    for i, w in enumerate(WINDOWS):
        observed, rows, by_share = (_over(e, w) for e in ends)
        expected = np.clip(level.nearest(w, observed, by_share) * by_share, 0.0, rows * (1 - 1e-3))
        doubt = _late_doubt(history.missing, w)[:, None]
        spread = _spread(observed, expected, rows) + doubt * _slope(expected, rows)
        zs[i] = np.where(rows > 0, z_of_share(observed, expected, rows, spread), 0.0)
        zs[i, : w + 24] = 0.0
        parts.append((observed, expected, rows, spread))
    scale, start, mean = _calibrate(zs)
    calibrated = zs / np.where(zs > 0, scale[0][:, None], scale[1][:, None])
    best = np.abs(calibrated).argmax(axis=0)[-RECENT:]

    def picked(values: FloatArray) -> FloatArray:
        return np.asarray(np.take_along_axis(values[:, -RECENT:], best[None], axis=0)[0])

    z = picked(calibrated)
    falls = z < 0
    begin, tail = np.where(falls, start[1], start[0]), np.where(falls, mean[1], mean[0])
    raw = np.abs(z)
    over = SCORE_AT_TAIL_START + SCORE_PER_FOLD * (raw - begin) / tail
    stacked = [np.stack(values) for values in zip(*parts, strict=True)]
    full = np.where(zs > 0, scale[0][:, None], scale[1][:, None])
    return CutScores(
        score=np.where(raw > begin, over, SCORE_AT_TAIL_START * raw / begin),
        z=z,
        window=np.array(WINDOWS)[best],
        observed=picked(stacked[0]),
        expected=picked(stacked[1]),
        group=picked(stacked[2]),
        spread=picked(stacked[3]),
        scale=picked(full),
        hourly=(level.slow * usual)[-RECENT:],
    )


def z_of_share(
    observed: FloatArray, expected: FloatArray, rows: FloatArray, spread: FloatArray
) -> FloatArray:
    """Signed normal score of ``observed`` of ``rows``; transformed (Anscombe 1948), or the binomial's
    own tail with as many rows as the spread leaves them worth, where counts are small."""
    rows = np.maximum(rows, 1e-9)

    def angle(part: FloatArray) -> FloatArray:
        return np.asarray(np.arcsin(np.sqrt(np.clip((part + 0.375) / (rows + 0.75), 0.0, 1.0))))

    z = (angle(observed) - angle(expected)) / np.sqrt(0.25 / (rows + 0.5) + spread)
    small = np.minimum(expected, rows - expected) < EXACT_BELOW
    small &= (np.abs(z) > EXACT_FROM) & (expected > 0)
    if small.any():
        worth = 1.0 / (1.0 + 4.0 * rows[small] * spread[small])
        n, x, p = rows[small] * worth, observed[small] * worth, expected[small] / rows[small]
        low = np.where(x < n, betainc(np.maximum(n - x, 1e-9), x + 1.0, 1.0 - p), 1.0)
        high = np.where(x > 0, betainc(np.maximum(x, 1e-9), np.maximum(n - x, 0) + 1.0, p), 1.0)
        tail = ndtri(np.clip(np.minimum(low, high), 1e-300, 0.5))
        z[small] = np.where(low < high, tail, -tail)
    return np.asarray(z, dtype=np.float64)


def _ends(values: FloatArray) -> FloatArray:
    """[T + 1, K] cumulated."""
    return np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])


def _over(ends: FloatArray, window: int) -> FloatArray:
    """[T, K] sums over the last ``window`` hours; over fewer where there are not so many."""
    first = np.maximum(np.arange(1, len(ends)) - window, 0)
    return np.asarray(ends[1:] - ends[first])


class _Levels:
    """Levels of shares, relative to the long-term one, as of each hour."""

    def __init__(
        self, counts: FloatArray, usual: FloatArray, came: FloatArray, due: FloatArray
    ) -> None:
        hours = np.arange(len(counts))
        # Bounded weights: five weeks are five half-lives.
        weight = 2.0 ** (hours / HALF_LIFE)[:, None]
        fade = 2.0 ** (-np.arange(len(counts) + 1) / HALF_LIFE)[:, None]
        came_slow, due_slow = _ends(counts * weight) * fade, _ends(usual * weight) * fade
        self._slow = (came_slow + PRIOR_ROWS) / (due_slow + PRIOR_ROWS)
        self._came, self._due = came, due

    @property
    def slow(self) -> FloatArray:
        """[T, K] before each hour."""
        return self._slow[:-1]

    def nearest(self, window: int, observed: FloatArray, by_share: FloatArray) -> FloatArray:
        """[T, K] of what the level was before the window and some days before that, and all between,
        the nearest to what came."""
        end = np.arange(1, len(self._came))
        base = self._slow[np.maximum(end - window, 0)]
        first, last = np.maximum(end - SETTLED[1], 0), np.maximum(end - SETTLED[0], 0)
        came, due = self._came[last] - self._came[first], self._due[last] - self._due[first]
        other = np.where(due >= PRIOR_ROWS, (came + PRIOR_ROWS * base) / (due + PRIOR_ROWS), base)
        rate = observed / np.maximum(by_share, 1e-9)
        return np.asarray(np.clip(rate, np.minimum(base, other), np.maximum(base, other)))


def _slot_factors(counts: FloatArray, prior: FloatArray, slots: IntArray) -> FloatArray:
    """[T, K] how the share differs between hours of the day, and those of weekends; the newest hours
    are left out, for they are what is judged."""
    learn = slice(0, max(len(counts) - RECENT, 0))
    level = (counts[learn].sum(axis=0) + PRIOR_ROWS) / (prior[learn].sum(axis=0) + PRIOR_ROWS)
    due = prior * level
    factor = np.ones_like(prior)
    for kind in (slots % 24, slots):
        came, usual = (np.zeros((48, counts.shape[1])) for _ in range(2))
        np.add.at(came, kind[learn], counts[learn])
        np.add.at(usual, kind[learn], (due * factor)[learn])
        factor = factor * ((came + SLOT_ROWS) / (usual + SLOT_ROWS))[kind]
    return factor


def _slope(expected: FloatArray, rows: FloatArray) -> FloatArray:
    """What a relative variance of 1 of the share is in its arcsine."""
    share = np.clip(expected / np.maximum(rows, 1e-9), 0.0, 1 - 1e-3)
    return np.asarray(share / (4.0 * (1.0 - share)))


def _spread(observed: FloatArray, expected: FloatArray, rows: FloatArray) -> FloatArray:
    """[T, K] variance of the arcsine beyond the binomial's, from the cut's own past residuals."""
    known = rows > 0
    n = np.maximum(rows, 1.0)
    chance = 0.25 / n
    off = np.arcsin(np.sqrt(np.clip(observed / n, 0.0, 1.0)))
    off = (off - np.arcsin(np.sqrt(np.clip(expected / n, 0.0, 1.0)))) ** 2
    off = np.minimum(off, STRAY**2 * (chance + 0.02**2))
    weight = np.where(known, np.minimum(rows, 400.0), 0.0)
    learn = slice(24, max(len(rows) - RECENT, 25))
    weight, off, chance = weight[learn], off[learn], chance[learn]
    excess = (weight * (off - chance)).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9)
    least = STEADIEST**2 * _slope(expected, rows)
    return np.asarray(np.maximum(excess, least), dtype=np.float64)


def _late_doubt(missing: FloatArray, window: int) -> FloatArray:
    """[T] relative variance of the share by rows that are still on their way."""
    mean = _over(_ends(missing[:, None]), window)[:, 0] / window
    return np.asarray((LATE_DOUBT * mean / np.maximum(1.0 - mean, 0.02)) ** 2)


def _calibrate(zs: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scales [2, W, K] up and down, and start and mean [2, K] of the tail, from the largest |z| of each
    past day: what a share does by itself is nobody's incident."""
    width, size, cuts = zs.shape
    days = min((size - RECENT) // 24, CALIBRATE_DAYS)
    scale = np.ones((2, width, cuts))
    start = np.full((2, cuts), SCORE_AT_TAIL_START)
    mean = np.full((2, cuts), TAIL_PRIOR_MEAN)
    if days < 3:
        return scale, start, mean
    past = zs[:, size - RECENT - days * 24 : size - RECENT].reshape(width, days, 24, cuts)
    largest = np.stack([np.maximum(past.max(axis=2), 0.0), np.maximum(-past.min(axis=2), 0.0)])
    looks = 1.0 + 1.5 * 23 / np.array(WINDOWS, dtype=np.float64)
    middle = np.maximum(ndtri(0.5 ** (1.0 / looks)), 0.6)[None, :, None]
    high = np.maximum(ndtri(0.9 ** (1.0 / looks)), 1.2)[None, :, None]
    found = np.maximum(
        np.quantile(largest, 0.5, axis=2) / middle, np.quantile(largest, 0.9, axis=2) / high
    )
    trust = days / (days + CALIBRATE_PRIOR)
    scale = np.clip(trust * found + (1 - trust), 0.9, 4.0)
    raws = (largest / scale[:, :, None]).max(axis=1)
    start = np.clip(np.quantile(raws, 1.0 - TAIL_START / 2, axis=1), *STARTS)
    over = np.clip(raws - start[:, None], 0.0, EXCESS_CAP)
    mean = (over.sum(axis=1) + TAIL_PRIOR_DAYS * TAIL_PRIOR_MEAN) / (
        (over > 0).sum(axis=1) + TAIL_PRIOR_DAYS
    )
    return scale, start, np.clip(mean, *TAIL_MEANS)
