"""Plots in a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.charts.terminal import Part, plain_text, plot
from eventwatch.model.trace import Trace
from tests.fakes import traces


def text(made: Trace, width: int = 100, **more: bool) -> str:
    return plain_text(plot(made, width=width, **more))


@pytest.mark.parametrize("width", [30, 40, 80, 150, 400])
@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("made", [traces.trace(), traces.with_gaps(), traces.by_day()])
def test_no_line_is_wider_than_the_terminal(made: Trace, width: int, unicode: bool) -> None:
    lines = text(made, width, unicode=unicode).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == 15


def test_without_unicode_every_letter_is_ascii_and_trouble_has_its_own() -> None:
    shown = text(traces.trace(), unicode=False)
    assert shown.isascii()
    assert "#" in shown
    assert "*" in shown
    assert "=" in shown
    calm = text(replace(traces.trace(), bad=()), unicode=False)
    assert "#" not in calm


def test_trouble_is_said_without_colours_too() -> None:
    assert "━" in text(traces.trace())
    assert "━" not in text(replace(traces.trace(), bad=()))


def test_a_stop_is_at_the_foot_of_the_plot_and_at_its_right_end() -> None:
    made = traces.trace()
    stopped = replace(made, observed=(*made.observed[:-6], *(0.0,) * 6))
    rows = [line for line in text(stopped, unicode=False).splitlines() if "|" in line]
    assert rows[-1].rstrip().endswith("#####")
    assert rows[-1].lstrip().startswith("0|")


def test_what_nobody_measured_is_blank() -> None:
    made = replace(traces.trace(), observed=(None,) * 80, lower=(), upper=(), bad=())
    rows = [line for line in text(made).splitlines() if "│" in line]
    assert all(not row.rpartition("│")[2].strip() for row in rows)


def test_a_table_that_is_late_leaves_room_up_to_now() -> None:
    made = replace(traces.trace(), bad=())
    late = replace(made, shown_until=made.end_at + (made.end_at - made.start_at))
    rows = [line for line in text(late, unicode=False).splitlines() if "|" in line]
    width = max(map(len, rows))
    assert width < 60
    assert max(map(len, [r for r in text(made, unicode=False).splitlines() if "|" in r])) > 90


def test_parts_say_what_the_letters_are() -> None:
    parts = {span.part for line in plot(traces.trace(), width=80) for span in line}
    assert parts == {Part.FAINT, Part.BAND, Part.LINE, Part.BAD}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1e12)), min_size=1, max_size=300),
    st.integers(1, 200),
    st.booleans(),
)
def test_any_counts_make_a_plot(counts: list[float | None], width: int, unicode: bool) -> None:
    made = Trace(
        "t", "", traces.START, traces.trace().step, traces.ZONE, observed=tuple(counts), upper=()
    )
    assert len(plot(made, width=width, unicode=unicode)) == 15
