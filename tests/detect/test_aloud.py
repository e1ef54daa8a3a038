"""What a pass tells when it is asked for everything."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from eventwatch.detect.aloud import Aloud, run_aloud
from eventwatch.detect.clock import clock_of
from eventwatch.detect.engine import run
from eventwatch.detect.panel import Panel
from eventwatch.detect.settings import DetectSettings, grain

STEP = 3600
SETTINGS = DetectSettings(witness=True)


def made(hours: int, seed: int = 1) -> Panel:
    """Ten series that share a wave and a weak common movement; the second halves at the end."""
    rng = np.random.default_rng(seed)
    of = grain(STEP)
    epochs = 1_772_409_600 + STEP * np.arange(hours, dtype=np.int64)
    wave = 1.0 + 0.5 * np.sin(2 * np.pi * np.arange(hours) / 24)
    common = np.exp(rng.normal(0, 0.08, hours))
    rates = np.geomspace(5, 5000, 10)
    mean = (wave * common)[:, None] * rates
    mean[-5:, 1] *= 0.3
    counts = rng.poisson(mean).astype(np.float64)
    counts[: hours // 2, 9] = np.nan
    share = np.ones((hours, 1))
    share[-1] = 0.6
    doubt = np.zeros((hours, 1))
    doubt[-1] = 0.01
    return Panel(counts, clock_of(epochs, of, SETTINGS), of, share, doubt)


@pytest.fixture(scope="module", params=[35 * 24 - 7, 35 * 24])
def told(request: pytest.FixtureRequest) -> tuple[Panel, Aloud]:
    panel = made(request.param)
    return panel, run_aloud(panel, SETTINGS)


def test_it_says_of_every_bucket_what_the_plain_pass_says(told: tuple[Panel, Aloud]) -> None:
    panel, aloud = told
    plain = run(panel, SETTINGS)
    for each in fields(plain):
        mine: Any = getattr(aloud.scored, each.name)
        np.testing.assert_array_equal(mine, getattr(plain, each.name), err_msg=each.name)


def test_the_window_that_spoke_is_among_those_told_with_the_same_numbers(
    told: tuple[Panel, Aloud],
) -> None:
    panel, aloud = told
    scored, windows = aloud.scored, aloud.windows
    for s in range(panel.counts.shape[1]):
        spoke = int(np.flatnonzero(windows.length == scored.window[-1, s])[0])
        np.testing.assert_allclose(windows.calibrated[spoke, s], scored.z[-1, s], rtol=1e-12)
        np.testing.assert_allclose(windows.expected[spoke, s], scored.expected[-1, s], rtol=1e-12)
        np.testing.assert_allclose(windows.observed[spoke, s], scored.observed[-1, s], atol=1e-6)
        scale = windows.z[spoke, s] / windows.calibrated[spoke, s]
        np.testing.assert_allclose(scale, scored.scale[-1, s], rtol=1e-9)


def test_no_window_is_louder_in_the_direction_that_spoke(told: tuple[Panel, Aloud]) -> None:
    _, aloud = told
    loudest = aloud.scored.z[-1]
    sided = aloud.windows.calibrated * np.sign(loudest)
    assert (np.nanmax(sided, axis=0) <= np.abs(loudest) + 1e-9).all()


def test_windows_that_reach_before_the_first_bucket_are_not_told() -> None:
    panel = made(40)
    windows = run_aloud(panel, SETTINGS).windows
    assert np.isnan(windows.observed[windows.length == 48]).all()
    assert np.isfinite(windows.observed[windows.length == 24, 0]).all()


def test_a_common_movement_that_is_shared_shows_in_what_is_expected() -> None:
    panel = made(35 * 24)
    counts = panel.counts.copy()
    counts[-2:] *= 0.6
    fallen = replace(panel, counts=counts, share=None, doubt=None)
    aloud = run_aloud(fallen, SETTINGS)
    assert (np.abs(aloud.windows.moved[0] + 0.4) < 0.05).all()
    alone = run_aloud(fallen, replace(SETTINGS, witness=False))
    assert (alone.windows.moved == 0).all()
