"""A series that was born hours ago, held against its own hours in its table's rhythm."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.detect.newborn import GROWN_AT_LEAST, LOUD, Table, newborn

HOURS = 96


def table_of(grown: int = 12, *, alike: float = 0.05, now: float = 1.0, seed: int = 1) -> Table:
    """A table with a daily rhythm that its series share up to ``alike``."""
    rng = np.random.default_rng(seed)
    hour = np.arange(HOURS)[:, None] % 24
    phase = 8 + 24 * alike * rng.normal(size=grown)
    season = np.exp(0.8 * np.sin((hour - phase) / 24 * 2 * np.pi))
    season /= season.mean(axis=0)
    expected = season * 200.0
    counts = rng.poisson(expected).astype(float)
    counts[-6:] *= now
    return Table(counts, expected, season)


def counts_of(rate: float, age: int, seed: int = 5) -> np.ndarray:
    """Of a series that follows the rhythm and was born ``age`` buckets ago."""
    rng = np.random.default_rng(seed)
    season = np.exp(0.8 * np.sin((np.arange(HOURS) % 24 - 8) / 24 * 2 * np.pi))
    counts: np.ndarray = rng.poisson(rate * season / season.mean()).astype(float)
    counts[: HOURS - age] = np.nan
    return counts


def test_too_few_hours_or_rows_or_others_say_nothing() -> None:
    assert newborn(counts_of(500, 7), table_of()) is None
    assert newborn(counts_of(0.5, 30), table_of()) is None
    assert newborn(counts_of(500, 30), table_of(GROWN_AT_LEAST - 1)) is None
    assert newborn(np.full(HOURS, np.nan), table_of()) is None
    assert newborn(counts_of(500, 8), table_of()) is not None


def test_bounds_are_wider_where_the_table_is_not_alike() -> None:
    alike, unlike = (newborn(counts_of(300, 40), table_of(alike=a)) for a in (0.01, 0.2))
    assert alike is not None
    assert unlike is not None
    assert unlike.spread > alike.spread
    assert unlike.lower < unlike.expected * (alike.lower / alike.expected)


def test_what_the_table_lost_too_is_not_expected() -> None:
    counts = counts_of(300, 40)
    counts[-4:] = 0.0
    alone, together = newborn(counts, table_of()), newborn(counts, table_of(now=0.0))
    assert alone is not None
    assert alone.fails
    assert together is not None
    assert not together.fails


@given(st.integers(8, 70), st.floats(0.0, 1.0), st.integers(0, 50), st.floats(5, 2000))
def test_fewer_rows_never_speak_for_more(age: int, part: float, seed: int, rate: float) -> None:
    usual = counts_of(rate, age, seed)
    less = usual.copy()
    # The newest bucket is in every window and teaches none.
    less[-1] = np.floor(less[-1] * part)
    whole, fewer = newborn(usual, table_of()), newborn(less, table_of())
    assert (whole is None) == (fewer is None)
    if whole is not None and fewer is not None:
        assert fewer.z <= whole.z + 1e-9
        assert fewer.fails == (fewer.z <= LOUD)


@given(st.integers(8, 70), st.integers(0, 10))
def test_bounds_hold_the_expectation(age: int, seed: int) -> None:
    one = newborn(counts_of(200, age, seed), table_of())
    assert one is not None
    assert one.lower <= one.expected <= one.upper
