"""What must neither be told as an anomaly of counts nor spoil what is usual: gaps, backfills, repeated
loads, endings and returns, growth, clock changes, new levels and the way back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from eventwatch.kinds import volume
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.duplicates import DuplicatesCheck
from eventwatch.kinds.duplicates import judge as judge_duplicates
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.kinds.volume_lived import lived
from eventwatch.kinds.volume_panel import panel_of
from eventwatch.model.contract import Contract, Location
from eventwatch.model.measurement import FINE
from eventwatch.model.result import NEW_LEVEL, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView
from tests.fakes.streams import NOW, RATES, Table, catalog_of, during, office, product

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Key = tuple[str | None, str]


def results(view: ExposureView) -> dict[Key, Result]:
    """By event type and aspect."""
    found = judge(view, rules_for(VolumeCheck(), (), "events", view.catalog))
    return {(r.event_type, r.aspect): r for r in found}


def failing(view: ExposureView) -> dict[Key, str]:
    """Sentences of what fails."""
    return {k: r.summary for k, r in results(view).items() if r.status is Status.FAIL}


def expected(view: ExposureView, column: int) -> NDArray[np.float64]:
    """Expected rows of one event type in the last whole day of hours."""
    view = replace(view, rows=lived(view))
    at = int(view.now.timestamp())
    found = volume._score(view, panel_of(view, 3600, at))
    scored = found.scored
    return np.asarray((scored.level * scored.season)[-25:-1, column], dtype=np.float64)


def test_the_table_as_it_is_has_nothing_to_tell() -> None:
    assert failing(Table().view()) == {}


class TestGaps:
    SPANS = (
        (NOW - 5 * DAY, NOW - 4 * DAY),
        (NOW - 30 * HOUR, NOW - 20 * HOUR),
        (NOW - 6 * HOUR, NOW - 2 * HOUR),
    )

    @pytest.mark.parametrize("gap", SPANS)
    def test_loads_that_nobody_could_measure_are_no_drop(
        self, gap: tuple[datetime, datetime]
    ) -> None:
        rows = Table().rows()
        kept = rows.where(~rows.loaded_in(*gap))
        assert failing(Table().view(kept, not_measured=(gap,))) == {}

    @pytest.mark.parametrize("gap", SPANS)
    def test_rows_a_pipeline_lost_for_good_are_no_drop_of_each_type_and_teach_nothing(
        self, gap: tuple[datetime, datetime]
    ) -> None:
        rows = Table().rows()
        view = Table().view(rows.where(~rows.loaded_in(*gap)))
        assert failing(view) == {}
        before = expected(Table().view(rows), 1)
        np.testing.assert_allclose(expected(view, 1), before, rtol=0.12)

    @pytest.mark.parametrize("gap", SPANS)
    def test_rows_that_waited_for_a_pipeline_come_in_without_an_alert(
        self, gap: tuple[datetime, datetime]
    ) -> None:
        """And the delays of that repair do not make the young buckets of the next day look full."""
        rows = Table().rows()
        waiting = rows.loaded_in(*gap)
        assert (
            failing(Table().view(rows.where(~waiting).and_(rows.where(waiting).loaded_at(gap[1]))))
            == {}
        )

    def test_while_the_pipeline_is_down_the_table_is_late_and_no_type_fails(self) -> None:
        rows = Table().rows()
        view = Table().view(rows.where(~rows.loaded_in(NOW - 3 * HOUR, NOW + HOUR)))
        assert failing(view) == {}
        assert results(view)[None, "late"].status is Status.SKIPPED


class TestBackfills:
    @pytest.mark.parametrize("ago", [50 * HOUR, 26 * HOUR, 10 * DAY])
    @pytest.mark.parametrize("times", [1, 5])
    @pytest.mark.parametrize("series", [None, 2])
    def test_old_rows_loaded_now_are_no_spike_of_their_day_and_are_not_learned(
        self, ago: timedelta, times: int, series: int | None
    ) -> None:
        rows = Table().rows()
        begin = NOW - ago
        old = rows.occurred_in(begin, min(begin + DAY, NOW - 12 * HOUR))
        if series is not None:
            old &= rows.of_series(series)
        more = rows.where(old).loaded_at(NOW - timedelta(minutes=30))
        view = Table().view(rows.and_(replace(more, rows=more.rows * times)))
        assert failing(view) == {}
        np.testing.assert_allclose(expected(view, 2), expected(Table().view(rows), 2), rtol=0.08)

    def test_a_repaired_outage_is_filled_up_to_what_is_usual(self) -> None:
        rows = Table().rows()
        lost = rows.of_series(2) & rows.occurred_in(NOW - 10 * DAY, NOW - 9 * DAY)
        back = rows.where(lost).loaded_at(NOW - HOUR)
        view = Table().view(rows.where(~lost).and_(back))
        whole, repaired = Table().view(rows), replace(view, rows=lived(view))
        at = int(NOW.timestamp())
        truth = panel_of(whole, 3600, at).counts[:, 2].sum()
        assert panel_of(repaired, 3600, at).counts[:, 2].sum() == pytest.approx(truth, rel=0.02)

    def test_a_history_that_was_imported_as_a_whole_is_history(self) -> None:
        rows = Table().rows()
        old = rows.occurred < (NOW - 5 * DAY).timestamp()
        imported = rows.where(old).loaded_at(NOW - 5 * DAY)
        view = Table().view(imported.and_(rows.where(~old)))
        assert lived(view).rows.sum() == pytest.approx(view.rows.rows.sum(), rel=0.001)
        assert failing(view) == {}

    @pytest.mark.parametrize("every", [1, 7])
    def test_a_table_that_is_loaded_in_batches_keeps_its_rows(self, every: int) -> None:
        rows = Table(days=60).rows()
        batch = every * 86400
        view = Table(days=60).view(
            replace(rows, loaded=rows.occurred // batch * batch + batch + 7200)
        )
        assert view.rows.rows.sum() > 0
        assert lived(view) is view.rows

    def test_a_type_that_always_comes_late_keeps_its_rows(self) -> None:
        rows = Table().rows()
        slow = rows.of_series(6)
        view = Table().view(replace(rows, loaded=rows.loaded + np.where(slow, 14 * 3600, 0)))
        assert lived(view).rows.sum() == view.rows.rows.sum()


class TestRepeatedLoads:
    @pytest.mark.parametrize("ago", [1, 2, 26])
    @pytest.mark.parametrize("series", [None, 0])
    def test_they_are_told_as_duplicates_and_not_as_a_spike(
        self, ago: int, series: int | None
    ) -> None:
        table = Table()
        rows = table.rows()
        begin = NOW - ago * HOUR
        twice = rows.loaded_in(begin, begin + HOUR)
        if series is not None:
            twice &= rows.of_series(series)
        view = table.view(rows.and_(rows.where(twice).again()))
        assert failing(view) == {}
        np.testing.assert_allclose(expected(view, 0), expected(table.view(rows), 0), rtol=0.05)
        if ago == 1:
            rules = rules_for(DuplicatesCheck(), (), "events", view.catalog)
            told = [r for r in judge_duplicates(view, rules) if r.status is Status.FAIL]
            assert told

    def test_without_ids_nobody_can_tell_and_a_doubled_hour_is_a_spike(self) -> None:
        """So the test above can fail."""
        rows = Table().rows()
        twice = rows.loaded_in(NOW - 2 * HOUR, NOW) & rows.of_series(0)
        assert ("type_0", "bucket") in failing(Table().view(rows.and_(rows.where(twice))))

    def test_a_type_that_always_repeats_a_third_of_its_rows_is_counted_as_it_comes(self) -> None:
        rows = Table().rows()
        third = replace(rows, repeated=np.where(rows.of_series(1), rows.rows // 3, 0))
        view = Table().view(third)
        assert lived(view).rows.sum() == view.rows.rows.sum()


class TestEndingsAndReturns:
    @pytest.mark.parametrize("hours", [1, 5, 20, 60])
    @pytest.mark.parametrize("factor", [1.0, 3.0])
    def test_a_type_that_comes_back_after_weeks_learns_anew(
        self, hours: int, factor: float
    ) -> None:
        back = NOW - hours * HOUR
        away = product(during(NOW - 30 * DAY, back, 0.0), during(back, NOW, factor))
        found = results(Table(days=50, changes={"type_2": away}).view())
        result = found["type_2", "bucket"]
        assert result.status is Status.LEARNING
        assert result.learning_until is not None
        assert abs(result.learning_until - (back + 3 * DAY)) <= 2 * HOUR
        assert all(r.status is not Status.FAIL for r in found.values())
        assert not any(f.label == NEW_LEVEL for r in found.values() for f in r.facts)

    def test_when_it_has_learned_it_is_judged_by_what_it_is_now(self) -> None:
        back = NOW - 6 * DAY
        away = product(during(NOW - 30 * DAY, back, 0.0), during(back, NOW, 3.0))
        assert failing(Table(days=50, changes={"type_2": away}).view()) == {}
        stops = product(away, during(NOW - 4 * HOUR, NOW, 0.0))
        found = failing(Table(days=50, changes={"type_2": stops}).view())
        assert ("type_2", "bucket") in found

    def test_a_type_that_rests_for_a_few_days_is_no_new_one(self) -> None:
        away = during(NOW - 10 * DAY, NOW - 3 * DAY, 0.0)
        found = results(Table(changes={"type_2": away}).view())
        assert found["type_2", "bucket"].status is not Status.LEARNING

    def test_a_rare_type_may_be_away_for_weeks(self) -> None:
        rates = {**RATES, "rare": 0.05}
        away = during(NOW - 24 * DAY, NOW - 2 * DAY, 0.0)
        found = results(Table(rates=rates, days=60, changes={"rare": away}).view())
        assert found["rare", "bucket"].status is not Status.LEARNING


class TestColdStart:
    def test_what_the_contract_bounds_is_judged_in_the_first_minutes(self) -> None:
        terms = Contract("type_0", "m", Location("a.proto", 1), max_per_day=100)
        start = NOW.replace(hour=14, minute=0)
        rows = Table(days=1).rows()
        view = Table(days=1).view(
            rows.where(rows.occurred >= start.timestamp()),
            measured_from=start,
            watching_since=start,
            ledger={},
            catalog=catalog_of(terms),
        )
        found = results(view)
        assert found["type_0", "ceiling"].status is Status.FAIL
        assert all(r.status is not Status.FAIL for k, r in found.items() if k[1] != "ceiling")
        assert found[None, "common"].status is Status.LEARNING

    def test_a_type_born_yesterday_learns_and_says_until_when(self) -> None:
        born = NOW - 26 * HOUR
        found = results(Table(born={"type_1": born}).view())
        result = found["type_1", "bucket"]
        assert result.status is Status.LEARNING
        assert result.learning_until is not None
        assert abs(result.learning_until - (born + 3 * DAY)) <= 2 * HOUR
        assert "needed" in result.summary
        assert failing(Table(born={"type_1": born}).view()) == {}


def growing(at: NDArray[np.int64]) -> NDArray[np.float64]:
    """30 % a month."""
    return np.asarray(1.3 ** ((at - NOW.timestamp()) / 86400 / 30), dtype=np.float64)


class TestGrowth:
    @pytest.mark.parametrize("back", range(0, 10, 2))
    @pytest.mark.parametrize("who", ["*", "type_3"])
    def test_thirty_percent_a_month_is_no_alert(self, back: int, who: str) -> None:
        now = NOW - back * 19 * HOUR
        assert failing(Table(now=now, days=60, changes={who: growing}).view()) == {}

    def test_it_is_no_blind_spot_either(self) -> None:
        falls = product(growing, during(NOW - DAY, NOW, 0.6))
        found = failing(Table(days=60, changes={"type_3": falls}).view())
        assert set(found) == {("type_3", "bucket")}


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ],
)
class TestClockChanges:
    @pytest.mark.parametrize("after", [1, 8, 14, 33])
    def test_hours_follow_the_clock_on_the_wall(
        self, zone: str, change: datetime, after: int
    ) -> None:
        now = change + timedelta(hours=after, minutes=50)
        table = Table(now=now, zone=ZoneInfo(zone), seed=2)
        view = table.view()
        assert failing(view) == {}
        fine = np.arange(int(now.timestamp()) // 3600 * 3600 - 86400, int(now.timestamp()), FINE)
        truth = RATES["type_0"] * office(fine, table.zone)[: 24 * 12].reshape(24, 12).mean(axis=1)
        np.testing.assert_allclose(expected(view, 0), truth, rtol=0.35)

    @pytest.mark.parametrize("after", [8, 30])
    def test_days_of_23_and_25_hours_are_days(
        self, zone: str, change: datetime, after: int
    ) -> None:
        table = Table(now=change + after * HOUR, zone=ZoneInfo(zone), days=60)
        view = table.view()
        view = replace(view, exposure=replace(view.exposure, bucket=DAY))
        assert failing(view) == {}


class TestNewLevels:
    @pytest.mark.parametrize("factor", [0.4, 2.5])
    def test_it_is_told_until_it_is_accepted_and_then_called_new(self, factor: float) -> None:
        def at(days: float) -> Result:
            table = Table(changes={"type_3": during(NOW - days * DAY, NOW, factor)})
            return results(table.view())["type_3", "bucket"]

        assert at(1).status is Status.FAIL
        accepted = at(5)
        assert accepted.status is Status.PASS
        (fact,) = [f for f in accepted.facts if f.label == NEW_LEVEL]
        assert fact.text == accepted.summary
        assert fact.text.startswith("new level since 2026-09-11 1")
        share = re.search(r"([0-9.]+)( % of| times) the one before", fact.text)
        assert share is not None
        said = float(share[1]) * (0.01 if share[2] == " % of" else 1.0)
        assert said == pytest.approx(factor, rel=0.3)
        assert not [f for f in at(15).facts if f.label == NEW_LEVEL]

    @pytest.mark.parametrize("factor", [0.4, 2.5])
    @pytest.mark.parametrize("stayed", [4, 9, 15])
    @pytest.mark.parametrize("hours", [2, 6, 30])
    def test_the_way_back_is_quiet(self, factor: float, stayed: int, hours: int) -> None:
        back = NOW - hours * HOUR
        table = Table(changes={"type_3": during(back - stayed * DAY, back, factor)})
        assert failing(table.view()) == {}

    def test_what_goes_beyond_the_old_level_on_the_way_back_is_told(self) -> None:
        back = NOW - 6 * HOUR
        changes = product(during(back - 9 * DAY, back, 0.4), during(back, NOW, 3.0))
        assert set(failing(Table(changes={"type_3": changes}).view())) == {("type_3", "bucket")}

    def test_after_the_way_back_a_stop_is_told_as_ever(self) -> None:
        back = NOW - 3 * DAY
        changes = product(during(back - 9 * DAY, back, 2.5), during(NOW - 3 * HOUR, NOW, 0.0))
        assert set(failing(Table(changes={"type_3": changes}).view())) == {("type_3", "bucket")}


def test_rows_that_only_move_a_little_leave_the_cells_alone() -> None:
    view = Table().view()
    assert lived(view) is view.rows
