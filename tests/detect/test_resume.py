"""Going on from a kept state gives what a whole pass gives, to the bit."""

from __future__ import annotations

from dataclasses import fields, replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eventwatch.detect import DetectSettings, resume
from eventwatch.detect.clock import clock_of
from eventwatch.detect.engine import Pass, run
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.resume import Memory, remembering, run_on
from eventwatch.detect.said import far_buckets
from eventwatch.detect.settings import grain
from eventwatch.detect.standing import near_buckets

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
    """As far back as verdicts look: to the bit."""
    of = grain(HOUR)
    near, far = near_buckets(of), far_buckets(of)
    total = len(one.common)
    for name in ("common", "common_hot", "alarm", "accepted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
    newest = {f.name for f in fields(Scored)} - {"common", "common_hot", "accepted"}
    for name in newest:
        np.testing.assert_array_equal(getattr(one, name)[-1], getattr(other, name)[-1], name)
    for name in ("season", "level", "one_expected"):
        mine, whole = getattr(one, name)[-near:], getattr(other, name)[-near:]
        np.testing.assert_array_equal(mine, whole, name)
    back = max(total - far, 0)
    alarm = other.alarm[back:]
    for name in ("score", "window"):
        mine, whole = getattr(one, name)[back:], getattr(other, name)[back:]
        np.testing.assert_array_equal(mine[alarm], whole[alarm], name)
    # Where an alarm begins is looked for in the buckets before it.
    wanted = np.zeros_like(alarm)
    for lag in range(min(62, len(alarm))):
        wanted[: len(alarm) - lag] |= alarm[lag:]
    for name in ("season", "level"):
        mine, whole = getattr(one, name)[back:], getattr(other, name)[back:]
        np.testing.assert_array_equal(mine[wanted], whole[wanted], name)
        if other.common_hot[back:].any():
            hot = other.common_hot[back:]
            np.testing.assert_array_equal(mine[hot], whole[hot], name)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    hours=st.integers(30, 900),
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
    memory = Memory(most=4)
    with remembering(memory):
        for seed in range(5):
            run_on(panel(counts_of(seed, 120)), SETTINGS)
    assert len(memory) == 4


def test_nothing_is_run_again_but_the_newest_day(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counts_of(8, 400)
    with remembering(Memory()):
        run_on(panel(counts[:395]), SETTINGS)
        days = []
        monkeypatch.setattr(Pass, "_day", lambda self, start, stop: days.append(stop - start))
        run_on(panel(counts), SETTINGS)
    assert days == [400 - 395 // 24 * 24]


def test_a_large_panel_is_run_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counts_of(9, 1200, series=3)
    monkeypatch.setattr(resume, "LARGEST", 1200)
    with remembering(Memory()):
        assert_same(run_on(panel(counts), SETTINGS), run(panel(counts), SETTINGS))


def test_a_state_that_does_not_fit_is_made_anew() -> None:
    counts, memory = counts_of(10, 300), Memory()
    with remembering(memory):
        run_on(panel(counts), SETTINGS)
        broken = {
            name: replace(kept, arrays={k: v for k, v in kept.arrays.items() if k != "state/level"})
            for name, kept in memory.states().items()
        }
        memory.clear()
        memory.add(broken)
        assert_same(run_on(panel(counts), SETTINGS), run(panel(counts), SETTINGS))


def told_panel(counts: NDArray[np.float64], seed: int) -> Panel:
    """The same with holidays and labels in it."""
    random = np.random.default_rng(seed)
    plain = panel(counts)
    holiday = (random.random(len(counts) // 24 + 1) < 0.1).repeat(24)[: len(counts)].astype(float)
    labels = np.zeros(counts.shape, dtype=np.int8)
    for _ in range(4):
        begin, column = int(random.integers(0, 200)), int(random.integers(0, counts.shape[1]))
        labels[begin : begin + 12, column] = random.choice([-1, 1])
    return replace(plain, holiday=holiday, labels=labels)


def test_holidays_and_labels_are_part_of_what_a_kept_state_rests_on() -> None:
    counts = counts_of(6, 400)
    for end in (300, 330, 400):
        for seed in (1, 2):
            whole = told_panel(counts, seed)
            clock = whole.clock.part(0, end)
            assert whole.share is not None
            assert whole.doubt is not None
            assert whole.holiday is not None
            assert whole.labels is not None
            part = replace(
                whole,
                counts=counts[:end],
                clock=clock,
                share=whole.share[:end],
                doubt=whole.doubt[:end],
                holiday=whole.holiday[:end],
                labels=whole.labels[:end],
            )
            assert_same(run_on(part, SETTINGS), run(part, SETTINGS))
            bare = replace(part, holiday=None, labels=None)
            assert_same(run_on(bare, SETTINGS), run(bare, SETTINGS))


def test_nothing_said_and_no_holiday_is_scored_as_if_neither_existed() -> None:
    counts = counts_of(7, 400)
    bare = panel(counts)
    empty = replace(bare, holiday=np.zeros(400), labels=np.zeros(counts.shape, dtype=np.int8))
    one, other = run(bare, SETTINGS), run(empty, SETTINGS)
    for field in fields(Scored):
        np.testing.assert_allclose(
            getattr(one, field.name).astype(float),
            getattr(other, field.name).astype(float),
            rtol=1e-9,
            atol=1e-9,
        )
