"""Holidays widen and shift what is usual, teach the other days nothing, and never hide silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from eventwatch.kinds import volume
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.kinds.volume_calendar import BESIDE, holiday_marks
from eventwatch.kinds.volume_panel import grid_of, panel_of
from eventwatch.model.holiday import Holiday
from eventwatch.model.result import Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView
from tests.fakes.streams import NOW, RATES, Rows, Table, during, product

DAY = timedelta(days=1)
TODAY = datetime(2026, 9, 16, tzinfo=UTC)
HOLIDAY = Holiday(date(2026, 9, 16), "Some Day", "DE")


def results(view: ExposureView) -> dict[str | None, Result]:
    """Of buckets and of all together, by event type."""
    found = judge(view, rules_for(VolumeCheck(), (), "events", view.catalog))
    return {r.event_type: r for r in found if r.aspect in ("bucket", "common")}


def failing(view: ExposureView) -> set[str | None]:
    """Event types."""
    return {name for name, r in results(view).items() if r.status is Status.FAIL}


@pytest.mark.parametrize("factor", [0.3, 0.5, 1.6])
def test_a_holiday_on_which_all_is_different_is_no_alert(factor: float) -> None:
    table = Table(changes={"*": during(TODAY, NOW, factor)})
    assert None in failing(table.view())
    assert failing(table.view(holidays=(HOLIDAY,))) == set()


@pytest.mark.parametrize("factor", [0.5, 1.6])
def test_one_type_may_be_different_too(factor: float) -> None:
    table = Table(changes={"type_1": during(TODAY, NOW, factor)})
    assert failing(table.view()) == {"type_1"}
    assert failing(table.view(holidays=(HOLIDAY,))) == set()


@pytest.mark.parametrize("name", ["type_0", "type_1", "type_3", "type_5"])
@pytest.mark.parametrize("hours", [2, 5, 14])
def test_silence_is_never_hidden(name: str, hours: int) -> None:
    table = Table(changes={name: during(NOW - timedelta(hours=hours), NOW, 0.0)})
    found = results(table.view(holidays=(HOLIDAY,)))
    assert found[name].status is Status.FAIL
    assert found[name].total
    assert "no events" in found[name].summary


def test_silence_is_told_also_where_earlier_holidays_were_silent() -> None:
    """What a broken holiday teaches is bounded."""
    holidays = tuple(Holiday(date(2026, 9, 16) - k * 7 * DAY, "Day", "DE") for k in range(4))
    quiet = product(
        *(during(TODAY - 7 * k * DAY, TODAY - 7 * k * DAY + DAY, 0.0) for k in range(4))
    )
    found = failing(Table(changes={"type_1": quiet}).view(holidays=holidays))
    assert found == {"type_1"}


def expected(rows: Rows, holidays: tuple[Holiday, ...], hours: slice) -> NDArray[np.float64]:
    """Of ``type_1``."""
    view = Table().view(rows, holidays=holidays)
    scored = volume._score(view, panel_of(view, 3600, int(NOW.timestamp()))).scored
    return np.asarray((scored.level * scored.season)[hours, 1], dtype=np.float64)


def test_a_holiday_teaches_the_other_days_nothing() -> None:
    """The same weekday a week later is expected as if that holiday had been like any other day."""
    rows = Table().rows()
    begin = TODAY - 7 * DAY
    spoilt = rows.scaled(rows.occurred_in(begin, begin + DAY), 0.4)
    then = (Holiday(begin.date(), "Some Day", "DE"),)
    last = slice(-13, -1)
    np.testing.assert_allclose(expected(spoilt, then, last), expected(rows, then, last), rtol=0.02)


def test_what_earlier_holidays_did_moves_the_expectation() -> None:
    rows = Table().rows()
    begin = TODAY - 14 * DAY
    spoilt = rows.scaled(rows.occurred_in(begin, begin + DAY), 0.4)
    both = (Holiday(begin.date(), "Some Day", "DE"), HOLIDAY)
    today = slice(-13, -1)
    ratio = expected(spoilt, both, today) / expected(rows, both, today)
    assert (ratio < 0.75).all()
    assert (ratio > 0.35).all()


def test_results_of_the_day_name_it_and_others_do_not() -> None:
    also = Holiday(HOLIDAY.day, "Some Day", "US-CA")
    other = Holiday(HOLIDAY.day, "Another", "FR")
    found = results(Table().view(holidays=(other, HOLIDAY, also)))
    (fact,) = found["type_1"].facts
    assert (fact.label, fact.text) == ("holiday", "Another (FR); Some Day (DE, US-CA)")
    yesterday = replace(HOLIDAY, day=HOLIDAY.day - DAY)
    assert results(Table().view(holidays=(yesterday,)))["type_1"].facts == ()


def test_days_are_those_of_the_exposures_time_zone() -> None:
    table = Table(zone=ZoneInfo("America/New_York"))
    view = table.view(holidays=(HOLIDAY,))
    grid = grid_of(
        int((TODAY - 3 * DAY).timestamp()), int((TODAY + 3 * DAY).timestamp()), 3600, table.zone
    )
    marks = holiday_marks(view, grid)
    assert marks is not None
    whole = grid.edges[:-1][marks == 1.0]
    assert datetime.fromtimestamp(int(whole[0]), UTC) == TODAY + timedelta(hours=4)
    assert len(whole) == 24
    beside = grid.edges[:-1][marks == BESIDE]
    assert len(beside) == 48
    assert beside.min() == whole[0] - 86400
    days = grid_of(int((TODAY - 3 * DAY).timestamp()), int(NOW.timestamp()), 86400, table.zone)
    daily = holiday_marks(view, days)
    assert daily is not None
    assert daily.tolist() == [0.0, 0.0, BESIDE, 1.0]


def test_an_exposure_without_holidays_is_judged_as_ever() -> None:
    view = Table().view()
    assert holiday_marks(view, grid_of(0, 86400, 3600, view.exposure.time_zone)) is None
    set_but_none = replace(view, exposure=replace(view.exposure, holidays=("DE",)))
    assert results(set_but_none) == results(view)
    assert set(RATES) <= set(results(view))
