"""Rows that were missed and came after all are late, not lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from eventwatch.model.alert import Alert
from eventwatch.model.result import LATE, Amount, Cut, Result
from eventwatch.model.status import KindName, Status
from eventwatch.pipeline.late import lateness, with_late
from tests.alerting.builders import alert
from tests.fakes.views import NOW, Row, catalog, exposure, steady, view_of

HOUR = timedelta(hours=1)
BEGAN, SEEN = NOW - 6 * HOUR, NOW - 2 * HOUR
HOLE = steady("a", BEGAN, SEEN, lag=timedelta(0))


def bad(**changes: object) -> Alert:
    """Nothing came between BEGAN and SEEN, where 48 rows were expected."""
    amount = Amount("events", 0, 48, 30, 66, BEGAN, SEEN)
    result = Result(
        "events", KindName.VOLUME, "bucket", Status.FAIL, "a", amount=amount, since=BEGAN
    )
    made = alert(replace(result, **changes))  # type: ignore[arg-type]
    return replace(made, started_at=BEGAN, seen_at=SEEN)


def rows(filled: Iterable[Row] = ()) -> list[Row]:
    return [*steady("a", NOW - 48 * HOUR, BEGAN), *steady("a", SEEN, NOW), *filled]


def late(rows_: list[Row], of: Alert | None = None) -> timedelta | None:
    view = view_of(rows_, exposure=exposure("platform"), catalog=catalog("a"))
    return lateness(view, of or bad())


def came_at(at: datetime, part: int = 1) -> list[Row]:
    return [replace(r, loaded=at, occurred=r.loaded) for r in HOLE[::part]]


def test_rows_that_fill_the_hole_say_how_late_they_were() -> None:
    found = late(rows(came_at(NOW - HOUR)))
    assert found is not None
    assert timedelta(hours=2, minutes=30) <= found <= timedelta(hours=3, minutes=30)


def test_a_hole_that_stays_is_none() -> None:
    assert late(rows()) is None


def test_a_few_stragglers_do_not_fill_it() -> None:
    assert late(rows(came_at(NOW - HOUR, part=5))) is None


def test_what_had_come_before_it_was_last_bad_fills_nothing() -> None:
    assert late(rows(came_at(SEEN - HOUR))) is None


def test_rows_of_another_value_do_not_fill_the_hole_of_one() -> None:
    of = bad(cut=Cut("platform", "ios"))
    web = [replace(r, values={"platform": "web"}) for r in came_at(NOW - HOUR)]
    ios = [replace(r, values={"platform": "ios"}) for r in came_at(NOW - HOUR)]
    assert late(rows(web), of) is None
    assert late(rows(ios), of) is not None


def test_only_a_good_result_of_an_open_fall_carries_the_fact() -> None:
    view = view_of(rows(came_at(NOW - HOUR)), exposure=exposure("platform"), catalog=catalog("a"))
    one = bad()
    good = replace(one.result, status=Status.PASS)
    other = replace(good, event_type="b")
    (told, plain) = with_late(view, [one], [good, other])
    assert [f.label for f in told.facts] == [LATE]
    assert plain.facts == ()
    assert with_late(view, [one], [one.result]) == (one.result,)
    rise = bad(amount=Amount("events", 300, 48, 30, 66, BEGAN, SEEN))
    assert with_late(view, [rise], [good]) == (good,)
