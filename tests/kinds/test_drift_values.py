"""Values of watched dimensions that stopped, never came, or that nobody knew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from eventwatch.kinds.drift_novelty import novelty_of
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.result import Cut
from eventwatch.model.status import Status
from eventwatch.model.view import Seen
from tests.fakes.views import NOW, Row, catalog, contract, exposure, steady, view_of
from tests.kinds.conftest import Asked

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def on(
    event_type: str, platform: str | None, since: timedelta, until: timedelta, n: int
) -> list[Row]:
    return steady(
        event_type, NOW - since, NOW - until, 30 * MINUTE, n, values={"platform": platform}
    )


def both(event_type: str, days: int = 20) -> list[Row]:
    return on(event_type, "ios", days * DAY, 0 * DAY, 6) + on(
        event_type, "android", days * DAY, 0 * DAY, 4
    )


def without_android(event_type: str, gone: timedelta) -> list[Row]:
    return on(event_type, "ios", 20 * DAY, 0 * DAY, 6) + on(
        event_type, "android", 20 * DAY, gone, 4
    )


NAMED = {"platform": ("ios", "android")}


def test_a_platform_that_stopped_in_one_event_type_is_found_without_being_named(
    drift: Asked,
) -> None:
    rows = without_android("a", DAY) + both("b")
    found = drift(view_of(rows, catalog("a", "b")))
    result = found.of("value_missing", "a")

    assert found.failing() == [("value_missing", "a")]
    assert result.cut == Cut("platform", "android")
    assert "had 40 % of the rows, and none of the" in result.summary
    assert result.since is not None
    assert timedelta(0) <= (NOW - DAY) - result.since <= 30 * MINUTE
    assert result.amount is not None
    assert result.amount.expected is not None
    assert result.amount.expected > 100
    assert result.spark is not None


def test_a_named_platform_that_stopped_is_found_sooner(drift: Asked) -> None:
    rows = without_android("a", 6 * HOUR) + both("b")
    named = catalog(contract("a", expected_values=NAMED), contract("b", expected_values=NAMED))
    found = drift(view_of(rows, named))
    assert found.failing() == [("value_missing", "a")]
    assert "the contract names it" in found.of("value_missing", "a", "android").summary
    assert found.of("value_missing", "a", "ios").status is Status.PASS


def test_a_platform_that_never_came_is_missing_after_its_grace(drift: Asked) -> None:
    rows = on("a", "ios", 20 * DAY, 0 * DAY, 6) + both("b")
    named = catalog(contract("a", expected_values=NAMED), "b")
    result = drift(view_of(rows, named)).of("value_missing", "a", "android")
    assert result.status is Status.FAIL
    assert "never came" in result.summary
    young = on("a", "ios", 10 * HOUR, 0 * DAY, 6) + both("b")
    waiting = drift(view_of(young, named)).of("value_missing", "a", "android")
    assert waiting.status is Status.LEARNING


def test_a_handful_of_rows_cannot_miss_a_platform(drift: Asked) -> None:
    rows = [Row("a", NOW - i * DAY, values={"platform": "ios"}) for i in range(9)] + both("b")
    named = catalog(contract("a", expected_values=NAMED), "b")
    result = drift(view_of(rows, named)).of("value_missing", "a", "android")
    assert result.status is Status.SKIPPED


def test_a_platform_that_stopped_before_the_look_back_is_remembered(drift: Asked) -> None:
    seen = {SeriesKey("a", "platform", "android"): Seen(NOW - 90 * DAY, NOW - 70 * DAY)}
    rows = on("a", "ios", 20 * DAY, 0 * DAY, 6) + both("b")
    named = catalog(contract("a", expected_values=NAMED), "b")
    result = drift(view_of(rows, named, ledger=seen)).of("value_missing", "a", "android")
    assert result.status is Status.FAIL
    assert result.since == NOW - 70 * DAY


def test_a_silent_event_type_has_no_missing_platform(drift: Asked) -> None:
    rows = [r for r in both("a") if r.loaded < NOW - 3 * DAY] + both("b")  # type: ignore[operator]
    named = catalog(contract("a", expected_values=NAMED), "b")
    assert drift(view_of(rows, named)).failing() == []


def test_a_platform_that_comes_in_spells_is_not_missed_between_them(drift: Asked) -> None:
    draw = np.random.default_rng(5)
    spells = [
        row
        for start in range(34, 0, -4)
        for row in on("a", "tv", start * DAY, (start - 2) * DAY, int(draw.integers(5, 30)))
    ]
    rows = on("a", "ios", 35 * DAY, 0 * DAY, 6) + spells + both("b")
    assert drift(view_of(rows, catalog("a", "b"))).failing() == []


def test_a_platform_that_is_loaded_once_a_day_is_not_missed_in_the_afternoon(drift: Asked) -> None:
    daily = [
        Row("a", NOW - i * DAY - 9 * HOUR, NOW - i * DAY - h * HOUR, 6, {"platform": "android"})
        for i in range(20)
        for h in range(9, 33)
    ]
    rows = on("a", "ios", 20 * DAY, 0 * DAY, 6) + daily
    assert drift(view_of(rows, catalog("a"))).failing() == []


def test_hours_that_may_still_be_arriving_are_left_out(drift: Asked) -> None:
    slow = steady(
        "a", NOW - 20 * DAY, NOW, 30 * MINUTE, 5, lag=5 * HOUR, values={"platform": "android"}
    )
    rows = on("a", "ios", 20 * DAY, 0 * DAY, 50) + slow
    named = catalog(contract("a", expected_values=NAMED))
    assert drift(view_of(rows, named)).failing() == []


def test_a_platform_gone_everywhere_is_told_once(drift: Asked) -> None:
    names = [f"e{i}" for i in range(12)]
    rows = [r for n in names for r in without_android(n, DAY)]
    known = catalog(*(contract(n, expected_values=NAMED) for n in names))
    found = drift(view_of(rows, known))

    assert found.failing() == [("value_stopped", None)]
    result = found.of("value_stopped", None, "android")
    assert result.total
    assert "stopped in the whole exposure" in result.summary
    assert found.of("value_missing", "e3", "android").status is Status.SKIPPED


def test_a_platform_that_the_contract_does_not_name_is_unexpected(drift: Asked) -> None:
    rows = both("a") + on("a", "Android", 5 * HOUR, 0 * DAY, 2) + both("b")
    rows += on("b", "Android", 20 * DAY, 0 * DAY, 2)
    found = drift(view_of(rows, catalog(contract("a", expected_values=NAMED), "b")))
    result = found.of("value_unexpected", "a")

    assert found.failing() == [("value_unexpected", "a")]
    assert result.cut == Cut("platform", "Android")
    assert "20 rows have platform Android in the last 24 h" in result.summary
    assert "misspelling of android" in result.summary
    assert (
        drift(
            view_of(rows, catalog(contract("a", expected_values=NAMED), "b")), max_unexpected=0.2
        ).failing()
        == []
    )


def test_one_late_row_of_an_hour_long_ago_is_one_row_of_the_last_day(drift: Asked) -> None:
    early, late = NOW - 34 * HOUR, NOW - 20 * HOUR
    values = {"platform": "Android"}
    rows = [
        *both("a"),
        Row("a", early + MINUTE, early, 50, values),
        Row("a", late, early, 1, values),
    ]
    view = view_of(rows, catalog(contract("a", expected_values=NAMED)))
    mine = view.cuts.series == view.cuts.keys.index(SeriesKey("a", "platform", "Android"))
    assert view.cuts.rows[mine].tolist() == [51], "one cell holds all loads of an hour's rows"
    found = drift(view)
    said = found.of("value_unexpected", "a").summary
    assert said.startswith("1 row has platform Android in the last 24 h")


def test_a_null_where_values_are_named_is_unexpected(drift: Asked) -> None:
    rows = both("a") + on("a", None, 20 * DAY, 0 * DAY, 2)
    found = drift(view_of(rows, catalog(contract("a", expected_values=NAMED))))
    assert "platform null" in found.of("value_unexpected", "a").summary


def test_a_value_that_nobody_knew_is_news_for_a_day(drift: Asked) -> None:
    rows = both("a") + on("a", "fridge", 5 * HOUR, 0 * DAY, 1)
    result = drift(view_of(rows, catalog("a"))).of("value_unknown", None, "fridge")
    assert result.status is Status.FAIL
    assert result.since == NOW - 5 * HOUR
    assert ("event types", "a") in [(f.label, f.text) for f in result.facts]
    rows = both("a") + on("a", "fridge", 50 * HOUR, 0 * DAY, 1)
    known = drift(view_of(rows, catalog("a"))).of("value_unknown", None, "fridge")
    assert known.status is Status.PASS


def test_on_the_first_days_of_a_table_every_value_is_being_learned(drift: Asked) -> None:
    found = drift(view_of(both("a", days=2), catalog("a")))
    assert found.of("value_unknown", None, "ios").status is Status.LEARNING


@pytest.mark.parametrize("values", [("4.1.0", "4.2.0", "4.3.0"), ("red", "green", "blue")])
def test_where_values_change_all_the_time_neither_new_nor_old_ones_are_news(
    drift: Asked, values: tuple[str, ...]
) -> None:
    rows = []
    for i, value in enumerate((values[0], "first", *values[1:]) if values[0] == "red" else values):
        since = NOW - (30 - 9 * i) * DAY
        rows += steady("a", since, min(since + 10 * DAY, NOW), HOUR, 9, values={"v": value})
    rows += steady("a", NOW - 5 * HOUR, NOW, HOUR, 9, values={"v": values[0] + ".9"})
    assert drift(view_of(rows, catalog("a"))).failing() == []


def test_a_dimension_may_be_left_out(drift: Asked) -> None:
    rows = without_android("a", DAY) + on("a", "fridge", 5 * HOUR, 0 * DAY, 1) + both("b")
    view = view_of(rows, catalog("a", "b"))
    assert drift(view).failing() != []
    assert drift(view, dimensions="country").failing() == []


def test_a_dimension_that_a_contract_names_and_nobody_watches_is_said(drift: Asked) -> None:
    view = view_of(both("a"), catalog(contract("a", expected_values={"country": ("de",)})))
    found = [r for r in drift(view) if r.cut == Cut("country", "")]
    assert [r.status for r in found] == [Status.SKIPPED]
    assert "does not watch" in found[0].summary


def test_a_dimension_with_more_values_than_are_followed_gives_no_news(drift: Asked) -> None:
    rows = both("a") + on("a", "fridge", 5 * HOUR, 0 * DAY, 1)
    view = replace(view_of(rows, catalog("a")), capped=("platform",))
    assert drift(view).failing() == []


def test_without_watched_dimensions_nothing_is_said_of_values(drift: Asked) -> None:
    view = view_of(both("a"), catalog("a"), table=exposure())
    assert [r for r in drift(view) if r.aspect.startswith("value")] == []


def test_a_new_value_names_five_of_the_event_types_it_came_in(drift: Asked) -> None:
    names = [f"e{i}" for i in range(6)]
    rows = [r for n in names for r in [*both(n), *on(n, "fridge", 5 * HOUR, 0 * DAY, 1)]]
    result = drift(view_of(rows, catalog(*names))).of("value_unknown", None, "fridge")
    assert [(f.label, f.text) for f in result.facts] == [("event types", "e0, e1, e2, e3, e4 …")]


def test_a_new_value_of_rows_without_a_type_names_no_event_type(drift: Asked) -> None:
    rows = [*both("a"), Row(None, NOW - 5 * HOUR, values={"platform": "fridge"})]
    result = drift(view_of(rows, catalog("a"))).of("value_unknown", None, "fridge")
    assert (result.status, result.facts) == (Status.FAIL, ())


def test_what_was_learned_of_values_is_learned_anew_for_another_ledger() -> None:
    view = view_of(both("a"), catalog("a"))
    assert [v for v, _ in novelty_of(view, "platform").values] == ["android", "ios"]
    ledger = {**view.ledger, SeriesKey("a", "platform", "tv"): Seen(NOW - DAY, NOW)}
    grown = replace(view, ledger=ledger)
    assert [v for v, _ in novelty_of(grown, "platform").values] == ["android", "ios", "tv"]


@pytest.mark.parametrize(("days", "told"), [(6.5, False), (7.5, True)])
def test_a_value_that_was_there_for_a_week_can_be_missed(
    drift: Asked, days: float, told: bool
) -> None:
    rows = both("b") + on("a", "ios", 20 * DAY, 0 * DAY, 6)
    rows += on("a", "android", (days + 1) * DAY, DAY, 4)
    assert (("value_missing", "a") in drift(view_of(rows, catalog("a", "b"))).failing()) is told
