"""A pass that is led on from its state says what the whole pass says."""

from __future__ import annotations

import numpy as np
import pytest

from eventwatch.detect import ahead as module
from eventwatch.detect import standing
from eventwatch.detect.ahead import Ahead, Future, Noted, Scripted, said_fields
from eventwatch.detect.clock import Clock
from eventwatch.detect.engine import run
from eventwatch.detect.panel import Panel
from eventwatch.detect.settings import DAY, DetectSettings, Grain, grain
from eventwatch.detect.standing import near_buckets

SERIES = 8
HOURLY = grain(3600)
DAILY = grain(DAY)


def clock_of(of: Grain, total: int) -> Clock:
    at = np.arange(total)
    if of.per_day == 1:
        return Clock(np.zeros(total, dtype=np.int64), at % 7, 1)
    return Clock(at % of.per_day, at // of.per_day % 7, of.per_day)


def panel_of(of: Grain, total: int, *, labels: bool = False, holiday: bool = False) -> Panel:
    """Shared ups and downs, so that the witness speaks; an incident, so that something is in alarm."""
    rng = np.random.default_rng(8)
    day = np.exp(0.4 * np.sin(np.arange(total) / 24 * 2 * np.pi))[:, None]
    mean = rng.uniform(3, 200, SERIES) * day
    counts = rng.poisson(mean * rng.gamma(30, 1 / 30, (total, 1))).astype(np.float64)
    counts[: total // 3, 2] = np.nan
    counts[total - 40 : total - 5, 4] *= 0.1
    share, doubt = np.ones((total, SERIES)), np.zeros((total, SERIES))
    share[-3:], doubt[-3:] = 0.7, 0.01
    marks = np.zeros(total)
    marks[total // 2 : total // 2 + of.per_day] = 1.0
    said = np.zeros((total, SERIES), dtype=np.int8)
    said[total - 60 : total - 45, 5] = -1
    return Panel(
        counts,
        clock_of(of, total),
        of,
        share,
        doubt,
        marks if holiday else None,
        said if labels else None,
    )


def part(panel: Panel, start: int, stop: int) -> Panel:
    def cut(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[start:stop]

    assert panel.share is not None
    return Panel(
        panel.counts[start:stop],
        panel.clock.part(start, stop),
        panel.grain,
        panel.share[start:stop],
        cut(panel.doubt),
        cut(panel.holiday),
        cut(panel.labels),
    )


def rest(panel: Panel, known: int, columns: np.ndarray) -> Future:
    total = len(panel.counts)
    assert panel.share is not None
    assert panel.doubt is not None
    return Future(
        panel.counts[known:][:, columns],
        panel.clock.part(known, total),
        None if panel.holiday is None else panel.holiday[known:],
        panel.share[known:][:, columns],
        panel.doubt[known:][:, columns],
    )


@pytest.mark.parametrize("holiday", [False, True])
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("of", [HOURLY, DAILY])
def test_all_series_led_on_from_a_cut_past_are_as_in_the_whole_pass(
    of: Grain, labels: bool, holiday: bool
) -> None:
    # 20 days and some hours; what follows ends before the day does, so nothing is settled in it.
    total = 20 * 24 + 20 if of is HOURLY else 200
    known = total - 18 if of is HOURLY else total - 1
    panel = panel_of(of, total, labels=labels, holiday=holiday)
    settings = DetectSettings(witness=True)
    whole = run(panel, settings)
    ahead = Ahead.of(part(panel, 0, known), settings)
    everything = np.arange(SERIES)
    led = ahead.with_future(rest(panel, known, everything), everything, keep=near_buckets(of))
    begin = led.known
    out = led.go(total - known)
    for name in said_fields():
        if name != "level":
            wanted = getattr(whole, name)[known:]
            np.testing.assert_allclose(getattr(out, name)[begin:], wanted, err_msg=name)
    assert (whole.common[known:] != 0).any(), "the witness must have had something to say"


def test_copies_of_some_series_are_judged_as_the_series_would_be() -> None:
    total, known = 20 * 24 + 20, 20 * 24 + 2
    panel = panel_of(HOURLY, total, labels=True)
    settings = DetectSettings(witness=True)
    whole = run(panel, settings)
    ahead = Ahead.of(part(panel, 0, known), settings)
    everything = np.arange(SERIES)
    first = ahead.with_future(rest(panel, known, everything), everything)
    noted = Noted(first.made.witness)
    first.made.witness = noted  # type: ignore[assignment]
    first.go(total - known)
    columns = np.array([4, 1, 1, 5, 4])
    copies = ahead.with_future(
        rest(panel, known, columns), columns, Scripted(noted.said, columns), near_buckets(HOURLY)
    )
    begin = copies.known
    out = copies.go(total - known)
    for name in ("score", "z", "expected", "observed", "window", "spread", "alarm"):
        wanted = getattr(whole, name)[known:][:, columns]
        np.testing.assert_allclose(getattr(out, name)[begin:], wanted, err_msg=name)


def test_a_copy_that_falls_to_nothing_changes_nothing_for_the_others() -> None:
    total, known = 20 * 24 + 20, 20 * 24 + 2
    panel = panel_of(HOURLY, total)
    settings = DetectSettings(witness=True)
    ahead = Ahead.of(part(panel, 0, known), settings)
    everything = np.arange(SERIES)
    first = ahead.with_future(rest(panel, known, everything), everything)
    noted = Noted(first.made.witness)
    first.made.witness = noted  # type: ignore[assignment]
    first.go(total - known)
    columns = np.array([0, 0, 1])
    future = rest(panel, known, columns)
    future.counts[:, 1] = 0.0
    copies = ahead.with_future(future, columns, Scripted(noted.said, columns))
    begin = copies.known
    out = copies.go(total - known)
    np.testing.assert_array_equal(out.z[begin:, 0], first.made.out.z[known:, 0])
    np.testing.assert_array_equal(out.z[begin:, 2], first.made.out.z[known:, 1])
    assert out.z[begin + 3, 1] < -4


def test_the_state_it_is_led_on_from_is_left_as_it_was() -> None:
    total, known = 20 * 24 + 20, 20 * 24 + 2
    panel = panel_of(HOURLY, total)
    ahead = Ahead.of(part(panel, 0, known), DetectSettings(witness=True))
    everything = np.arange(SERIES)

    def led() -> np.ndarray:
        copy = ahead.with_future(rest(panel, known, everything), everything, keep=150)
        begin = copy.known
        return copy.go(total - known).score[begin:]

    np.testing.assert_array_equal(led(), led())


def test_other_columns_in_the_same_number_are_refused_because_they_could_not_be_told_apart() -> (
    None
):
    panel = panel_of(HOURLY, 500)
    ahead = Ahead.of(part(panel, 0, 490), DetectSettings())
    columns = np.arange(SERIES)[::-1].copy()
    with pytest.raises(ValueError, match="another number"):
        ahead.with_future(rest(panel, 490, columns), columns)


def test_whatever_the_kept_state_shifts_is_shifted_here_too() -> None:
    assert set(standing._AT) <= set(module._AT)
