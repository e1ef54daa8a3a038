"""A trace is made of what a daemon holds too: a pass that went on from a kept state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from eventwatch.detect.engine import run
from eventwatch.detect.panel import Scored
from eventwatch.detect.resume import Memory, remembering, run_on
from eventwatch.kinds.volume import scorable, settings_of
from eventwatch.kinds.volume_panel import VolumePanel, judged_at, panel_of
from eventwatch.kinds.volume_trace import trace_of
from eventwatch.model.measurement import HOUR
from tests.fakes.planted import World

NOW = datetime(2026, 4, 6, 9, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def passes() -> tuple[VolumePanel, Scored, Scored]:
    """The panel, what a whole pass says and what one says that went on."""
    world = World([20.0, 200.0, 2000.0, 50.0, 80.0, 900.0], NOW)
    view = world.view(world.past, NOW)
    panel = panel_of(view, HOUR, judged_at(view))
    whole, settings = scorable(view, panel), settings_of(view)
    with remembering(Memory()):
        run_on(whole, settings)
        went_on = run_on(whole, settings)
    return panel, run(whole, settings), went_on


def test_one_that_went_on_gives_the_same_picture(
    passes: tuple[VolumePanel, Scored, Scored],
) -> None:
    panel, whole, went_on = passes
    first, second = (trace_of(panel, each, 2, zone="UTC", days=4) for each in (whole, went_on))
    assert first == second
    assert None not in (*first.lower, *first.upper)


def test_one_that_forgot_how_wide_old_buckets_strayed_has_a_range_all_the_same(
    passes: tuple[VolumePanel, Scored, Scored],
) -> None:
    panel, whole, _ = passes
    spread = whole.one_spread.copy()
    spread[:-20] = 0.0
    exact = trace_of(panel, whole, 2, zone="UTC", days=4)
    trace = trace_of(panel, replace(whole, one_spread=spread), 2, zone="UTC", days=4)
    near = np.array(trace.upper, dtype=float) / np.array(exact.upper, dtype=float)
    assert (np.abs(near - 1.0) < 0.5).all()
    assert trace.upper[-20:] == exact.upper[-20:]


def test_what_the_series_calibration_widens_is_wider(
    passes: tuple[VolumePanel, Scored, Scored],
) -> None:
    panel, whole, _ = passes
    scale = np.full((panel.grid.size, 2), 2.0)
    plain = trace_of(panel, whole, 1, zone="UTC", days=2)
    wide = trace_of(panel, whole, 1, zone="UTC", days=2, scale=scale)
    assert wide.expected == plain.expected
    for low, high, lower, upper in zip(
        plain.lower, plain.upper, wide.lower, wide.upper, strict=True
    ):
        assert low is not None
        assert high is not None
        assert lower is not None
        assert upper is not None
        assert lower < low < high < upper


def test_what_nobody_measured_is_none_and_what_did_not_come_is_zero(
    passes: tuple[VolumePanel, Scored, Scored],
) -> None:
    panel, whole, _ = passes
    counts = panel.counts.copy()
    counts[-5, 0], counts[-6, 0] = np.nan, 0.0
    trace = trace_of(replace(panel, counts=counts), whole, 0, zone="UTC", days=2)
    assert trace.observed[-5] is None
    assert trace.observed[-6] == 0.0


def test_what_just_began_is_shown_closer(passes: tuple[VolumePanel, Scored, Scored]) -> None:
    panel, whole, _ = passes
    calm = trace_of(panel, whole, 1, zone="UTC")
    begun = trace_of(panel, whole, 1, zone="UTC", since=NOW - timedelta(hours=1))
    lasting = trace_of(panel, whole, 1, zone="UTC", since=NOW - timedelta(days=30))
    assert [len(t.observed) for t in (calm, begun, lasting)] == [168, 72, 168]
    assert lasting.bad[0].start_at == lasting.start_at
