"""Futures with a change in them: nested counts, and what of a bucket can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.kinds.blind_futures import DROPS, FACTORS, RISES, UNCHANGED, Rates, rates, timing

AT_ONCE = np.ones(144)


@given(
    begins=st.floats(0, 0.999),
    within=st.sampled_from([3600, 6 * 3600, 86400]),
    step=st.sampled_from([3600, 6 * 3600, 86400]),
)
def test_where_rows_come_at_once_what_was_touched_is_the_time_since_the_beginning(
    begins: float, within: int, step: int
) -> None:
    when = timing(begins, within, step, AT_ONCE, 300)
    # Of the fine bucket that runs half is taken to be there.
    assert when.touched.sum() * step == pytest.approx(within, abs=0.02 * step + 300)
    assert (when.touched <= when.share).all()
    assert when.looks[-1] == within
    assert (np.diff(when.looks) >= 0).all()
    assert (when.looks > 0).all()


def test_a_bucket_that_is_over_is_whole_and_not_doubted() -> None:
    when = timing(0.25, 6 * 3600, 3600, AT_ONCE, 300)
    assert when.share[:-1].tolist() == [1.0] * 6
    assert when.touched[0] == pytest.approx(0.75)
    assert when.share[-1] == pytest.approx(0.25, abs=0.05)
    assert when.doubt[:-1].tolist() == [0.0] * 6
    assert when.doubt[-1] > 0


def test_late_rows_are_missing_from_the_newest_buckets() -> None:
    late = np.minimum(np.arange(1, 145) / 24, 1.0)  # evenly over two hours
    when = timing(0.0, 6 * 3600, 3600, late, 300)
    assert when.share[:4].tolist() == [1.0] * 4
    assert when.share[-1] == pytest.approx(0.25, abs=0.04)
    assert when.share[-2] == pytest.approx(0.75, abs=0.04)


@given(seed=st.integers(0, 10_000), level=st.floats(0.01, 1000))
@settings(max_examples=25, deadline=None)
def test_a_larger_change_is_larger_in_every_future(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    when = timing(0.4, 6 * 3600, 3600, AT_ONCE, 300)
    counts = Rates(np.full((9, 3), level)).changed(rng, 1, when)
    assert counts.shape == (len(FACTORS), len(when.share), 3)
    assert (np.diff(counts, axis=0) >= 0).all()


def test_counts_have_the_mean_and_the_spread_that_were_asked_for() -> None:
    rng = np.random.default_rng(1)
    when = timing(0.0, 3600, 3600, AT_ONCE, 300)
    sums = []
    for _ in range(400):
        alone, together = np.full((1, 50), 0.04), np.full(50, 0.02)
        made = rates(rng, np.full((1, 50), 100.0), alone, together)
        sums.append(made.changed(rng, 0, when)[:, 0])
    drawn = np.concatenate(sums, axis=1)
    share = when.touched[0]
    for factor in (0.5, 1.0, 3.0):
        mean = 100 * share * factor
        mine = drawn[FACTORS.index(factor)]
        assert mine.mean() == pytest.approx(mean, rel=0.02)
        assert mine.var() == pytest.approx(mean + (0.04 + 0.02) * mean**2, rel=0.06)


def test_the_sizes_are_the_factors() -> None:
    assert tuple(1 - f for f in FACTORS[:UNCHANGED][::-1]) == pytest.approx(DROPS)
    assert FACTORS[UNCHANGED + 1 :] == RISES
    assert len(DROPS) == len(RISES)
