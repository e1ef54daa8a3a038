"""The command as people and CI meet it, on a small table."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from tests.fakes.project import Done, Project, steady

UNTIL = datetime(2026, 3, 10, tzinfo=UTC)
SPAN = ("--from", "2026-03-08", "--to", "2026-03-10", "--step", "4h", "--jobs", "1")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two days in which one of four event types stops and another comes that nobody declared."""
    made = Project(tmp_path_factory.mktemp("cli") / "project")
    names = ["a_did_b", "c_did_d", "e_did_f", "g_did_h"]
    made.declare(*names)
    made.config("    look_back: 12d\n")
    frame = steady(names, until=UNTIL, days=14)
    frame = frame[
        (frame.event_type != "c_did_d") | (frame.occurred_at < pd.Timestamp("2026-03-09T00:00Z"))
    ]
    new = frame[frame.loaded_at > pd.Timestamp("2026-03-09T10:00Z")].iloc[:40]
    made.rows(pd.concat([frame, new.assign(event_type="x_did_<b>y", event_id="n" + new.event_id)]))
    (made.folder / "quiet").mkdir()
    (made.folder / "quiet" / "a.yaml").write_text("- kind: drift\n  enabled: false\n")
    return made


@pytest.fixture(scope="module")
def plain(project: Project) -> Done:
    return project.run(
        "backtest", *SPAN, "--format", "json", "--html", "page.html", "--fail-on-more", "0"
    )


def test_incidents_are_listed_with_owner_and_times(plain: Done) -> None:
    document = plain.report
    assert document["schema"] == "eventwatch.backtest/1"
    assert document["cycles"] == 13
    told = {(i["event_type"], i["kind"]): i for i in document["exposures"][0]["incidents"]}
    (stopped,) = (i for i in document["exposures"][0]["incidents"] if i["event_type"] == "c_did_d")
    assert stopped["team"] == "growth"
    assert stopped["opened_at"] == "2026-03-09T04:00:00Z"
    assert stopped["resolved_at"] is None
    assert stopped["ending"] == "still open"
    assert told["x_did_<b>y", "drift"]["team"] == "data-platform"
    assert {i["event_type"] for i in document["exposures"][0]["incidents"]} == {
        "c_did_d",
        "x_did_<b>y",
    }


def test_a_passed_limit_is_exit_code_1_and_none_is_0(project: Project, plain: Done) -> None:
    assert plain.code == 1
    assert plain.report["limits"]["passed"]
    assert project.run("backtest", *SPAN, "-k", "duplicates").code == 0


def test_the_page_is_written_beside_the_answer(project: Project, plain: Done) -> None:
    assert plain.code == 1
    page = (project.folder / "page.html").read_text(encoding="utf-8")
    assert "x_did_&lt;b&gt;y" in page
    assert "<b>y" not in page


def test_the_table_names_weeks_teams_and_sentences(project: Project) -> None:
    done = project.run("backtest", *SPAN, "-k", "drift")
    assert done.code == 0, done.err
    assert "13 cycles, one every 4 h" in done.out
    assert "data-platform #data-platform" in done.out
    assert "x_did_<b>y: no contract declares it" in done.out
    assert "1 incident in all" in done.out
    assert done.err == ""


def test_what_other_checks_change_is_told_and_can_fail(project: Project) -> None:
    done = project.run(
        "backtest", *SPAN, "-k", "drift", "--against", "quiet", "--format", "json",
        "--fail-on-removed", "0",
    )  # fmt: skip
    document = done.report
    assert (document["added"], document["removed"]) == (0, 1)
    [effect] = document["exposures"][0]["comparison"]["effects"]
    assert effect["change"] == "enabled: true → false (quiet/a.yaml:1)"
    assert done.code == 1
    table = project.run("backtest", *SPAN, "-k", "drift", "--against", "quiet")
    assert "with quiet: 0 added · 1 removed · 0 told at another time · 0 alike" in table.out
    assert re.search(r"^    removed +2026-03-\d\d .*x_did_<b>y", table.out, re.MULTILINE)
    assert "· told data-platform" in " ".join(table.out.split())
    assert "under quiet" in table.out
    assert table.code == 0


def test_everything_wrong_with_the_options_is_said_at_once(project: Project) -> None:
    done = project.run(
        "backtest", "--from", "2026-03-10", "--to", "2026-03-08", "--step", "7m",
        "--against", "nowhere", "--fail-on-added", "1",
    )  # fmt: skip
    assert done.code == 2
    assert done.out == ""
    for word in ("must lie before", "multiple of 5 minutes", "nowhere"):
        assert word in done.err


def test_a_comparison_limit_without_other_checks_is_refused(project: Project) -> None:
    done = project.run("backtest", *SPAN, "--fail-on-added", "1")
    assert done.code == 2
    assert "--against" in done.err


def test_faults_of_the_other_checks_are_faults_of_the_settings(project: Project) -> None:
    bad = project.folder / "bad.yaml"
    bad.write_text("- kind: volume\n  z_treshold: 7\n- kind: fresh\n")
    done = project.run("backtest", *SPAN, "--against", "bad.yaml")
    assert done.code == 2
    assert "bad.yaml:2" in done.err
    assert "bad.yaml:3" in done.err


def test_a_span_outside_the_table_could_not_be_measured(project: Project) -> None:
    done = project.run(
        "backtest", "--from", "2025-01-01", "--to", "2025-01-03", "--step", "1d", "--format", "json"
    )
    assert done.code == 3
    assert "nothing was loaded" in done.report["exposures"][0]["error"]


def test_without_a_load_time_nothing_can_be_replayed(project: Project) -> None:
    config = project.folder / "config.yaml"
    other = project.folder / "no_load.yaml"
    other.write_text(config.read_text().replace("loaded_at: loaded_at", "loaded_at: null"))
    done = project.run("backtest", "-c", "no_load.yaml", *SPAN)
    assert done.code == 2
    assert "no load time" in done.err


def test_the_json_holds_for_any_reader(plain: Done) -> None:
    assert plain.out.isascii()
    json.loads(plain.out, parse_constant=pytest.fail)
