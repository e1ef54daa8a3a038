from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack

from .conftest import Cli


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.config()
    made.declare("user_followed_user")
    made.sql(
        "CREATE TABLE events (event_type VARCHAR, occurred_at TIMESTAMP, loaded_at TIMESTAMP, "
        "event_id VARCHAR, platform VARCHAR)"
    )
    return made


def test_a_project_that_works_gives_a_line_per_check_and_code_0(cli: Cli, project: Project) -> None:
    found = cli("doctor")
    assert found.code == 0, found.out
    lines = found.out.splitlines()
    assert {line.split()[1] for line in lines[:-1]} >= {
        "config",
        "contracts",
        "routing",
        "exposures",
        "messages",
        "state",
        "libraries",
    }
    assert "ok      exposures  events" in found.out
    assert "warning messages   slack" in found.out
    assert lines[-1].startswith("2 warnings of ")


def test_wrong_settings_are_code_2_and_every_fault_is_a_line(cli: Cli, project: Project) -> None:
    path = project.folder / "config.yaml"
    path.write_text(path.read_text().replace("table:", "tabel:").replace("source:", "sauce:"))
    found = cli("doctor")
    assert found.code == 2
    assert found.out.count("fail    config") == 4
    assert "libraries  versions" in found.out


def test_an_exposure_that_is_away_is_code_3_and_hides_no_other_check(
    cli: Cli, project: Project
) -> None:
    project.database.unlink()
    found = cli("doctor")
    assert found.code == 3
    assert "fail    exposures  events" in found.out
    assert "ok      contracts" in found.out
    assert "ok      state" in found.out


def test_settings_win_over_what_cannot_be_reached(cli: Cli, project: Project) -> None:
    path = project.folder / "config.yaml"
    path.write_text(
        path.read_text().replace("fallback_team: data-platform", "fallback_team: nobody")
    )
    project.database.unlink()
    assert cli("doctor").code == 2


def test_a_folder_without_a_config_says_how_to_get_one(cli: Cli) -> None:
    found = cli("doctor")
    assert found.code == 2
    assert "eventwatch init" in found.out


def test_the_json_holds_every_line_and_nothing_else_is_printed(
    cli: Cli, project: Project, tmp_path: Path
) -> None:
    found = cli("doctor", "--format", "json")
    made = json.loads(found.out)
    assert found.out.isascii()
    assert made["schema"] == "eventwatch.doctor/1"
    assert made["exit_code"] == found.code == 0
    assert sum(made["counts"].values()) == len(made["checks"])
    assert {key for check in made["checks"] for key in check} == {
        "area",
        "subject",
        "level",
        "said",
        "advice",
    }
    cli("doctor", "--format", "json", "--output", "answer.json")
    again = json.loads((tmp_path / "answer.json").read_text())["checks"]
    # Of how much is free and how old something is two runs say two things.
    named = [(check["area"], check["subject"], check["level"]) for check in again]
    assert named == [(check["area"], check["subject"], check["level"]) for check in made["checks"]]


def test_hostile_names_stay_on_their_line(cli: Cli, project: Project) -> None:
    path = project.folder / "config.yaml"
    path.write_text(
        path.read_text().replace("table: events", 'table: "ev\\e[31ments\\r\\nok fake"')
    )
    found = cli("doctor")
    assert found.code == 2
    assert "\x1b" not in found.out
    assert not [line for line in found.out.splitlines() if line.startswith("ok fake")]


def test_no_secret_shows_whatever_fails(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T", "xoxb-hunter22hunter22")
    monkeypatch.setenv("A", "xapp-1-A01-hunter22")
    with FakeSlack(token="xoxb-of-somebody-else").running() as slack:
        path = project.folder / "config.yaml"
        path.write_text(
            path.read_text().replace(
                "notify: {",
                f'notify: {{slack: {{token: "${{T}}", app_token: "${{A}}", '
                f'base_url: "{slack.base_url}"}}, ',
            )
        )
        for arguments in (("doctor",), ("--log-level", "debug", "doctor", "-f", "json")):
            found = cli(*arguments)
            assert found.code == 3
            assert "invalid_auth" in found.out
            assert "hunter22" not in found.out + found.err
