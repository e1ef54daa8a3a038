"""Faster ways of working something out give what the plain way gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eventwatch.kinds.delays import quantile, quantiles
from eventwatch.kinds.drift_stops import by_part, by_value, numbered
from eventwatch.kinds.volume_panel import LATE_GAPS, _newest_times
from eventwatch.model.measurement import DELAY_BINS, Cells, SeriesKey

KEYS = st.lists(
    st.builds(
        SeriesKey, st.sampled_from([None, "", "a", "b"]), st.sampled_from("pv"), st.text(max_size=2)
    ),
    max_size=12,
)


@given(
    arrays.arrays(np.float64, (5, DELAY_BINS), elements=st.integers(0, 1000).map(float)),
    st.sampled_from([0.05, 0.5, 0.95, 1.0]),
)
def test_quantiles_of_many_are_those_of_each(bins: np.ndarray, share: float) -> None:
    bins[:, 3] += 1.0
    assert quantiles(bins, share).tolist() == [quantile(row, share) for row in bins]


@given(KEYS)
def test_series_are_numbered_as_their_labels_are(keys: list[SeriesKey]) -> None:
    parts, labels = by_part(tuple(keys))
    plain, known = numbered([(key.event_type, key.dimension) for key in keys])
    assert parts.tolist() == plain.tolist()
    assert list(labels) == known
    values, pairs = by_value(tuple(keys))
    assert [pairs[n] for n in values.tolist()] == [(key.dimension, key.value) for key in keys]


@given(st.integers(1, 4000), st.integers(1, 90_000), st.integers(0, 2**32 - 1))
def test_the_newest_loads_are_found_without_the_oldest(count: int, apart: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    last = np.cumsum(random.integers(1, apart + 1, count)) + 1_700_000_000
    first = last - random.integers(0, 300, count)
    none = np.zeros(count, dtype=np.int64)
    cells = Cells((SeriesKey("a"),), none.astype(np.int32), none, none, none + 1, first, last)
    every = np.unique(np.concatenate([first, last]))
    found = _newest_times(cells, int(last.max()))
    kept = LATE_GAPS * 4 + 1
    assert found[-kept:].tolist() == every[-kept:].tolist()
