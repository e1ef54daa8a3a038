"""Expected arrivals and the odds of silences and pauses."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.detect.rate import (
    expected_arrivals,
    gap_p_value,
    rate_dispersion,
    silence_p_value,
)

UTC = ZoneInfo("UTC")
MONDAY = 1_769_990_400 // 604800 * 604800 + 4 * 86400


def week(hours: int) -> np.ndarray:
    hour = np.arange(hours)
    return np.exp(0.8 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi)) * np.where(
        hour // 24 % 7 >= 5, 0.4, 1.0
    )


def test_the_coming_hours_follow_the_season_of_the_week() -> None:
    season = week(24 * 64)
    arrivals = np.random.default_rng(1).poisson(200 * season[None, : 24 * 56])
    ahead = expected_arrivals(arrivals, MONDAY, UTC, 24 * 7)
    truth = 200 * season[24 * 56 : 24 * 63]
    assert np.abs(np.log(ahead[0] / truth)).max() < 0.25
    assert ahead.sum() == pytest.approx(truth.sum(), rel=0.05)


def test_the_season_is_that_of_the_local_clock() -> None:
    zone = ZoneInfo("America/New_York")
    hours = 24 * 60
    at = MONDAY + 3600 * np.arange(hours)
    local = (at - 5 * 3600) // 3600 % 24  # winter time
    arrivals = (100 * (local == 9)).astype(np.int64)[None, :]
    # 42 days later summer time has begun: nine o'clock comes an hour earlier in UTC.
    ahead = expected_arrivals(arrivals[:, : 24 * 28], MONDAY, zone, 24)[0]
    assert ahead.argmax() == 14


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 500), st.integers(0, 400), st.sampled_from([0.0, 0.01, 1.0, 1e5]))
def test_expectations_are_finite_and_not_negative(hours: int, ahead: int, rate: float) -> None:
    arrivals = np.random.default_rng(hours).poisson(rate, (3, hours)).astype(np.int64)
    expected = expected_arrivals(arrivals, MONDAY, UTC, ahead)
    assert expected.shape == (3, ahead)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    spread = rate_dispersion(arrivals, MONDAY, UTC)
    assert (spread > 0).all()
    assert np.isfinite(spread).all()


def test_clustered_streams_have_more_dispersion_than_steady_ones() -> None:
    rng = np.random.default_rng(2)
    steady = rng.poisson(5, 24 * 60)
    bursts = rng.poisson(5, 24 * 60) * 24 * (rng.random(24 * 60) < 1 / 24)
    spread = rate_dispersion(np.stack([steady, bursts]), MONDAY, UTC)
    assert spread[0] < 0.05
    assert spread[1] > 0.3


@given(st.floats(0, 1e6), st.floats(0, 20))
def test_a_silence_is_the_less_likely_the_more_was_expected(total: float, phi: float) -> None:
    p = float(silence_p_value(total, phi))
    assert 0 <= p <= 1
    assert float(silence_p_value(total + 1, phi)) <= p
    assert p >= np.exp(-total) * (1 - 1e-6) - 1e-12


@given(
    st.lists(st.floats(0.1, 1e6), min_size=0, max_size=60),
    st.floats(0, 1e9),
    st.floats(1, 1e6),
)
def test_a_longer_pause_is_never_more_likely(
    gaps: list[float], elapsed: float, more: float
) -> None:
    past = np.array(gaps)
    p, later = gap_p_value(past, elapsed), gap_p_value(past, elapsed + more)
    assert 0 <= later <= 1
    assert later <= p * 1.6 + 1e-12  # the seam between counting and fitting is not exact
    if len(gaps) < 4:
        assert p == 1.0


@pytest.mark.parametrize("shape", ["exponential", "weibull", "lognormal"])
def test_pauses_cry_wolf_about_as_often_as_they_say(shape: str) -> None:
    rng = np.random.default_rng(5)

    def draw(n: int) -> np.ndarray:
        if shape == "exponential":
            return rng.exponential(1, n)
        return rng.weibull(0.5, n) if shape == "weibull" else rng.lognormal(0, 1.5, n)

    said = np.array([gap_p_value(draw(30), float(draw(1)[0])) for _ in range(3000)])
    assert (said < 0.05).mean() < 0.075
    assert (said < 0.01).mean() < 0.025
