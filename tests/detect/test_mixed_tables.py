"""Tables as they are: calm event types beside bursts, office hours, and what came back from an outage."""

from __future__ import annotations

import numpy as np
import pytest

from eventwatch.detect.clock import clock_of
from eventwatch.detect.engine import run
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.pooled import typical
from eventwatch.detect.settings import DetectSettings, grain

DAYS = 50
HOURS = 24 * DAYS
AT = 1_704_067_200 + 3600 * np.arange(HOURS)
"""From a Monday on."""
HOUR, WEEKDAY = np.arange(HOURS) % 24, np.arange(HOURS) // 24 % 7
DAILY = np.exp(0.8 * np.sin((HOUR - 8) / 24 * 2 * np.pi))
OFFICE = ((HOUR >= 8) & (HOUR < 18) & (WEEKDAY < 5)).astype(float)


def noisy(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Negative-binomial counts that stray by 18 % beyond Poisson."""
    made: np.ndarray = rng.poisson(mean * rng.gamma(30.0, 1 / 30.0, mean.shape)).astype(float)
    return made


def bursts(rng: np.random.Generator) -> np.ndarray:
    """A few an hour, and a campaign now and then."""
    mean = np.ones(HOURS)
    for start in rng.choice(HOURS, 35, replace=False):
        mean[start : start + 3] += rng.exponential(500)
    return rng.poisson(mean).astype(float)


def scored(counts: np.ndarray, *, one_place: bool = True) -> Scored:
    """As an exposure's event types are scored."""
    settings = DetectSettings(witness=one_place, one_place=one_place)
    of = grain(3600)
    return run(Panel(counts, clock_of(AT, of, settings), of), settings)


def calm(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Event types with a daily rhythm."""
    return [noisy(100 * DAILY, rng) for _ in range(count)]


@pytest.mark.parametrize("wild", [0, 3, 6])
def test_bursts_beside_it_do_not_deafen_a_calm_type(wild: int) -> None:
    rng = np.random.default_rng(11)
    counts = np.column_stack(calm(12, rng) + [bursts(rng) for _ in range(wild)])
    start = 24 * 44 + 12
    hurt = counts.copy()
    hurt[start : start + 4, :4] *= 3
    hurt[start : start + 24, 4:8] = np.floor(hurt[start : start + 24, 4:8] * 0.4)
    after = scored(hurt).score[start : start + 24]
    assert (after[:5, :4].max(axis=0) > 5.0).all()
    assert (after[:, 4:8].max(axis=0) > 4.5).all()
    # And what nobody touched is not told.
    assert (after[:, 8:12].max(axis=0) < 6.0).all()


def test_nights_and_weekends_of_office_hours_are_learned() -> None:
    rng = np.random.default_rng(5)
    counts = np.column_stack([noisy(200 * OFFICE, rng) for _ in range(6)] + calm(6, rng))
    said = scored(counts)
    season = said.season[-7 * 24 :, :6]
    closed = OFFICE[-7 * 24 :] == 0
    assert season[closed].max() < 0.15 * season[~closed].min()
    # From the fifth week on, which is past its first weekends.
    assert (said.score[28 * 24 :, :6] > 6.0).sum() == 0


def test_it_is_not_deaf_after_a_long_outage() -> None:
    """A level of nothing was accepted, which makes all that is learned in it look like chaos."""
    rng = np.random.default_rng(8)
    counts = np.column_stack(calm(8, rng)) * 30
    counts[24 * 20 : 24 * 31, 0] = rng.poisson(0.3, 24 * 11)
    start = 24 * 44 + 10
    counts[start : start + 3, :2] = 0
    told = scored(counts).score[start : start + 3].max(axis=0)
    assert (told[:2] > 8.0).all()


def test_a_second_outage_is_told_though_the_first_was_accepted() -> None:
    rng = np.random.default_rng(9)
    counts = np.column_stack(calm(8, rng)) * 30
    counts[24 * 25 : 24 * 33, :2] = 0
    counts[24 * 38 + 10 : 24 * 38 + 16, :2] = 0
    told = scored(counts).score[24 * 38 + 10 : 24 * 38 + 13].max(axis=0)
    assert (told[:2] > 8.0).all()
    assert (told[2:] < 6.0).all()


def test_the_typical_value_is_a_weighted_quantile() -> None:
    values = np.array([[5.0, 1.0, 3.0, 1000.0], [2.0, 2.0, 2.0, 2.0]])
    weight = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    assert typical(values, weight, 0.5).tolist() == [[3.0], [0.0]]
    heavy = np.array([[1.0, 9.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    assert typical(values, heavy, 0.5).tolist() == [[1.0], [2.0]]
    assert typical(values, weight, 1.0)[0, 0] == 1000.0
