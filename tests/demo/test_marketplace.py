"""The marketplace holds what its stated list says, and nothing else is wrong in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from eventwatch import demo
from eventwatch.demo import incidents
from eventwatch.demo.rows import draw
from eventwatch.demo.streams import STREAMS
from eventwatch.model.status import KindName

NOW = datetime(2026, 3, 12, 9, 41, 7, tzinfo=UTC)
ROWS = 400_000


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> demo.DemoSummary:
    return demo.write(tmp_path_factory.mktemp("marketplace"), rows=ROWS, now=NOW)


@pytest.fixture
def table(summary: demo.DemoSummary) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(summary.database), read_only=True) as connection:
        yield connection


def count(table: duckdb.DuckDBPyConnection, where: str, *values: object) -> int:
    row = table.execute(
        f"SELECT count(*) FROM analytics_events WHERE {where}", list(values)
    ).fetchone()
    assert row is not None
    return int(row[0])


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def rate(table: duckdb.DuckDBPyConnection, event_type: str, start: datetime) -> float:
    """Rows since ``start`` against those of the same hours a week before."""
    span = "event_type = ? AND occurred_at >= ? AND occurred_at < ?"
    end = NOW - timedelta(hours=1)
    week = timedelta(days=7)
    now = count(table, span, event_type, naive(start), naive(end))
    before = count(table, span, event_type, naive(start - week), naive(end - week))
    return now / before


def test_it_holds_about_the_rows_that_were_asked_for(
    summary: demo.DemoSummary, table: duckdb.DuckDBPyConnection
) -> None:
    assert summary.row_count == count(table, "true")
    assert summary.row_count == pytest.approx(ROWS, rel=0.02)


def test_nothing_has_arrived_after_now_or_before_it_occurred(
    table: duckdb.DuckDBPyConnection,
) -> None:
    assert count(table, "loaded_at > ?", naive(NOW)) == 0
    assert count(table, "loaded_at < ?", naive(NOW - incidents.SPAN - timedelta(hours=1))) == 0
    assert count(table, "loaded_at < occurred_at AND event_type <> ?", incidents.BAD_TIMES) == 0


def test_an_event_type_stopped_one_halved_and_one_tripled(
    table: duckdb.DuckDBPyConnection,
) -> None:
    at = incidents.starts(NOW)
    assert rate(table, incidents.STOPPED, at.stopped) == 0
    assert 0.35 < rate(table, incidents.HALVED, at.halved) < 0.7
    assert 2 < rate(table, incidents.TRIPLED, at.tripled) < 5


def test_event_types_begin_to_come_at_their_hour(table: duckdb.DuckDBPyConnection) -> None:
    at = incidents.starts(NOW)
    for stream, start in (
        (incidents.UNDECLARED, at.undeclared),
        (incidents.MISSPELLED, at.misspelled),
        (incidents.DRAFT, at.draft),
        (incidents.RETIRED, at.first),
    ):
        row = table.execute(
            "SELECT min(occurred_at) FROM analytics_events WHERE event_type = ?",
            [stream.event_type],
        ).fetchone()
        assert row is not None
        assert naive(start) <= row[0] < naive(start) + timedelta(hours=6)
    assert count(table, "event_type = ?", incidents.NEVER_CAME) == 0


def test_a_platform_is_lost_and_another_one_is_new(table: duckdb.DuckDBPyConnection) -> None:
    at = incidents.starts(NOW)
    android = "event_type = ? AND platform = 'android' AND occurred_at >= ?"
    assert count(table, android, incidents.LOST_ANDROID, naive(at.lost_android)) == 0
    assert count(table, android, incidents.LOST_ANDROID, naive(at.first)) > 500
    tv = "platform = 'smart_tv' AND (event_type <> ? OR occurred_at < ?)"
    assert count(table, tv, incidents.NEW_PLATFORM, naive(at.new_platform)) == 0
    assert count(table, "platform = 'smart_tv'") > 0


def test_one_type_is_late_and_one_silent_for_longer_than_its_contract_allows(
    table: duckdb.DuckDBPyConnection,
) -> None:
    at = incidents.starts(NOW)
    row = table.execute(
        "SELECT quantile_cont(epoch(loaded_at) - epoch(occurred_at), 0.95) FROM analytics_events "
        "WHERE event_type = ? AND occurred_at BETWEEN ? AND ?",
        [incidents.LATE, naive(at.late), naive(NOW) - timedelta(hours=3)],
    ).fetchone()
    assert row is not None
    assert row[0] > 3600
    row = table.execute(
        "SELECT max(loaded_at) FROM analytics_events WHERE event_type = ?", [incidents.SILENT]
    ).fetchone()
    assert row is not None
    assert naive(NOW) - row[0] > timedelta(hours=26)
    assert abs(row[0] - naive(at.silent)) < timedelta(hours=1)


def test_one_type_repeats_one_id_in_a_hundred_and_no_other_repeats_any(
    table: duckdb.DuckDBPyConnection,
) -> None:
    at = incidents.starts(NOW)
    repeats = table.execute(
        "SELECT event_type, count(*) - count(DISTINCT event_id) AS again, min(occurred_at) "
        "FROM analytics_events GROUP BY event_type, event_id HAVING again > 0"
    ).fetchall()
    assert {row[0] for row in repeats} == {incidents.REPEATED}
    assert min(row[2] for row in repeats) >= naive(at.repeated)
    rows = count(
        table, "event_type = ? AND occurred_at >= ?", incidents.REPEATED, naive(at.repeated)
    )
    assert len(repeats) / rows == pytest.approx(0.01, rel=0.4)


def test_times_are_bad_in_one_type_only_and_some_rows_have_no_type(
    table: duckdb.DuckDBPyConnection,
) -> None:
    bad = "(occurred_at IS NULL OR occurred_at > loaded_at)"
    assert count(table, f"{bad} AND event_type = ?", incidents.BAD_TIMES) > 5
    assert count(table, f"{bad} AND event_type <> ?", incidents.BAD_TIMES) == 0
    assert count(table, "occurred_at IS NULL AND loaded_at IS NULL") == 0
    assert count(table, "event_type IS NULL") > 5


def test_every_kind_of_check_has_an_incident(summary: demo.DemoSummary) -> None:
    assert {each.kind for each in summary.planted} == set(KindName)
    assert len({(p.kind, p.event_type) for p in summary.planted}) == len(summary.planted)


def test_what_is_not_planted_keeps_its_rhythm() -> None:
    """Over the last day each untouched type is within six sigma of its own last weeks."""
    rows = draw(ROWS, 7, NOW)
    planted = {each.event_type for each in incidents.planted(NOW)}
    names = rows["event_type"].to_pylist()
    seconds = rows["occurred_at"].cast("int64").to_numpy(zero_copy_only=False) / 1e6
    age = (NOW.timestamp() - 3600 - seconds) // 86_400
    for stream in STREAMS:
        if stream.event_type in planted:
            continue
        mine = age[np.array([name == stream.event_type for name in names])]
        days = np.array([np.count_nonzero(mine == week * 7) for week in range(6)], dtype=float)
        usual = days[1:].mean() * 1.03
        assert abs(days[0] - usual) < 6 * np.sqrt(usual + (0.06 * usual) ** 2), stream


@pytest.mark.parametrize("hour", range(0, 24, 6))
def test_every_incident_is_visible_at_any_hour_of_the_day(hour: int) -> None:
    now = NOW.replace(hour=hour)
    rows = draw(1_000_000, 3, now).to_pandas()
    at = incidents.starts(now)

    def seen(event_type: str, start: datetime) -> int:
        mine = rows[rows["event_type"] == event_type]
        return int((mine["occurred_at"] >= naive(start)).sum())

    week = timedelta(days=7)
    day_before = rows[rows["occurred_at"] < naive(at.stopped - week + timedelta(hours=8))]
    usual = day_before[
        (day_before["event_type"] == incidents.STOPPED)
        & (day_before["occurred_at"] >= naive(at.stopped - week))
    ]
    assert len(usual) > 30
    assert seen(incidents.TRIPLED, at.tripled) > 60
    assert seen(incidents.UNDECLARED.event_type, at.undeclared) > 15
    assert seen(incidents.MISSPELLED.event_type, at.misspelled) > 5


def test_the_same_seed_and_instant_make_the_same_table() -> None:
    assert draw(20_000, 5, NOW).equals(draw(20_000, 5, NOW))
    assert not draw(20_000, 5, NOW).equals(draw(20_000, 6, NOW))


def test_a_second_table_has_the_same_rows_to_the_last_column(tmp_path: Path) -> None:
    first = demo.write(tmp_path / "a", rows=20_000, now=NOW)
    second = demo.write(tmp_path / "b", rows=20_000, now=NOW)
    rows = []
    for each in (first, second):
        with duckdb.connect(str(each.database), read_only=True) as connection:
            rows.append(connection.execute("SELECT * FROM analytics_events").fetchall())
    assert rows[0] == rows[1]
