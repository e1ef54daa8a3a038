"""A failure with ``for`` has to last; without a state that is replayed from the rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tests.fakes.project import Project, steady

NOW = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)


def begun(project: Project, ago: timedelta) -> Project:
    """An undeclared type that began so long ago, under a definition that waits for 30 minutes."""
    project.declare("user_a")
    project.config("    look_back: 20d\n")
    (project.folder / "checks" / "drift.yaml").write_text("- kind: drift\n  for: 30m\n")
    frame = steady(["user_a", "user_x"], until=NOW, per_hour=60, days=5)
    begins = pd.Timestamp(NOW - ago)
    project.rows(frame[(frame.event_type == "user_a") | (frame.loaded_at >= begins)])
    return project


@pytest.mark.parametrize(
    ("ago", "disposition", "code"),
    [(timedelta(minutes=10), "pending", 0), (timedelta(hours=2), "firing", 1)],
)
def test_a_failure_is_told_when_it_has_lasted(
    project: Project, ago: timedelta, disposition: str, code: int
) -> None:
    done = begun(project, ago).audit("--at", NOW.isoformat())
    assert [f["disposition"] for f in done.findings(event_type="user_x")] == [disposition]
    assert done.code == code


def test_the_message_of_a_pending_failure_is_not_in_the_preview(project: Project) -> None:
    done = begun(project, timedelta(minutes=10)).audit("--at", NOW.isoformat(), "--preview")
    assert done.report["messages"] == []
