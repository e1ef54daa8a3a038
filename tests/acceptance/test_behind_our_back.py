"""What an incremental read cannot see is found by the next daily recount, and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pytest

from eventwatch import app
from eventwatch.model.status import KindName
from eventwatch.pipeline.measure import history_name
from eventwatch.pipeline.report import ExposureReport
from eventwatch.ports.history import History
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project, steady

NOW = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)


class Watched:
    """A steady table under watch, with a clock of its own."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.declare("user_a", "user_b")
        project.config("    look_back: 20d\n")
        self.until(NOW)
        self.clock = FakeClock(NOW)
        self.house = replace(app.load(project.folder / "config.yaml"), clock=self.clock)
        self.exposure = self.house.settings.exposures[0]
        self.look()
        self.go_on(timedelta(minutes=5))
        self.look()  # the first recount of the day

    def until(self, at: datetime) -> None:
        """The table as it is when nothing happens but time."""
        self.project.rows(steady(["user_a", "user_b"], until=at, days=30))

    def go_on(self, span: timedelta) -> None:
        """Time passes and its rows arrive."""
        before = self.clock.now()
        more = steady(["user_a", "user_b"], until=before + span, days=30)
        self.clock.step(span)
        fresh = more[more.loaded_at > pd.Timestamp(before)].copy()
        fresh["event_id"] = fresh.event_id + f"-{before.isoformat()}"
        with duckdb.connect(str(self.project.database)) as connection:
            connection.execute("SET TimeZone='UTC'")
            connection.register("fresh", fresh)
            connection.execute("INSERT INTO events SELECT * FROM fresh")

    def look(self) -> ExposureReport:
        """One recorded cycle."""
        report = app.cycle(self.house, app.RunOptions()).exposures[0]
        assert report.error == ""
        assert report.statements <= 3
        return report

    def next_day(self) -> ExposureReport:
        """The first cycle of the next day: the one that recounts."""
        self.go_on(timedelta(days=1))
        return self.look()

    def remembered(self) -> dict[tuple[int, str | None], int]:
        """Rows per loaded day and event type, by the measurements."""
        history: History = app.adapter("history")(self.house.settings.history)
        return dict(history.day_counts(history_name(self.exposure), NOW - timedelta(days=15)))

    def counted(self) -> dict[tuple[int, str | None], int]:
        """The same by the table itself."""
        first = (NOW - timedelta(days=15)).replace(hour=0, minute=0)
        with duckdb.connect(str(self.project.database), read_only=True) as connection:
            connection.execute("SET TimeZone='UTC'")
            rows = connection.execute(
                "SELECT epoch(date_trunc('day', loaded_at))::BIGINT, event_type, count(*)"
                " FROM events WHERE loaded_at >= ? AND loaded_at <= ? GROUP BY ALL",
                [first, self.clock.now()],
            ).fetchall()
        return {(day, event_type): n for day, event_type, n in rows}


@pytest.fixture
def watched(project: Project) -> Watched:
    return Watched(project)


def changed(report: ExposureReport) -> list[str]:
    return [
        f.result.summary
        for f in report.findings
        if f.result.kind is KindName.FRESHNESS and f.result.aspect == "changed"
    ]


def test_nothing_changed_is_nothing_told(watched: Watched) -> None:
    report = watched.next_day()
    assert changed(report) == []
    assert watched.remembered() == watched.counted()


def test_deleted_rows_are_found_and_told_with_their_number(watched: Watched) -> None:
    watched.project.sql(
        "DELETE FROM events WHERE event_type = 'user_a' AND loaded_at >= '2026-11-17'"
        " AND loaded_at < '2026-11-18'"
    )
    report = watched.next_day()
    assert len(changed(report)) == 1
    assert "288" in changed(report)[0]
    assert "deleted" in changed(report)[0]
    assert watched.remembered() == watched.counted()


def test_an_upsert_that_moves_the_load_time_counts_each_row_once(watched: Watched) -> None:
    watched.project.sql(
        "UPDATE events SET loaded_at = TIMESTAMPTZ '2026-11-20 15:00:00+00'"
        " WHERE event_type = 'user_b' AND loaded_at >= '2026-11-18' AND loaded_at < '2026-11-19'"
    )
    watched.next_day()
    watched.go_on(timedelta(hours=1))
    watched.look()
    assert watched.remembered() == watched.counted()


def test_rows_committed_late_with_an_old_load_time_are_counted_after_the_recount(
    watched: Watched,
) -> None:
    watched.project.sql(
        "INSERT INTO events SELECT 'late-' || event_id, event_type, occurred_at, loaded_at, platform"
        " FROM events WHERE loaded_at >= '2026-11-16' AND loaded_at < '2026-11-17'"
    )
    watched.go_on(timedelta(minutes=5))
    report = watched.look()
    assert watched.remembered() != watched.counted()
    assert changed(report) == []
    report = watched.next_day()
    assert watched.remembered() == watched.counted()
    assert any("came" in text or "added" in text for text in changed(report))


def test_two_writers_that_commit_out_of_order_lose_nothing(watched: Watched) -> None:
    """The second writer's rows carry a load time from before the last cycle, within the overlap."""
    watched.go_on(timedelta(minutes=5))
    watched.look()
    watched.project.sql(
        "INSERT INTO events SELECT 'two-' || event_id, event_type, occurred_at,"
        " TIMESTAMPTZ '2026-11-20 10:04:00+00', platform FROM events LIMIT 50"
    )
    watched.go_on(timedelta(minutes=5))
    watched.look()
    assert watched.remembered() == watched.counted()


def test_rows_from_the_future_and_without_a_load_time_are_told_and_blind_nobody(
    watched: Watched,
) -> None:
    watched.project.sql(
        "INSERT INTO events SELECT 'f' || i, 'user_a', now(),"
        " CASE WHEN i < 40 THEN TIMESTAMPTZ '2031-01-01 00:00:00+00' END, 'ios'"
        " FROM range(70) t(i)"
    )
    watched.go_on(timedelta(minutes=10))
    report = watched.look()
    assert any(note.endswith(": 40") and "future" in note for note in report.notes)
    assert any(note.endswith(": 30") and "without a load time" in note for note in report.notes)
    assert watched.remembered() == watched.counted()
    before = report.last_arrival_at
    watched.go_on(timedelta(minutes=10))
    after = watched.look().last_arrival_at
    assert before is not None
    assert after is not None
    assert before < after <= watched.clock.now()
