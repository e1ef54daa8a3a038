"""Floors and ceilings in futures that are written out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from eventwatch.kinds.blind_promises import Course, told_by_promise
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import Subject, VolumeCheck, subjects_of
from eventwatch.kinds.volume_panel import VolumePanel, grid_of, panel_of
from eventwatch.model.contract import Contract, LifecycleState, Location
from eventwatch.model.view import ExposureView
from tests.fakes.planted import World

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = 3600


def scene(**terms: object) -> tuple[ExposureView, VolumePanel, list[Subject], Course]:
    """Noon; ten rows came in each hour so far. From one on: none, ten or thirty an hour."""
    promised = Contract("type_00", "m", Location("a.proto", 1), **terms)  # type: ignore[arg-type]
    world = World((10.0,), NOW, contracts=(promised,))
    view = world.view(world.past, NOW)
    panel = panel_of(view, HOUR, int(NOW.timestamp()))
    panel.counts[:] = 10.0
    rules = rules_for(VolumeCheck(), (), "events", view.catalog)
    grid = grid_of(world.start, int(NOW.timestamp()) + 3 * 86400, HOUR, view.exposure.time_zone)
    known = panel.grid.size - 1
    counts = np.array([0.0, 10.0, 30.0])[:, None, None] * np.ones((3, 24, 1))
    course = Course(
        grid=grid,
        first=known + 1,
        begins_at=float(grid.edges[known + 1]),
        quiet=np.full((1, 1), 10.0),
        counts=counts,
        looks=HOUR * np.arange(1, 25, dtype=np.float64),
    )
    return view, panel, list(subjects_of(view, rules, panel)), course


def told(**terms: object) -> list[float]:
    """Hours until nothing, the usual and three times as much is told."""
    return [float(s) / HOUR for s in told_by_promise(*scene(**terms))[:, 0]]


def test_a_floor_tells_when_the_day_is_over_and_its_rows_have_arrived() -> None:
    # 130 rows by one o'clock, 240 on a usual day.
    nothing, usual, more = told(min_per_day=200)
    assert 11 < nothing < 11.6
    assert usual == more == np.inf


def test_a_floor_under_what_came_before_the_change_does_not_tell_that_day() -> None:
    nothing, _, _ = told(min_per_day=120)
    assert nothing == np.inf


def test_a_ceiling_tells_as_soon_as_the_running_day_is_over_it() -> None:
    nothing, usual, more = told(max_per_day=300)
    assert nothing == usual == np.inf
    assert more == 6  # 130 and six times 30


def test_a_ceiling_that_was_not_reached_is_held_against_the_next_day_anew() -> None:
    # 130 + 11 · 30 = 460 on the first day, 13 · 30 = 390 by one o'clock on the second.
    assert told(max_per_day=470)[2] == np.inf
    assert told(max_per_day=459)[2] == 11


def test_without_a_promise_nothing_is_told_by_one() -> None:
    assert told() == [np.inf] * 3


def test_the_promise_of_a_draft_is_not_judged() -> None:
    assert told(min_per_day=200, state=LifecycleState.DRAFT) == [np.inf] * 3
