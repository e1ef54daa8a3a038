"""Rows whose event id came before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from eventwatch.kinds.duplicates import DuplicatesCheck
from eventwatch.model.settings import Columns
from eventwatch.model.status import Status
from tests.fakes.views import NOW, Row, catalog, steady, view_of
from tests.kinds.conftest import Asked

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CALM = steady("b", NOW - 10 * DAY, NOW, HOUR, 100)


def repeating(event_type: str, since: timedelta, until: timedelta, share: float) -> list[Row]:
    rows = steady(event_type, NOW - since, NOW - until, HOUR, 1000)
    return [replace(row, repeated=int(1000 * share)) for row in rows]


def test_the_share_of_repeated_ids_is_held_against_the_limit(duplicates: Asked) -> None:
    rows = CALM + repeating("a", 6 * DAY, 3 * DAY, 0) + repeating("a", 3 * DAY, 0 * DAY, 0.01)
    found = duplicates(view_of(rows, catalog("a", "b")))
    result = found.of("repeated", "a")

    assert found.failing() == [("repeated", "a")]
    assert result.since == NOW - 3 * DAY
    assert result.amount is not None
    assert (result.amount.unit, result.amount.upper) == ("share", 0.001)
    assert result.amount.observed == pytest.approx(0.01)
    assert result.summary == (
        "240 rows of the last 24 h repeat an event id that came before (1 % of 24,000); "
        "accepted are 0.1 %"
    )
    assert found.of("repeated", "b").status is Status.PASS
    assert found.of("repeated").status is Status.PASS
    assert duplicates(view_of(rows), max_share=0.02).failing() == []


def test_a_bad_stretch_begins_after_the_last_calm_day(duplicates: Asked) -> None:
    rows = repeating("a", 9 * DAY, 8 * DAY, 0.5) + repeating("a", 8 * DAY, 5 * HOUR, 0)
    rows += repeating("a", 5 * HOUR, 0 * DAY, 0.1)
    result = duplicates(view_of(CALM + rows)).of("repeated", "a")
    assert result.since == NOW - 5 * HOUR


def test_what_was_repeated_before_the_span_is_over(duplicates: Asked) -> None:
    rows = repeating("a", 9 * DAY, 2 * DAY, 0.5) + repeating("a", 2 * DAY, 0 * DAY, 0)
    assert duplicates(view_of(CALM + rows)).failing() == []
    assert duplicates(view_of(CALM + rows), over="4d").failing() == [("repeated", "a")]


def test_one_or_two_repeated_rows_are_an_accident(duplicates: Asked) -> None:
    two = [*CALM, Row("a", NOW - HOUR, count=10, repeated=2)]
    three = [*CALM, Row("a", NOW - HOUR, count=10, repeated=3)]
    assert duplicates(view_of(two)).failing() == []
    assert duplicates(view_of(three)).failing() == [("repeated", "a")]


def test_a_limit_of_zero_is_a_limit(duplicates: Asked) -> None:
    rows = [*CALM, Row("a", NOW - HOUR, count=10**6, repeated=1)]
    assert duplicates(view_of(rows), max_share=0).failing() == [("repeated", "a")]
    assert duplicates(view_of(CALM), max_share=0).failing() == []


def test_a_batch_that_was_loaded_twice_is_told_once_of_the_exposure(duplicates: Asked) -> None:
    names = [f"e{i}" for i in range(9)]
    rows = [Row(n, NOW - 2 * HOUR, count=200, repeated=100) for n in names]
    found = duplicates(view_of(rows, catalog(*names)))
    assert found.failing() == [("repeated", None)]
    assert found.of("repeated").since == NOW - 2 * HOUR
    assert found.of("repeated", "e4").status is Status.SKIPPED


def test_a_few_repeated_rows_in_each_of_many_event_types_are_told_too(duplicates: Asked) -> None:
    rows = [Row(f"e{i}", NOW - 2 * HOUR, count=20, repeated=2) for i in range(40)]
    assert duplicates(view_of(rows)).failing() == [("repeated", None)]


def test_repeated_rows_without_a_type_are_the_exposures(duplicates: Asked) -> None:
    rows = [*CALM, Row(None, NOW - HOUR, count=100, repeated=50)]
    assert duplicates(view_of(rows)).failing() == [("repeated", None)]


def test_a_stricter_definition_for_some_event_types(duplicates: Asked) -> None:
    strict = DuplicatesCheck.model_validate(
        {"kind": "duplicates", "events": "bank_*", "max_share": 0}
    )
    rows = [*CALM, Row("bank_paid", NOW - HOUR, count=5000, repeated=1)]
    assert duplicates(view_of(rows)).failing() == []
    assert duplicates(view_of(rows), strict).failing() == [("repeated", "bank_paid")]


def test_without_an_event_id_repeated_rows_cannot_be_told(duplicates: Asked) -> None:
    view = view_of(repeating("a", DAY, 0 * DAY, 0.5))
    bare = replace(view, exposure=replace(view.exposure, columns=Columns(event_id=None)))
    found = duplicates(bare)
    assert [r.status for r in found] == [Status.SKIPPED]
    assert "event_id" in found[0].summary


@pytest.mark.parametrize("wrong", [{"max_share": 1.1}, {"over": "10m"}, {"over": 5}])
def test_a_setting_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DuplicatesCheck.model_validate({"kind": "duplicates", **wrong})
