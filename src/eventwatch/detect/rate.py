"""Expected arrivals per hour and the odds of a silence: the waiting-time side of the statistics.

A reader would get wrong which hours to pass: those *before* the silence that is judged. Hours of the
silence itself would teach the rate that silence is usual.

``dispersion`` is the squared coefficient of variation of the rate from one stretch to the next, the
``phi`` of a negative binomial with variance ``m + phi m²``; 0 is a Poisson stream.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import HOUR, slots

FloatArray = NDArray[np.float64]

LEVEL_HALF_LIFE = 7 * 24.0
"""Hours. Follows growth of 30 % a month with about a tenth of lag and forgets a bad day in a week."""
PROFILE_HALF_LIFE = 28 * 24.0
HOUR_PRIOR = 4.0
"""Arrivals a flat day is worth beside an hour of day's own, per unit of clustering."""
DAY_PRIOR = 12.0
WEEK_PRIOR = 8.0
MIN_SEASON = 0.02
DISPERSION_PRIOR = (0.1, 5.0)
"""Where a series starts from, and how many days of its own that is worth."""
MIN_GAPS = 4
TAIL_SHARE = 0.25
"""Longest quarter of the gaps: the tail beyond it is fitted, the rest is counted."""
TAIL_SHAPE = (0.25, 12.0)
"""Prior shape of the tail and how many exceedances it is worth: human pauses are heavier than
exponential, machines' are not; few gaps cannot tell which."""


def expected_arrivals(
    arrivals: NDArray[np.int64], start: int, tz: ZoneInfo, ahead: int
) -> FloatArray:
    """Arrivals to expect in each of the ``ahead`` hours that follow the given ones.

    ``arrivals`` has shape [S, H], ``start`` is the first hour in epoch seconds. Returns [S, ahead],
    finite and ≥ 0; zeros where a series never arrived. The season of the hour of the week is
    shrunk to hour of day × day of week, these to flat, the more the fewer and the more clustered
    the arrivals are (a gamma prior worth some arrivals); the level is an exponential average.
    """
    counts = np.asarray(arrivals, dtype=np.float64)
    series, hours = counts.shape
    if not hours or not series or ahead <= 0:
        return np.zeros((series, max(ahead, 0)))
    season, future = _seasons(counts, start, tz, ahead)
    known = _known(counts)
    age = np.arange(hours - 1, -1, -1, dtype=np.float64)
    weight = 0.5 ** (age / LEVEL_HALF_LIFE) * known
    level = (counts * weight).sum(axis=1) / np.maximum((season * weight).sum(axis=1), 1e-12)
    return np.asarray(level[:, None] * future, dtype=np.float64)


def rate_dispersion(arrivals: NDArray[np.int64], start: int, tz: ZoneInfo) -> FloatArray:
    """``phi`` of each series [S] from its days against what their season and level expect.

    Moments: the excess of the squared error over the Poisson part, divided by the squared
    expectation, over days; shrunk to 0.1, which is worth five days.
    """
    counts = np.asarray(arrivals, dtype=np.float64)
    series, hours = counts.shape
    days = hours // 24
    if days < 2:
        return np.full(series, DISPERSION_PRIOR[0])
    season, _ = _seasons(counts, start, tz, 0)
    known = _known(counts)
    cut = hours - days * 24
    shape = (series, days, 24)
    seen = counts[:, cut:].reshape(shape).sum(axis=2)
    share = (season * known)[:, cut:].reshape(shape).sum(axis=2)
    level = _trailing_level(seen, share)
    expected = np.maximum(level * share, 1e-9)
    # A day far off is an incident more often than a trait: capped.
    error = np.clip(seen - expected, -expected, 4 * expected + 4)
    whole = share > 0
    mean, prior = DISPERSION_PRIOR
    information = np.where(whole, expected / (expected + 2.0), 0.0)
    raw = (error**2 - expected) / (expected**2 + 1.0)
    phi = ((raw * information).sum(axis=1) + mean * prior) / (information.sum(axis=1) + prior)
    return np.asarray(np.clip(phi, 1e-4, 25.0), dtype=np.float64)


def silence_p_value(
    expected_total: FloatArray | float, dispersion: FloatArray | float
) -> FloatArray:
    """Chance of no arrival where ``expected_total`` are expected: (1 + phi E)^(-1/phi).

    The zero class of the negative binomial; e^-E as phi goes to 0. Broadcasts.
    """
    total = np.maximum(np.asarray(expected_total, dtype=np.float64), 0.0)
    phi = np.maximum(np.asarray(dispersion, dtype=np.float64), 1e-9)
    return np.asarray(np.exp(-np.log1p(phi * total) / phi), dtype=np.float64)


def gap_p_value(gaps: FloatArray, elapsed: float) -> float:
    """Chance that a pause is as long as ``elapsed``, judged by the series' own past pauses.

    ``gaps``: past pauses in any unit, oldest or newest first, the running one left out; ``elapsed``
    in the same unit. Within the observed range it is (k + 1) / (n + 1) with k pauses at least as
    long; beyond the longest quarter a generalised Pareto tail is fitted whose shape leans to a heavy
    one while gaps are few, and never says less than the counts it rests on allow. 1.0 with fewer
    than four gaps: nothing can be said.
    """
    past = np.sort(np.asarray(gaps, dtype=np.float64))
    past = past[np.isfinite(past) & (past > 0)]
    n = past.size
    if n < MIN_GAPS or not elapsed > 0:
        return 1.0
    counted = float((past >= elapsed).sum() + 1) / (n + 1)
    tail = max(3, int(np.ceil(TAIL_SHARE * n)))
    threshold = float(past[n - tail])
    if elapsed <= threshold:
        return counted
    excess = past[n - tail :] - threshold
    mean = float(excess.mean())
    if mean <= 0:  # clockwork: a tenth of the beat stands for the spread it never showed
        mean = 0.1 * threshold
    # Hosking & Wallis 1987: moments of a generalised Pareto, shape = (1 - mean²/var) / 2.
    variance = float(excess.var(ddof=1)) if tail > 2 else mean**2
    shape = 0.5 * (1.0 - mean**2 / max(variance, 1e-12 * mean**2))
    lean, worth = TAIL_SHAPE
    shape = min(max((tail * shape + worth * lean) / (tail + worth), 0.05), 0.9)
    scale = mean * (1.0 - shape) * (1.0 + 2.0 / tail)
    # What few exceedances leave open, as in the predictive tail of an exponential of unknown mean
    # (Lomax, shape 1/n).
    shape += 1.0 / tail
    beyond = (1.0 + shape * (elapsed - threshold) / scale) ** (-1.0 / shape)
    return min((tail + 1) / (n + 1) * float(beyond), 1.0)


def _known(counts: FloatArray) -> FloatArray:
    """1.0 from the first arrival of each series on, 0.0 before its birth; [S, H]."""
    born = np.where((counts > 0).any(axis=1), (counts > 0).argmax(axis=1), counts.shape[1])
    known: FloatArray = (np.arange(counts.shape[1]) >= born[:, None]).astype(np.float64)
    return known


def _trailing_level(seen: FloatArray, share: FloatArray) -> FloatArray:
    """Level of each day from the seven days on either side, itself left out; [S, days]."""
    days = seen.shape[1]
    near = (np.abs(np.subtract.outer(np.arange(days), np.arange(days))) <= 7).astype(np.float64)
    np.fill_diagonal(near, 0.0)
    total = np.maximum(share @ near.T, 1e-9)
    level: FloatArray = (seen @ near.T) / total
    return level


def _seasons(
    counts: FloatArray, start: int, tz: ZoneInfo, ahead: int
) -> tuple[FloatArray, FloatArray]:
    """Season factors (mean about 1) of the past [S, H] and of the ``ahead`` hours [S, ahead]."""
    series, hours = counts.shape
    when = slots(start + HOUR * np.arange(hours + ahead, dtype=np.int64), tz)
    past = slice(0, hours)
    weight = _known(counts) * 0.5 ** (
        np.arange(hours - 1, -1, -1, dtype=np.float64) / PROFILE_HALF_LIFE
    )
    seen: FloatArray = counts * weight
    rate = seen.sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
    # Clustered arrivals carry less news each: priors are worth that many more of them.
    clustering = _clustering(counts)[:, None]
    usual = weight * rate[:, None]

    def ratio(slot: NDArray[np.int64], size: int, base: FloatArray, prior: float) -> FloatArray:
        worth = prior * clustering
        mine = slot[past]
        factor: FloatArray = (_by_slot(seen, mine, size) + worth) / (
            _by_slot(usual * base, mine, size) + worth
        )
        return factor

    flat = np.ones((series, hours))
    by_hour = ratio(when.hour, 24, flat, HOUR_PRIOR)
    base = by_hour[:, when.hour]
    by_day = ratio(when.weekday, 7, base[:, past], DAY_PRIOR)
    base = base * by_day[:, when.weekday]
    by_week = ratio(when.hour_of_week, 168, base[:, past], WEEK_PRIOR)
    season = np.maximum(base * by_week[:, when.hour_of_week], MIN_SEASON)
    return season[:, past], season[:, hours:]


def _by_slot(values: FloatArray, slot: NDArray[np.int64], size: int) -> FloatArray:
    """Sums per slot, [S, size]. Not a product with an indicator matrix: that starts a thread on
    every core for a few milliseconds of work, and costs twenty times the CPU."""
    series = values.shape[0]
    flat = slot[None, :] + size * np.arange(series, dtype=np.int64)[:, None]
    summed = np.bincount(flat.ravel(), weights=values.ravel(), minlength=series * size)
    return summed.astype(np.float64).reshape(series, size)


def _clustering(counts: FloatArray) -> FloatArray:
    """Variance ÷ mean of hours that have arrivals at all, at least 1: the size of a typical burst."""
    busy = (counts > 0).sum(axis=1)
    total = counts.sum(axis=1)
    square = (counts**2).sum(axis=1)
    return np.asarray(
        np.where(
            busy > 0,
            np.maximum(square / np.maximum(total, 1e-12) - total / np.maximum(busy, 1), 0),
            0,
        )
        + 1.0
    )
