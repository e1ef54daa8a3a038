"""Nothing at all, of event types with few rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from eventwatch.detect import score_counts
from eventwatch.detect.settings import threshold_for
from eventwatch.detect.silence import LATEST, RECORD_DAYS, record, score_of

DAYS = 60
LIMIT = threshold_for(0.003)


def panel(counts: np.ndarray, bucket: str) -> pd.DataFrame:
    """[T, S] counts as the front door takes them."""
    times = pd.date_range("2026-01-05", periods=len(counts), freq=bucket, tz="UTC")
    return pd.concat(
        pd.DataFrame({"series": f"s{s:03}", "ts": times, "value": counts[:, s]})
        for s in range(counts.shape[1])
    )


def scores(counts: np.ndarray, bucket: str = "1h") -> np.ndarray:
    """[T, S]."""
    found = score_counts(panel(counts, bucket), bucket=bucket)
    return found.pivot(index="ts", columns="series", values="score").to_numpy()


def sparse(seed: int, per_day: float, series: int = 40) -> np.ndarray:
    """Rows with a quiet night and quieter weekends, a little noisier than chance, [T, S]."""
    random = np.random.default_rng(seed)
    hours = np.arange(24 * DAYS)
    season = np.exp(0.8 * np.sin((hours % 24 - 8) / 24 * 2 * np.pi))
    season *= np.where(hours // 24 % 7 < 5, 1.0, 0.7)
    noise = random.gamma(30, 1 / 30, size=(24 * DAYS, series))
    return random.poisson(per_day / 24 * season[:, None] * noise).astype(float)


def told(counts: np.ndarray, starts: np.ndarray, hours: int) -> float:
    """Part of the series in which nothing for so many hours from its start on is told meanwhile, or in
    the hour after."""
    counts = counts.copy()
    for s, start in enumerate(starts):
        counts[start : start + hours, s] = 0.0
    found = scores(counts)
    largest = [found[at : at + hours + 1, s].max() for s, at in enumerate(starts)]
    return float(np.mean(np.array(largest) >= LIMIT))


@pytest.mark.parametrize(
    ("per_day", "hours", "least"), [(20, 24, 0.9), (14, 24, 0.5), (72, 6, 0.5)]
)
def test_nothing_at_all_is_told_of_types_with_few_rows(
    per_day: float, hours: int, least: float
) -> None:
    """The fitted tail alone tells 0.38, 0.23 and 0.33 of them."""
    starts = np.random.default_rng(9).integers(24 * 50, 24 * 58, 40)
    assert told(sparse(1, per_day), starts, hours) >= least


def test_silences_that_chance_makes_are_not_told() -> None:
    """Forty series over a month: their budget allows four false alarms."""
    over = scores(sparse(3, 20))[24 * 28 :] >= LIMIT
    began = over & ~np.vstack([np.zeros_like(over[:1]), over[:-1]])
    assert began.sum() <= 4


def test_a_day_of_nothing_is_told_again_after_one_ten_days_ago_and_not_where_it_is_usual() -> None:
    counts = sparse(4, 30)
    starts = np.full(40, 24 * 56)
    counts[24 * 46 : 24 * 47] = 0.0
    again = told(counts, starts, 24)
    for day in (22, 29, 36, 41):
        counts[24 * day : 24 * day + 24] = 0.0
    assert again >= 0.5
    assert told(counts, starts, 24) <= 0.1


def test_the_record_leaves_out_the_newest_days_and_needs_three_weeks() -> None:
    ring = np.full((60, 2), np.nan)
    days = 60 + 17
    newest = (days - 1 - np.arange(60)) % 60
    ring[newest, 0] = np.r_[[9.0] * LATEST, 5.0, np.linspace(4.0, 1.0, 59 - LATEST)]
    ring[newest[LATEST : LATEST + RECORD_DAYS - 1], 1] = 1.0
    assert record(ring, days).tolist() == [4.0, np.inf]
    ring[newest[LATEST + RECORD_DAYS], 1] = 2.0
    assert record(ring, days)[1] == 1.0


@pytest.mark.parametrize("z", [-3.0, -4.0, -6.0])
def test_the_score_of_a_silence_is_that_of_its_chance(z: float) -> None:
    """Equal scores stand for equally rare days: the threshold's own formula, read backwards."""
    found = score_of(np.array([z]), np.array([4.0]))
    assert found == pytest.approx(threshold_for(10 * 4.0 * norm.cdf(z)), abs=1e-9)
