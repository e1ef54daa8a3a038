"""Ranking among buckets in alarm."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eventwatch.detect import score_counts
from eventwatch.detect.rank import ranked

AT = 5.0
SHAPE = 40
SCORES = arrays(float, SHAPE, elements=st.floats(0, 50))
COUNTS = arrays(float, SHAPE, elements=st.one_of(st.just(np.nan), st.floats(0, 1e6)))


@given(SCORES, COUNTS, arrays(float, SHAPE, elements=st.floats(0, 1e6)))
def test_nothing_crosses_the_threshold_and_nothing_below_it_changes(
    score: np.ndarray, counts: np.ndarray, expected: np.ndarray
) -> None:
    found = ranked(score, counts, expected, np.full(SHAPE, 0.05), AT)
    below = score < AT
    assert np.array_equal(found[below], score[below])
    assert (found[~below] >= score[~below]).all()


def test_of_two_buckets_in_the_same_alarm_the_one_further_off_ranks_higher() -> None:
    score, expected, phi = np.full(3, 8.0), np.full(3, 1000.0), np.full(3, 0.01)
    as_usual, half, nothing = ranked(score, np.array([990.0, 500.0, 0.0]), expected, phi, AT)
    assert as_usual == 8.0
    assert as_usual < half < nothing


def test_the_hours_after_an_outage_rank_below_those_of_it() -> None:
    hours = 24 * 40
    random = np.random.default_rng(3)
    counts = random.poisson(400, hours).astype(float)
    counts[900:906] = 0
    frame = pd.DataFrame(
        {
            "series": "a",
            "ts": pd.date_range("2026-01-01", periods=hours, freq="h", tz="UTC"),
            "value": counts,
        }
    )
    score = score_counts(frame, bucket="1h")["score"].to_numpy()
    assert score[900:906].min() > score[906:].max()
