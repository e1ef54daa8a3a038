"""What newcomers meet first: each message says what, where and what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.project import Project, steady
from tests.fakes.slack import TOKEN, FakeSlack

from .conftest import Cli

SLACK = 'slack: {{token: "${{SLACK_BOT_TOKEN}}", base_url: "{}"}}'


@pytest.fixture
def shop(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One declared event type, and one that nobody declared: somebody has to be told."""
    made = Project(tmp_path / "shop")
    made.declare("user_a")
    made.config("    look_back: 5d\n")
    made.rows(steady(["user_a", "user_b"], until=datetime.now(UTC), days=3))
    monkeypatch.chdir(made.folder)
    return made


def change(project: Project, old: str, new: str) -> None:
    config = project.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("loaded_at: loaded_at", "loaded_at: arrived",
         ("config.yaml:6:", "no column 'arrived'", "its columns are", "`loaded_at: null` says")),
        ("loaded_at: loaded_at, ", "", ()),
        ("dimensions:", "time_zone: Europe/Berln\n    dimensions:",
         ("config.yaml:7:", "time_zone", "like Europe/Berlin")),
        ("dimensions:", "time_zone: PST\n    dimensions:", ("time_zone", "like Europe/Berlin")),
        ("table: events", "table: evnts", ("config.yaml:5:", "'evnts'", "schema.table")),
        ("contracts/", "protos/", ("protos", "no such folder", "eventwatch init")),
        ("'#growth'", "#growth", ("config.yaml", "in quotes")),
        ("{slack_channel: '#growth', slack_group_id: S0123ABCDE}", "{slack_channel: #growth}",
         ("is not YAML", "in quotes")),
        ("\nteams:", "\n\tnotes: x\nteams:", ("config.yaml:9:", "spaces, never with tabs")),
        ("exposures:", "exposure:", ("config.yaml:2:", "did you mean exposures")),
        ("duckdb://", "duckdb://nowhere/", ("no DuckDB file", "exposures.events.connection")),
    ],
)  # fmt: skip
def test_validate_says_what_where_and_what_to_do(
    shop: Project, cli: Cli, old: str, new: str, said: tuple[str, ...]
) -> None:
    change(shop, old, new)
    done = cli("validate")
    assert (done.code == 0) == (not said), done.out + done.err
    assert [part for part in said if part not in done.err] == [], done.err


def test_a_channel_that_a_comment_swallowed_is_warned_of(shop: Project, cli: Cli) -> None:
    change(
        shop,
        "  growth: {slack_channel: '#growth', slack_group_id: S0123ABCDE}\n",
        "  growth:\n    slack_channel: #growth\n",
    )
    done = cli("validate")
    assert done.code == 0
    assert "warning: config.yaml:11: teams.growth.slack_channel: is empty" in done.err


def test_a_contract_without_an_owner_is_named_with_its_line(shop: Project, cli: Cli) -> None:
    shop.contracts(
        "message UserA { option (eventwatch.contract.v1.event) = {description: 'd'}; }\n"
    )
    done = cli("validate")
    assert done.code == 2
    assert "events.proto:" in done.err
    assert 'e.g. owner: {team: "growth"}' in done.err


def test_an_empty_table_is_said_and_is_not_an_error_of_ours(shop: Project, cli: Cli) -> None:
    shop.sql("DELETE FROM events")
    done = cli("run-once")
    assert done.code == 1
    assert "nothing ever arrived" in done.out
    assert cli("validate").code == 0


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("xoxb-not-this-one", ("invalid_auth", "notify.slack.token")),
        (TOKEN, ("#data-platform", "there is no such channel", "/invite @eventwatch")),
    ],
    ids=["wrong token", "no such channel"],
)
def test_what_slack_refuses_leads_to_the_doctor_and_he_says_what_to_do(
    shop: Project,
    cli: Cli,
    token: str,
    said: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeSlack().running() as slack:
        if token == TOKEN:
            slack.channels = []
        where = SLACK.format(slack.base_url)
        change(shop, "{fallback_team: data-platform}", f"{{fallback_team: data-platform, {where}}}")
        monkeypatch.setenv("SLACK_BOT_TOKEN", token)
        sent = cli("run-once", "--send")
        asked = cli("doctor")
    assert sent.code == 1
    assert "`eventwatch doctor` says what to do" in sent.out
    assert asked.code == 3
    assert [part for part in said if part not in asked.out] == [], asked.out


def test_an_environment_variable_that_is_not_set_is_named(shop: Project, cli: Cli) -> None:
    change(
        shop,
        "{fallback_team: data-platform}",
        '{fallback_team: data-platform, slack: {token: "${NO_SUCH_VARIABLE}"}}',
    )
    done = cli("run-once")
    assert done.code == 2
    assert (
        "config.yaml:12: notify.slack.token: the environment variable NO_SUCH_VARIABLE" in done.err
    )


def test_init_leaves_a_folder_alone_that_has_a_config_of_its_own(shop: Project, cli: Cli) -> None:
    """Its example event would be missed in a table that never held it."""
    done = cli("init")
    assert done.code == 0
    assert "kept   config.yaml" in done.out
    assert not (shop.folder / "contracts" / "social").exists()
    assert "sample" not in done.out
