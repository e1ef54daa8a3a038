"""0 nothing wrong, 1 wrong data (wins over 3), 2 wrong config or contracts, 3 not measured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd

from tests.fakes.project import Project, steady

NOW = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)
AT = ("--at", NOW.isoformat())


def healthy(project: Project) -> Project:
    project.declare("user_a", "user_b")
    project.config("    look_back: 20d\n")
    project.rows(steady(["user_a", "user_b"], until=NOW))
    return project


def test_0_when_nothing_is_wrong(project: Project) -> None:
    done = healthy(project).audit(*AT)
    assert done.code == 0, done.out
    assert done.findings() == []


def test_1_when_an_event_type_is_undeclared(project: Project) -> None:
    healthy(project)
    project.rows(steady(["user_a", "user_b", "user_c"], until=NOW))
    done = project.audit(*AT)
    assert done.code == 1
    assert {f["event_type"] for f in done.findings()} == {"user_c"}


def test_fail_on_never_and_critical_let_a_warning_pass(project: Project) -> None:
    healthy(project)
    project.rows(steady(["user_a", "user_b", "user_c"], until=NOW))
    assert project.audit(*AT, "--fail-on", "never").code == 0
    assert project.audit(*AT, "--fail-on", "critical").code == 0


def test_2_with_every_fault_when_config_and_contracts_are_wrong(project: Project) -> None:
    healthy(project)
    config = project.folder / "config.yaml"
    config.write_text(config.read_text().replace("occurred_at: occurred_at", "ocurred_at: x"))
    done = project.audit(*AT)
    assert done.code == 2
    assert "config.yaml:" in done.err
    assert "occurred_at" in done.err


def test_2_when_a_contract_does_not_compile(project: Project) -> None:
    healthy(project)
    project.contracts("message Broken { nonsense }\n", "broken.proto")
    done = project.audit(*AT)
    assert done.code == 2
    assert "broken.proto:4" in done.err


def test_3_when_the_exposure_cannot_be_read(project: Project) -> None:
    healthy(project)
    project.config("    look_back: 20d\n", table="no_such_table")
    done = project.audit(*AT)
    assert done.code == 3
    assert done.findings() == []


def test_3_and_no_data_failure_while_a_writer_holds_the_file(project: Project) -> None:
    healthy(project)
    project.config("    look_back: 20d\n    lock_wait: 1s\n")
    with duckdb.connect(str(project.database)):
        done = project.audit(*AT)
    assert done.code == 3
    assert done.findings() == []
    assert "one writer or many readers" in done.report["exposures"][0]["error"]


def test_1_wins_over_3(project: Project) -> None:
    healthy(project)
    project.rows(steady(["user_a", "user_b", "user_c"], until=NOW))
    config = project.folder / "config.yaml"
    text = config.read_text()
    block = text[text.index("  events:") : text.index("teams:")]
    second = block.replace("  events:", "  other:", 1).replace("table: events", "table: nothing")
    config.write_text(text.replace("teams:", second + "teams:", 1))
    done = project.audit(*AT)
    assert done.code == 1
    assert [bool(e["error"]) for e in done.report["exposures"]] == [False, True]


def test_an_audit_changes_no_state_and_sends_nothing(project: Project) -> None:
    healthy(project)
    now = datetime.now(UTC)
    project.rows(steady(["user_a", "user_b", "user_c"], until=now))
    done = project.audit()
    assert done.code == 1
    assert done.report["recorded"] is False
    assert not (project.folder / "var" / "state.db").exists()
    assert (project.folder / "var" / "history").exists()


def test_send_records_once_and_tells_once(project: Project) -> None:
    healthy(project)
    now = datetime.now(UTC)
    project.rows(steady(["user_a", "user_b", "user_c"], until=now))
    first = project.audit("--send")
    second = project.audit("--send")
    assert [m["channel"] for m in first.report["messages"]] == ["#data-platform"]
    assert second.report["messages"] == []
    assert first.report["recorded"] is True


def test_restricting_options_filter_what_is_shown_and_never_the_scan(project: Project) -> None:
    healthy(project)
    project.rows(steady(["user_a", "user_b", "user_c"], until=NOW))
    whole = project.audit(*AT)
    some = project.audit(*AT, "--event-type", "user_a")
    assert some.code == 0
    assert some.findings() == []
    assert some.report["exposures"][0]["row_count"] == whole.report["exposures"][0]["row_count"]


def test_the_past_is_audited_as_it_was(project: Project) -> None:
    """A type that stopped yesterday was fine the day before, and rows loaded later are not seen."""
    healthy(project)
    frame = steady(["user_a", "user_b"], until=NOW)
    stop = pd.Timestamp(NOW - timedelta(hours=20))
    frame = frame[(frame.event_type != "user_b") | (frame.loaded_at < stop)]
    project.rows(frame)
    now, before = project.audit(*AT), project.audit("--at", (NOW - timedelta(days=2)).isoformat())
    assert {f["event_type"] for f in now.findings()} == {"user_b"}
    assert before.code == 0
    assert before.report["exposures"][0]["row_count"] < len(frame)
