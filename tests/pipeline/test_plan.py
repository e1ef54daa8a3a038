"""What a cycle reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from eventwatch.model.measurement import Changed, Recount, ScanRequest
from eventwatch.model.settings import Columns, Exposure, Secret
from eventwatch.pipeline import plan

NOW = datetime(2026, 11, 22, 0, 37, 12, tzinfo=UTC)
EXPOSURE = Exposure(
    "events", Secret("duckdb://x.duckdb"), table="events", look_back=timedelta(days=60)
)


def request(
    coverage: plan.Coverage | None, exposure: Exposure = EXPOSURE, now: datetime = NOW
) -> ScanRequest:
    return plan.plan_scan(
        exposure, now, coverage, known_values={}, duplicates_over=timedelta(hours=24)
    )


def test_the_first_look_reads_the_look_back_from_the_start_of_a_week() -> None:
    first = request(None)
    assert first.rows_from == datetime(2026, 9, 17, tzinfo=UTC)
    assert first.cuts_from == datetime(2026, 10, 18, 0, tzinfo=UTC)
    assert first.duplicates_from == datetime(2026, 11, 18, 0, tzinfo=UTC)


def test_the_next_look_reads_from_the_last_one_less_the_overlap() -> None:
    coverage = plan.Coverage(datetime(2026, 9, 17, tzinfo=UTC), NOW - timedelta(minutes=5))
    second = request(coverage)
    assert second.rows_from == datetime(2026, 11, 22, 0, 20, tzinfo=UTC)
    assert second.cuts_from == datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
    assert second.duplicates_from == datetime(2026, 11, 22, 0, 0, tzinfo=UTC)


def test_a_longer_look_back_reads_everything_again() -> None:
    coverage = plan.Coverage(datetime(2026, 10, 23, tzinfo=UTC), NOW - timedelta(minutes=5))
    assert request(coverage).rows_from == datetime(2026, 9, 17, tzinfo=UTC)


def test_an_outage_of_the_monitor_is_read_up() -> None:
    coverage = plan.Coverage(datetime(2026, 9, 1, tzinfo=UTC), NOW - timedelta(days=3))
    assert request(coverage).rows_from == datetime(2026, 11, 19, 0, 0, tzinfo=UTC)


def test_a_clock_that_stepped_back_leaves_no_hole() -> None:
    coverage = plan.Coverage(datetime(2026, 9, 1, tzinfo=UTC), NOW + timedelta(hours=2))
    assert request(coverage).rows_from <= NOW - EXPOSURE.overlap


def test_without_a_load_time_the_late_window_is_counted_again() -> None:
    exposure = Exposure("events", Secret("x"), columns=Columns(loaded_at=None))
    coverage = plan.Coverage(datetime(2026, 9, 1, tzinfo=UTC), NOW - timedelta(minutes=5))
    assert request(coverage, exposure).rows_from == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)


def test_a_short_look_back_begins_with_a_day() -> None:
    short = replace(EXPOSURE, look_back=timedelta(days=27))
    assert plan.look_back_start(short, NOW) == datetime(2026, 10, 26, tzinfo=UTC)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.timedeltas(timedelta(minutes=10), timedelta(days=400)),
)
def test_the_past_begins_where_it_did_but_for_once_a_week(
    now: datetime, look_back: timedelta
) -> None:
    now, exposure = now.replace(tzinfo=UTC), replace(EXPOSURE, look_back=look_back)
    start = plan.look_back_start(exposure, now)
    most = timedelta(days=7 if look_back >= plan.BY_THE_WEEK else 1)
    assert timedelta(0) <= now - look_back - start < most
    starts = {plan.look_back_start(exposure, now + timedelta(days=n)) for n in range(28)}
    assert len(starts) <= (5 if most.days == 7 else 28)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=80)),
)
def test_a_window_always_reaches_back_to_what_was_covered(now: datetime, behind: timedelta) -> None:
    now = now.replace(tzinfo=UTC)
    start = plan.look_back_start(EXPOSURE, now)
    made = request(plan.Coverage(start - timedelta(days=90), now - behind), now=now)
    wanted = max(start, now - behind - EXPOSURE.overlap)
    full = now - behind <= start
    for begin in (made.rows_from,) if full else (made.rows_from, made.cuts_from):
        assert begin <= wanted
        assert begin >= start
    step = 300 if made.rows_from >= made.fine_from else 3600
    assert int(made.rows_from.timestamp()) % step == 0
    assert int(made.cuts_from.timestamp()) % 3600 == 0


def test_a_recount_covers_whole_days_that_are_held_whole() -> None:
    coverage = plan.Coverage(datetime(2026, 11, 1, 5, tzinfo=UTC), NOW)
    assert plan.recount_span(EXPOSURE, NOW, coverage) == (
        datetime(2026, 11, 2, tzinfo=UTC),
        datetime(2026, 11, 22, tzinfo=UTC),
    )
    fresh = plan.Coverage(datetime(2026, 11, 22, tzinfo=UTC), NOW)
    assert plan.recount_span(EXPOSURE, NOW, fresh) is None


def test_changed_days_name_what_was_deleted_and_what_came_late() -> None:
    day = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    before = {(day, "a"): 10, (day, "b"): 5, (day, None): 2, (day + 86400, "a"): 3}
    recount = Recount((day,), {(day, "a"): 10, (day, "c"): 1, (day, None): 2})
    assert plan.changed_days(before, recount) == (
        Changed(day, "b", 5, 0),
        Changed(day, "c", 0, 1),
    )
