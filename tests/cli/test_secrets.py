"""No command shows, logs or stores a secret, however much is logged and whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from eventwatch.cli.main import app
from tests.fakes.slack import FakeSlack, Fault

from .conftest import Answer, Cli

SECRETS = {
    "BOT": "xoxb-canary-bot-token",
    "APP": "xapp-1-canary-app-token",
    "KEY": "canary-signing-key-0123",
    "HOOK": "http://127.0.0.1:1/canary-hook-path",
    "TEAMS": "jsons://canaryuser:canarypass@127.0.0.1:1/canary-apprise",
    "WEB": "canary-web-token-0123",
    "BEAT": "http://127.0.0.1:1/canary-beat-path",
    "PG": "postgresql://me:canary-pg-pass@127.0.0.1:1/db?options=canary-pg-option",
    "INCOMING": "https://hooks.slack.com/services/T0/B0/canary-incoming",
}
LEFT_OUT = {
    "run": "blocks; tests/acceptance starts it as a process",
    "init": "reads no config",
    "demo": "reads no config",
    "config schema": "reads no config",
}
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "run-once": ("--send",),
    "backup": ("copy.db",),
    "backtest": ("--from", "2026-01-01", "--to", "2026-01-02"),
    "explain": ("user_a",),
    "why-not": ("--event-type", "user_a"),
    "drill": ("--event-type", "user_a"),
    "contracts show": ("user_a",),
    "silence add": ("--event-type", "user_a", "--for", "1h", "--reason", "r"),
    "silence end": ("nothing",),
    "feedback add": ("user_a", "--verdict", "was-real", "--reason", "r"),
    "feedback end": ("nothing",),
    "incidents show": ("nothing",),
    "incidents explain": ("nothing",),
    "incidents ack": ("nothing",),
    "incidents resolve": ("nothing", "--reason", "r"),
    "incidents note": ("nothing", "word"),
}


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command by its words."""
    for name, each in getattr(command, "commands", {}).items():
        yield from leaves(each, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path)


COMMANDS = sorted(leaves(typer.main.get_command(app)))


APPRISE = '  apprise: {urls: {"*": "${TEAMS}"}}\n' if find_spec("apprise") else ""
"""A config that names Apprise is refused by whoever sends where it is not installed."""


def config(*, state: str = "sqlite:///var/state.db", slack: str, connection: str) -> str:
    return f"""\
contracts: {{source: contracts/}}
exposures:
  events: {{connection: "{connection}", table: events, lock_wait: 1s, query_timeout: 5s}}
teams: {{data: {{slack_channel: "#data"}}}}
notify:
  fallback_team: data
  slack: {slack}
  webhook: {{url: "${{HOOK}}", secret: "${{KEY}}", timeout: 1s}}
{APPRISE}state: "{state}"
history: var/history
web: {{listen: "0.0.0.0:9464", token: "${{WEB}}"}}
heartbeat_url: "${{BEAT}}"
"""


def bot(slack: FakeSlack) -> str:
    return (
        f'{{token: "${{BOT}}", app_token: "${{APP}}", base_url: "{slack.base_url}", timeout: 2s}}'
    )


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    made = FakeSlack()
    with made.running():
        yield made


@pytest.fixture
def house(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A folder with a contract and every secret in the environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    Path("contracts").mkdir()
    Path("contracts/a.proto").write_text(
        'syntax = "proto3";\npackage shop;\nimport "eventwatch/contract/v1/options.proto";\n'
        "message A { option (eventwatch.contract.v1.event) = "
        '{ owner { team: "data" } event_type: "user_a" description: "d" }; }\n'
    )
    return cli


def run(cli: Cli, command: str) -> Answer:
    return cli(
        "--log-level", "debug", "--log-format", "json",
        *command.split(), *ARGUMENTS.get(command, ()),
    )  # fmt: skip


def files() -> Iterator[tuple[Path, bytes]]:
    for path in Path().rglob("*"):
        if path.is_file() and path.name != "config.yaml":
            yield path, path.read_bytes()


def nothing_is_told(answer: Answer, command: str) -> None:
    for text in (answer.out, answer.err):
        assert "canary" not in text.lower(), f"{command}: {text}"
    for path, content in files():
        assert b"canary" not in content.lower(), f"{command}: {path}"
    for line in answer.err.splitlines():
        if line.startswith("{"):
            assert json.loads(line)["event"]


def test_every_command_is_tried_or_left_out_for_a_reason() -> None:
    assert set(ARGUMENTS) | set(LEFT_OUT) <= set(COMMANDS)
    assert len(COMMANDS) > 20


def test_whatever_cannot_be_reached_no_command_tells_a_secret(house: Cli, slack: FakeSlack) -> None:
    """Warehouse, webhook and heartbeat refuse the connection, Slack refuses the token."""
    slack.faults = [Fault(error="invalid_auth")] * 50
    Path("config.yaml").write_text(config(slack=bot(slack), connection="${PG}"))
    nothing_is_told(run(house, "run-once"), "run-once")
    assert Path("var/state.db").exists()
    for command in COMMANDS:
        if command not in LEFT_OUT:
            answer = run(house, command)
            assert "Usage:" not in answer.err, answer.err
            nothing_is_told(answer, command)


@pytest.mark.parametrize(
    "command", ["run-once", "doctor", "health", "incidents list", "silence list", "silence add"]
)
def test_a_state_that_cannot_be_reached_does_not_tell_its_password(
    house: Cli, slack: FakeSlack, command: str
) -> None:
    text = config(state="${PG}", slack='{webhook_url: "${INCOMING}"}', connection="duckdb://x.db")
    Path("config.yaml").write_text(text)
    answer = run(house, command)
    assert answer.code != 0
    nothing_is_told(answer, command)


WRONG = [
    ("${BOT}", "https://hooks.slack.com/canary"),
    ("${APP}", "xoxb-canary-in-the-wrong-place"),
    ("${KEY}", "canary"),
    ("${HOOK}", "http://canary.example/hook"),
    ("${TEAMS}", "https://canary.example/teams"),
    ("${WEB}", "canary short"),
    ("${BEAT}", "http://canary.example/beat"),
    ("${PG}", "canary://me:canary@host:port/db"),
]


@pytest.mark.parametrize(("place", "value"), WRONG, ids=[place.strip("${}") for place, _ in WRONG])
def test_a_secret_that_is_wrong_is_refused_by_its_place(
    house: Cli, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, place: str, value: str
) -> None:
    text = config(slack=bot(slack), connection="${PG}")
    if not APPRISE:
        text = text.replace("state:", '  apprise: {urls: {"*": "${TEAMS}"}}\nstate:', 1)
    Path("config.yaml").write_text(text)
    monkeypatch.setenv(place.strip("${}"), value)
    for command in ("validate", "config show", "run-once", "health"):
        answer = run(house, command)
        assert answer.code == 2, answer
        assert "config.yaml:" in answer.out + answer.err
        nothing_is_told(answer, command)


def test_a_crash_of_ours_tells_none_either(
    house: Cli, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = config(slack=bot(slack), connection="${PG}")
    Path("config.yaml").write_text(text)

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError(f"unforeseen {[v for k, v in SECRETS.items() if k in text]}")

    monkeypatch.setattr("eventwatch.app.house.contract_source", crash)
    for command in ("run-once", "validate", "contracts list"):
        answer = run(house, command)
        assert answer.code != 0
        nothing_is_told(answer, command)
