"""The commands on real files: what `init` writes is audited, validated, looked at and muted."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from eventwatch.cli.report_schema import report_schema

from .conftest import Cli


@pytest.fixture
def house(cli: Cli) -> Cli:
    """A folder after `eventwatch init`."""
    assert cli("init").code == 0
    return cli


def replace(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


def test_init_writes_a_folder_in_which_the_next_command_works(cli: Cli) -> None:
    answer = cli("init", "mon")
    assert answer.code == 0
    assert "wrote  mon/config.yaml" in answer.out
    assert "cd mon" in answer.out
    for name in (
        "config.yaml",
        "checks/defaults.yaml",
        "contracts/social/user_followed_user.proto",
        "contracts/eventwatch/contract/v1/options.proto",
        "schema/config.schema.json",
        "sample/events.parquet",
    ):
        assert (Path("mon") / name).is_file(), name
    audit = cli("run-once", "--config", "mon")
    assert audit.code == 0, audit.out + audit.err
    assert "1 event type" in audit.out
    assert audit.err == ""


def test_init_never_writes_over_what_is_there(house: Cli) -> None:
    Path("config.yaml").write_text("mine", encoding="utf-8")
    answer = house("init")
    assert answer.code == 0
    assert Path("config.yaml").read_text(encoding="utf-8") == "mine"
    assert "kept   config.yaml (it is there and differs; --force writes over it)" in answer.out
    assert "wrote" not in answer.out
    house("init", "--force")
    assert "sample_events:" in Path("config.yaml").read_text(encoding="utf-8")


def test_init_quotes_a_folder_for_the_shell(cli: Cli) -> None:
    assert "cd 'a b; rm -rf x'" in cli("init", "a b; rm -rf x").out


def test_an_audit_in_every_form(house: Cli) -> None:
    as_json = house("run-once", "--format", "json", "--preview")
    assert as_json.code == 0
    Draft202012Validator(report_schema()).validate(json.loads(as_json.out))
    as_xml = house("run-once", "--format", "junit")
    assert ElementTree.fromstring(as_xml.out).get("failures") == "0"
    written = house("run-once", "--output", "out/report.txt")
    assert (written.out, written.code) == ("", 0)
    text = Path("out/report.txt").read_text(encoding="utf-8")
    assert text.startswith("sample_events  as of ")
    assert text.endswith("exit code 0: nothing wrong\n")


def test_an_event_that_nobody_declared_makes_the_exit_code_1(house: Cli) -> None:
    replace(
        "contracts/social/user_followed_user.proto",
        "message UserFollowedUser",
        "message UserFolowedUser",
    )
    answer = house("run-once", "--preview")
    assert answer.code == 1
    assert "user_followed_user" in answer.out
    assert "data-platform #data-platform" in answer.out
    assert "message" in answer.out
    assert house("run-once", "--fail-on", "never").code == 0
    only = house(
        *("run-once", "--event-type", "user_followed_user"),
        *("--check", "drift", "--fail-on", "info", "--format", "json"),
    )
    assert only.code == 1
    (found,) = json.loads(only.out)["exposures"][0]["findings"]
    assert (found["event_type"], found["kind"]) == ("user_followed_user", "drift")
    assert not Path("var/eventwatch/state.db").exists()


def test_the_past_can_be_audited(house: Cli) -> None:
    answer = house("run-once", "--at", "3d ago", "--format", "json")
    document = json.loads(answer.out)
    assert document["exposures"][0]["late_by_seconds"] < 7200
    empty = json.loads(house("run-once", "--at", "2020-01-01", "--format", "json").out)
    assert empty["exposures"][0]["row_count"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--exposure", "sample_event"),
            "no exposure matches 'sample_event'; did you mean sample_events?",
        ),
        (("--check", "drft"), "no check matches 'drft'; did you mean drift?"),
        (("--team", "grwth"), "no team matches 'grwth'; did you mean growth?"),
        (
            ("--event-type", "user_folowed_user"),
            "no event type matches 'user_folowed_user'; did you mean user_followed_user?",
        ),
    ],
)
def test_a_word_that_matches_nothing_gives_2_and_the_nearest(
    house: Cli, arguments: tuple[str, str], message: str
) -> None:
    answer = house("run-once", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"eventwatch: {message}\n"


def test_words_that_match_restrict(house: Cli) -> None:
    answer = house(
        "run-once",
        *("--exposure", "sample_*", "--check", "freshness", "--team", "Growth"),
        *("--event-type", "user_*", "--format", "json"),
    )
    assert answer.code == 0
    assert len(json.loads(answer.out)["exposures"]) == 1


def test_sending_without_slack_prints_and_keeps_the_answer_clean(house: Cli) -> None:
    replace(
        "contracts/social/user_followed_user.proto", "message UserFollowedUser", "message UserOther"
    )
    first = house("run-once", "--send", "--format", "json")
    document = json.loads(first.out)
    assert (first.code, document["recorded"]) == (1, True)
    assert [o["verdict"] for o in document["outcomes"]] == ["sent"] * len(document["outcomes"])
    assert document["outcomes"]
    assert "#data-platform" in first.err
    second = json.loads(house("run-once", "--send", "--format", "json").out)
    assert second["messages"] == []
    assert Path("var/eventwatch/state.db").is_file()


def test_validate_says_ok_or_lists_every_fault(house: Cli) -> None:
    answer = house("validate")
    assert (answer.code, answer.out, answer.err) == (0, "ok: sample_events\n", "")
    replace("config.yaml", "loaded_at: loaded_at", "loaded_at: loadedat")
    replace("config.yaml", "owner: data-platform", "owner: data-plattform")
    answer = house("validate")
    assert answer.code == 2
    assert "config.yaml:28: exposures.sample_events.owner: there is no team" in answer.err
    assert "config.yaml:22: exposures.sample_events.columns.loaded_at: " in answer.err
    assert "did you mean 'loaded_at'?" in answer.err
    assert answer.err.endswith("2 faults found.\n")


def test_validate_tells_what_is_not_reached_from_what_is_wrong(house: Cli) -> None:
    replace(
        "config.yaml", "parquet: sample/*.parquet", "connection: duckdb://none.duckdb\n    table: t"
    )
    answer = house("validate")
    assert answer.code == 3
    assert "not reached: sample_events" in answer.err


def test_contracts_are_listed_and_shown_with_their_places(house: Cli) -> None:
    listed = house("contracts", "list")
    assert listed.code == 0
    assert "user_followed_user   growth" in listed.out
    assert "contracts/social/user_followed_user.proto:10" in listed.out
    shown = house("contracts", "show", "user_followed_user")
    for part in (
        "A user follows another user.",
        "growth #growth-alerts",
        "ios, android, web",
        "follower_id",
    ):
        assert part in shown.out
    assert "warning in sample_events, by checks/defaults.yaml:" in shown.out
    owners = house("contracts", "owners")
    assert "#data-platform" in owners.out
    assert "fallback" in owners.out
    assert all(line == line.rstrip() for line in owners.out.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [("list", "user_folowed*"), ("list", "--team", "grwth"), ("show", "user_folowed_user")],
)
def test_contracts_that_do_not_exist_name_the_nearest(
    house: Cli, arguments: tuple[str, ...]
) -> None:
    answer = house("contracts", *arguments)
    assert answer.code == 2
    assert "did you mean" in answer.err


def test_what_is_muted_is_shown_but_not_told(house: Cli) -> None:
    replace(
        "contracts/social/user_followed_user.proto", "message UserFollowedUser", "message UserOther"
    )
    muted = house(
        *("silence", "add", "--event-type", "user_followed_*", "--for", "4h"),
        *("--reason", "renaming \x1b[2J tonight"),
    )
    assert muted.code == 0, muted.err
    silence_id = muted.out.split()[-1]
    assert silence_id in house("silence", "list").out
    assert "renaming \\x1b[2J tonight" in house("silence", "list").out
    audit = json.loads(house("run-once", "--format", "json", "--check", "drift").out)
    states = {f["event_type"]: f["disposition"] for f in audit["exposures"][0]["findings"]}
    assert states["user_followed_user"] == "silenced"
    assert house("silence", "end", silence_id).out == "ended\n"
    assert house("silence", "list").out == "nothing is muted\n"
    assert house("silence", "end", silence_id).code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--for", "4h", "--reason", "x"), "say what to mute"),
        (("--event-type", "a", "--for", "4", "--reason", "x"), "write a span with its unit"),
        (("--event-type", "a", "--for", "0", "--reason", "x"), "at most 90 d"),
        (("--event-type", "a", "--for", "91d", "--reason", "x"), "at most 90 d"),
        (("--event-type", "a", "--for", "4h", "--reason", " "), "must not be empty"),
        (("--kind", "volum", "--for", "4h", "--reason", "x"), "did you mean volume?"),
        (("--exposure", "sample", "--for", "4h", "--reason", "x"), "did you mean sample_events?"),
        (("--team", "grwth", "--for", "4h", "--reason", "x"), "did you mean growth?"),
        (("--dimension", "plattform", "--for", "4h", "--reason", "x"), "did you mean platform?"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused(
    house: Cli, arguments: tuple[str, ...], message: str
) -> None:
    answer = house("silence", "add", *arguments)
    assert answer.code == 2
    assert message in answer.err


def test_the_config_is_shown_and_its_schema_printed(house: Cli) -> None:
    assert "sample_events:" in house("config", "show").out
    assert json.loads(house("config", "schema").out)["title"] == "eventwatch config.yaml"
    assert json.loads(house("config", "schema", "--of", "checks").out)["type"] == ["array", "null"]
    assert json.loads(house("config", "schema", "--of", "report").out)["properties"]["exit_code"]


def test_demo_says_what_it_planted_and_what_to_type_next(cli: Cli) -> None:
    answer = cli("demo", "shop", "--rows", "20000")
    assert answer.code == 0, answer.err
    assert "Planted: " in answer.out
    assert "seller_publshed_listing" in answer.out
    assert "cd shop" in answer.out
    assert cli("validate", "--config", "shop").code == 0


CANARY = "c4n4ryS3cret"


def test_no_command_shows_a_secret(house: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every place that takes a secret, every command, with and without trouble."""
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setattr("eventwatch.app.runs.SEND_PATIENCE", timedelta(0))
    replace(
        "config.yaml",
        "notify:\n",
        "  x: {slack_channel: '#x'}\nnotify:\n"
        "  slack: {token: 'xoxb-${CANARY}', base_url: 'http://127.0.0.1:9/api/', timeout: 1s}\n",
    )
    replace(
        "config.yaml",
        "exposures:\n",
        "exposures:\n  other:\n    connection: postgresql://u:${CANARY}@127.0.0.1:9/d?application_name=${CANARY}\n"
        "    table: t\n    query_timeout: 2s\n    lock_wait: 0\n",
    )
    replace(
        "contracts/social/user_followed_user.proto", "message UserFollowedUser", "message UserOther"
    )
    log = ("--log-level", "debug")
    said = []
    for command in (
        ("run-once",),
        ("run-once", "--preview", "--format", "json"),
        ("run-once", "--send", "--format", "junit", "--exposure", "sample_events"),
        ("validate",),
        ("config", "show"),
        ("contracts", "list"),
        ("silence", "add", "--team", "x", "--for", "1h", "--reason", "x"),
    ):
        answer = house(*log, *command)
        said.append(answer.out + answer.err)
    replace("config.yaml", "state: sqlite:", "state: postgresql://u:${CANARY}@127.0.0.1:9/d #")
    for command in (("run-once",), ("run-once", "--send"), ("silence", "list")):
        answer = house(*log, *command)
        said.append(answer.out + answer.err)
    replace(
        "config.yaml", "postgresql://u:${CANARY}@127.0.0.1:9/d?", "postgresql://u:${CANARY}/@x:y/d?"
    )
    for command in (("run-once",), ("config", "show"), ("validate",)):
        answer = house(*log, *command)
        said.append(answer.out + answer.err)
    assert not [text for text in said if CANARY in text]
    files = [p for p in Path().rglob("*") if p.is_file() and p.name != "config.yaml"]
    assert not [p for p in files if CANARY.encode() in p.read_bytes()]
    assert os.environ["CANARY"] == CANARY
