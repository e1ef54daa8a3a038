"""Going on from a kept state gives what a whole pass gives, to the bit."""

from __future__ import annotations

from dataclasses import fields
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eventwatch.detect import DetectSettings, resume
from eventwatch.detect.engine import run
from eventwatch.detect.frames import clock_of
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.resume import run_on
from eventwatch.detect.settings import grain

HOUR = 3600
SETTINGS = DetectSettings(time_zone=ZoneInfo("Europe/Berlin"), witness=True)


def counts_of(seed: int, hours: int, series: int = 5) -> NDArray[np.float64]:
    """Counts with a rhythm, an outage, a late birth and some that nobody measured."""
    random = np.random.default_rng(seed)
    hour = np.arange(hours)[:, None]
    mean = 30.0 * (1.0 + 0.6 * np.sin(hour / 24 * 2 * np.pi)) * np.arange(1, series + 1)
    counts = random.poisson(mean * random.gamma(20, 1 / 20, mean.shape)).astype(np.float64)
    begin = int(random.integers(24, hours))
    counts[begin : begin + 20, 0] = 0.0
    counts[: int(random.integers(1, hours)), 1] = np.nan
    counts[random.random(counts.shape) < 0.01] = np.nan
    return counts


def panel(counts: NDArray[np.float64]) -> Panel:
    """A panel whose newest bucket is half full."""
    of = grain(HOUR)
    edges = 1_790_000_000 // HOUR * HOUR + HOUR * np.arange(len(counts), dtype=np.int64)
    share = np.ones_like(counts)
    share[-1] = 0.5
    return Panel(counts, clock_of(edges, of, SETTINGS), of, share, (1.0 - share) * 0.02)


def assert_same(one: Scored, other: Scored) -> None:
    for field in fields(Scored):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    hours=st.integers(30, 400),
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
def test_a_growing_panel_is_scored_as_if_it_were_run_whole(
    seed: int, hours: int, steps: list[int]
) -> None:
    counts = counts_of(seed, hours + sum(steps))
    end = hours
    for step in (0, *steps):
        end += step
        assert_same(run_on(panel(counts[:end]), SETTINGS), run(panel(counts[:end]), SETTINGS))


def test_a_late_row_in_the_kept_past_changes_the_result_as_it_should() -> None:
    counts = counts_of(3, 300)
    run_on(panel(counts), SETTINGS)
    counts[100, 2] += 500.0
    assert_same(run_on(panel(counts), SETTINGS), run(panel(counts), SETTINGS))


def test_an_event_type_born_after_the_kept_state_starts_where_it_starts() -> None:
    counts = counts_of(4, 330)
    counts[:310, 3] = np.nan
    run_on(panel(counts[:305]), SETTINGS)
    assert_same(run_on(panel(counts), SETTINGS), run(panel(counts), SETTINGS))


def test_what_is_returned_may_be_changed_without_harm() -> None:
    counts = counts_of(5, 300)
    first = run_on(panel(counts), SETTINGS)
    first.score[:] = -1.0
    first.accepted[:] = 99
    assert_same(run_on(panel(counts), SETTINGS), run(panel(counts), SETTINGS))


def test_only_some_states_are_kept() -> None:
    for seed in range(resume.MOST_KEPT + 3):
        run_on(panel(counts_of(seed, 120)), SETTINGS)
    assert len(resume._kept) <= resume.MOST_KEPT
