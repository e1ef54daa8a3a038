"""The fast test of silence: how soon it speaks, and what keeps it from speaking."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.kinds.volume_share import FINE_BACK
from eventwatch.kinds.volume_stop import STOP_P, chance_of_silence, counted_on
from eventwatch.model.measurement import FINE

FINE_CURVE = 1.0 - 0.8 * np.exp(-np.arange(FINE_BACK) / 1.2)
"""A fifth of a fine bucket's rows has come when it closes, nearly all after half an hour."""


def minutes_until_told(rows_an_hour: float, spread: float) -> float:
    """From the end of the last bucket with rows, in steps of a minute."""
    rate = np.array([rows_an_hour / 3600])
    for minute in range(12 * 60):
        quiet = np.array([minute * 60 // FINE])
        phase = minute * 60 % FINE / FINE
        expected = counted_on(rate, quiet, FINE_CURVE, phase=phase)
        if chance_of_silence(expected, np.array([spread]))[0] < STOP_P:
            return minute
    return np.inf


def test_a_thousand_rows_an_hour_are_missed_within_a_quarter_of_an_hour() -> None:
    assert minutes_until_told(1000, 0.03) <= 12


def test_the_fewer_rows_come_the_longer_it_takes() -> None:
    found = [minutes_until_told(rows, 0.03) for rows in (2000, 500, 200, 50, 10)]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_one_quiet_bucket_is_never_a_silence() -> None:
    assert counted_on(np.array([1e6]), np.array([1]), FINE_CURVE)[0] == 0.0


@given(
    rows=st.floats(0, 1e7),
    quiet=st.integers(0, 3 * FINE_BACK),
    phase=st.floats(0, 0.999),
    spread=st.floats(0, 5),
)
def test_more_is_counted_on_the_longer_the_silence(
    rows: float, quiet: int, phase: float, spread: float
) -> None:
    rate = np.array([rows / 3600])
    now = counted_on(rate, np.array([quiet]), FINE_CURVE, phase=phase)
    later = counted_on(rate, np.array([quiet + 1]), FINE_CURVE, phase=phase)
    assert np.isfinite(now).all()
    assert (later >= now - 1e-9).all()
    assert now[0] <= rate[0] * (quiet + 1) * FINE
    chance = chance_of_silence(now, np.array([spread]))
    assert (chance >= 0).all()
    assert (chance <= 1).all()
