"""Rows hold things about people: of a row only counts, its event type and the watched dimensions are
ever read, kept or told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.fakes.project import Done, Project, steady


def planted(project: Project) -> None:
    now = datetime.now(UTC)
    rows = steady(["user_a", "user_undeclared"], until=now)
    rows["event_id"] = "canary-id-" + rows["event_id"]
    rows["payload"] = '{"email": "canary@example.com"}'
    rows["ip"] = "canary-203.0.113.7"
    project.declare("user_a", "user_never_came")
    project.config("    look_back: 20d\n")
    config = project.folder / "config.yaml"
    config.write_text(
        config.read_text().replace("event_id: event_id}", "event_id: event_id, payload: payload}")
    )
    project.rows(rows)


def told(done: Done) -> str:
    return done.out + done.err


def test_nothing_of_a_row_is_shown_kept_or_logged(project: Project) -> None:
    planted(project)
    first = project.run("--log-level", "debug", "run-once", "--send", "--format", "json")
    assert first.code == 1, first.err
    assert first.findings(event_type="user_undeclared")
    for words in (
        ("run-once", "--format", "json"),
        ("run-once", "--preview"),
        ("explain", "user_a"),
        ("doctor",),
        ("incidents", "list"),
    ):
        assert "canary" not in told(project.run("--log-level", "debug", *words)), words
    assert "canary" not in told(first)
    kept = [p for p in (project.folder / "var").rglob("*") if p.is_file()]
    assert {"state.db"} < {p.name for p in kept}
    for path in kept:
        assert b"canary" not in path.read_bytes(), path


def test_an_error_of_the_warehouse_quotes_no_row(project: Project, tmp_path: Path) -> None:
    """Engines like to name the value that they could not cast."""
    planted(project)
    project.sql("ALTER TABLE events ALTER occurred_at TYPE VARCHAR")
    project.sql("UPDATE events SET occurred_at = 'canary@example.com'")
    done = project.run("--log-level", "debug", "run-once", "--format", "json")
    assert done.code != 0
    assert "canary" not in told(done)
