"""Normal scores of counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import nbinom

from eventwatch.detect.transform import z_of


def test_nothing_at_all_is_no_news_where_counts_come_in_bursts() -> None:
    # A fifth of such counts is 0: (1 + phi m) ** (-1 / phi). The transformation alone says -4.
    expected, phi = 1054.0, 4.0
    z = float(z_of(np.array([0.0]), np.array([expected]), np.array([phi]))[0])
    assert z == pytest.approx(float(ndtri((1 + phi * expected) ** (-1 / phi))), abs=0.02)


@pytest.mark.parametrize(
    ("observed", "phi"),
    [(0.0, 1.2), (0.0, 2.0), (0.0, 6.0), (1.0, 1.2), (1.0, 2.0), (40_000.0, 1.2), (40_000.0, 2.0)],
)
def test_far_off_scores_of_bursts_are_those_of_their_own_tail(observed: float, phi: float) -> None:
    expected, size = 1000.0, 1.0 / phi
    z = float(z_of(np.array([observed]), np.array([expected]), np.array([phi]))[0])
    counts = nbinom(size, size / (size + expected))
    tail = counts.cdf(observed) if observed < expected else counts.sf(observed - 1)
    exact = float(ndtri(tail)) * (1 if observed < expected else -1)
    assert z == pytest.approx(exact, abs=0.02)
