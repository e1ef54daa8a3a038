"""The second expectation: what would have come, had the series moved with all the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.charts.others import AROUND, CLEAR, expected_with_others
from eventwatch.charts.render import dark_rules, inline, spec
from eventwatch.charts.spec import DARK, LIGHT, OTHERS
from eventwatch.charts.ticks import top_of
from eventwatch.model.trace import Trace, Values
from tests.fakes import traces

HOURS = 80


def moved(*by: tuple[int, float]) -> Trace:
    """A table that is quiet but for these buckets."""
    at = dict(by)
    return replace(traces.trace(hours=HOURS), common=tuple(at.get(i, 0.0) for i in range(HOURS)))


def known(values: Values) -> list[int]:
    return [i for i, value in enumerate(values) if value is not None]


def legend(document: dict[str, Any]) -> Any:
    return next(
        layer["encoding"]["x"]["axis"]["title"]
        for layer in document["layer"]
        if "x" in layer.get("encoding", {})
    )


def test_it_is_the_expectation_times_the_movement_of_the_table() -> None:
    made = moved((50, -0.3))
    assert expected_with_others(made)[50] == pytest.approx(0.7 * (made.expected[50] or 0.0))


def test_it_is_drawn_around_the_buckets_in_which_the_table_moved_and_nowhere_else() -> None:
    shown = known(expected_with_others(moved((50, -0.3))))
    assert shown == list(range(50 - AROUND, 50 + AROUND + 1))


def test_an_hour_that_strays_a_little_is_no_movement_but_three_are() -> None:
    assert expected_with_others(moved((50, -0.2))) == ()
    assert known(expected_with_others(moved(*((i, -0.2) for i in (50, 51, 53)))))
    assert expected_with_others(moved(*((i, -0.2) for i in (20, 40, 60)))) == ()


def test_one_day_that_strays_is_one() -> None:
    days = traces.by_day(40)
    common = tuple(0.2 if i == 20 else 0.0 for i in range(40))
    assert known(expected_with_others(replace(days, expected=(5.0,) * 40, common=common)))


@pytest.mark.parametrize("common", [(), (0.0,) * HOURS, (CLEAR * 0.9,) * HOURS, (None,) * HOURS])
def test_of_a_quiet_table_there_is_no_second_line_and_no_word(common: Values) -> None:
    quiet = replace(traces.trace(hours=HOURS), common=common)
    assert expected_with_others(quiet) == ()
    assert spec(quiet) == spec(replace(quiet, common=()))


def test_where_nothing_is_expected_there_is_no_second_line() -> None:
    assert expected_with_others(replace(moved((50, -0.3)), expected=())) == ()


def test_the_chart_has_one_line_more_and_says_what_it_is() -> None:
    def lines(document: dict[str, Any]) -> int:
        return sum(layer.get("mark", {}).get("type") == "line" for layer in document["layer"])

    calm, loud = spec(moved()), spec(moved((50, -0.3)))
    assert lines(loud) == lines(calm) + 1
    assert legend(loud) == [legend(calm), OTHERS]


def test_a_line_that_lies_on_the_other_is_neither_drawn_nor_named() -> None:
    """A job of one hour a day, and a table that moved in hours in which the job is not due."""
    job = tuple(500.0 if hour % 24 == 3 else 0.1 for hour in range(HOURS))
    made = replace(moved((50, -0.9)), observed=job, expected=job)
    assert expected_with_others(made) == ()
    assert expected_with_others(replace(made, common=(-0.9,) * HOURS)) != ()


def test_a_rise_of_the_table_is_inside_the_picture_but_flattens_nothing() -> None:
    seen = max(value or 0.0 for value in moved().observed)
    assert 1.3 * seen < top_of(moved((6, 0.4))) < top_of(moved((6, 50.0))) < 1.8 * seen


@given(st.lists(st.none() | st.floats(-1.0, 50.0), min_size=HOURS, max_size=HOURS))
def test_it_is_never_below_nothing_and_as_long_as_what_was_seen(common: list[float | None]) -> None:
    made = expected_with_others(replace(traces.trace(hours=HOURS), common=tuple(common)))
    assert len(made) in (0, HOURS)
    assert all(value >= 0 for value in made if value is not None)


def test_inside_a_page_it_names_no_address_and_takes_the_colours_of_the_dark_page() -> None:
    made, rules = inline(moved((50, -0.3))), dark_rules(".chart")
    assert made.startswith("<svg ")
    assert "xmlns" not in made
    for look in (LIGHT.line, LIGHT.others, LIGHT.bad, LIGHT.ground):
        assert f'"{look}"' in made
        assert f'[stroke="{look}"]' in rules
    assert DARK.others in rules
