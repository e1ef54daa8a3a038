"""An incident of a replay as the trace that all charts are made of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from eventwatch.backtest.chart import chart_of
from eventwatch.backtest.picture import Picture
from eventwatch.model.trace import Stretch
from tests.backtest.incidents import HOUR, START, incident, result
from tests.fakes.hostile_names import HOSTILE

DAY = timedelta(days=1)
BERLIN = "Europe/Berlin"
PICTURE = Picture(START, HOUR, tuple(float(i % 24) for i in range(200)), ((START + HOUR, 4.0),))
LAST = START + 300 * HOUR


def test_it_marks_the_time_it_failed_and_when_it_was_told_and_over() -> None:
    one = incident("a", 50, 120)
    made = chart_of(PICTURE, one, LAST, BERLIN)
    assert made.bad == (Stretch(one.began_at, one.ended_at or LAST),)
    assert [mark.text for mark in made.marks] == ["told", "over"]
    assert [mark.at for mark in made.marks] == [one.told_at, one.ended_at]


def test_marks_that_would_run_into_each_other_are_one() -> None:
    made = chart_of(PICTURE, incident("a", 50, 55), LAST, BERLIN)
    assert [mark.text for mark in made.marks] == ["told"]


def test_what_is_still_open_is_bad_to_the_end_of_the_picture() -> None:
    made = chart_of(PICTURE, incident("a", 50, None), LAST, BERLIN)
    assert made.bad[0].end_at == START + 200 * HOUR


def test_what_was_expected_stands_at_its_bucket_and_nowhere_else() -> None:
    made = chart_of(PICTURE, incident("a", 50), LAST, BERLIN)
    assert made.expected[:3] == (None, 4.0, None)
    assert len(made.expected) == len(made.observed)


@pytest.mark.parametrize(("step", "zone"), [(HOUR, BERLIN), (DAY, "UTC")])
def test_hours_are_those_of_the_exposure_and_days_those_that_were_counted(
    step: timedelta, zone: str
) -> None:
    made = chart_of(Picture(START, step, (1.0,) * 30), incident("a", 5), LAST, BERLIN)
    assert made.zone == zone
    assert made.edges()[1] - made.edges()[0] == step


def test_the_bucket_in_which_the_span_ends_is_open() -> None:
    last = START + 199.5 * HOUR
    assert chart_of(PICTURE, incident("a", 50), last, BERLIN).open_until == last
    assert chart_of(PICTURE, incident("a", 50), LAST, BERLIN).open_until is None


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_foreign_is_in_it(name: str) -> None:
    found = result(name, summary=name)
    one = incident("a", 50, team=name, opened=found, worst=found, reason=name)
    assert chart_of(PICTURE, one, LAST, BERLIN) == chart_of(
        PICTURE, incident("a", 50), LAST, BERLIN
    )
