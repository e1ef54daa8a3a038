"""``eventwatch silence`` as a person uses it: until when, what is planned, what it hid."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventwatch.cli.main import run_command
from tests.fakes.project import Project, steady

TYPES = ("order_placed", "order_paid", "cart_opened")
SOON = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
HOSTILE = "the \x1b[2J\u202e move"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One of three types stopped; two windows are planned, one of them is open."""
    project = Project(tmp_path_factory.mktemp("silence") / "shop")
    project.declare(*TYPES)
    project.config()
    now = datetime.now(UTC)
    with (project.folder / "config.yaml").open("a") as config:
        config.write(
            "maintenance:\n"
            f"  - {{name: migration, from: '{now - timedelta(hours=1):%Y-%m-%dT%H:%M}',"
            f" to: '{now + timedelta(days=2):%Y-%m-%dT%H:%M}', event_type: cart_*, reason: planned}}\n"
            f"  - {{name: release, from: '{SOON:%Y-%m-%dT%H:%M}',"
            f" to: '{SOON + timedelta(hours=2):%Y-%m-%dT%H:%M}', reason: weekly release}}\n"
        )
    frame = steady(TYPES, until=now, days=9, per_hour=60)
    stopped = (frame.event_type == "order_paid") & (frame.occurred_at > now - timedelta(hours=5))
    project.rows(frame[~stopped])
    return project


@pytest.fixture(autouse=True)
def _there(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("EVENTWATCH_CONFIG", raising=False)


class Shell:
    """Runs commands and keeps what the last one wrote."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self.err = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        ended = run_command(arguments)
        out, self.err = self._captured.readouterr()
        assert ended == code, self.err
        return out

    def rows(self, *more: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("silence", "list", "--format", "json", *more))
        return found


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_windows_of_the_config_are_listed_as_such(ask: Shell) -> None:
    planned = [row for row in ask.rows() if row["planned"]]
    assert [row["state"] for row in planned] == ["muted", "to come"]
    assert planned[0]["event_type"] == "cart_*"
    assert planned[1]["reason"] == "weekly release"
    table = " ".join(ask("silence", "list").split())
    assert "config.yaml muted event type cart_*" in table
    assert "to come everything from" in table
    ask("silence", "end", planned[0]["id"], code=2)
    assert "is a maintenance window" in ask.err


def test_what_was_hidden_is_shown_also_after_the_end(ask: Shell) -> None:
    until = SOON.isoformat()
    said = ("--until", until, "--reason", HOSTILE)
    made = ask("silence", "add", "--event-type", "order_paid", *said)
    assert f"until {SOON:%Y-%m-%d %H:%M} UTC" in made
    id_ = made.split()[-1]
    ask("run-once", "--send")
    (row,) = (row for row in ask.rows() if row["id"] == id_)
    assert (row["state"], row["author"], row["hid_count"]) == ("muted", "ada", 1)
    assert [each["subject"] for each in row["hid"]] == ["order_paid"]
    assert ask("silence", "end", id_[:5]) == "ended\n"
    assert id_ not in ask("silence", "list")
    (row,) = (row for row in ask.rows("--all") if row["id"] == id_)
    assert (row["state"], row["reason"], row["hid_count"]) == ("ended", HOSTILE, 1)
    table = ask("silence", "list", "--all")
    assert "order_paid" in table
    assert "\x1b" not in table
    assert "\u202e" not in table
    ask("silence", "end", id_, code=2)
    assert "ended already at" in ask.err


def test_an_id_that_nobody_knows_names_those_that_run(ask: Shell) -> None:
    id_ = ask("silence", "add", "--team", "growth", "--for", "1h", "--reason", "x").split()[-1]
    ask("silence", "end", "zzzz", code=2)
    assert id_ in ask.err
    ask("silence", "end", id_)


def test_what_is_given_several_times_mutes_each(ask: Shell) -> None:
    said = ("--for", "1h", "--reason", "x", "--exposure", "events")
    made = ask("silence", "add", *said, "--kind", "freshness", "--kind", "volume")
    assert made.count("exposure events, check freshness until") == 1
    assert made.count("exposure events, check volume until") == 1
    assert "muted already" in ask("silence", "add", *said, "--kind", "volume")
    ids = [line.split()[-1] for line in made.splitlines() if "to end it" in line]
    kinds = {row["kind"] for row in ask.rows() if row["id"] in ids}
    assert kinds == {"freshness", "volume"}
    for each in ids:
        ask("silence", "end", each)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "one of the two"),
        (("--for", "1h", "--until", "2099-01-01"), "one of the two"),
        (("--until", "2020-01-01T08:00"), "is over already"),
        (("--until", "2099-01-01T08:00"), "at most 90 d"),
        (("--until", "tomorrow"), "write an instant like"),
        (("--for", "4"), "--for: "),
    ],
)
def test_an_end_that_makes_no_sense_is_refused(
    ask: Shell, arguments: tuple[str, ...], said: str
) -> None:
    ask("silence", "add", "--team", "growth", "--reason", "x", *arguments, code=2)
    assert said in ask.err


def test_until_follows_the_zone_that_is_written(ask: Shell, shop: Project, tmp_path: Path) -> None:
    local = SOON.strftime("%Y-%m-%dT%H:%M:%S+02:00")
    made = ask("silence", "add", "--team", "growth", "--until", local, "--reason", "x")
    assert f"{SOON - timedelta(hours=2):%Y-%m-%d %H:%M} UTC" in made
    ask("silence", "end", made.split()[-1])
