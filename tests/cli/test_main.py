from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from eventwatch import __version__
from eventwatch.cli import main
from eventwatch.cli.defects import redacted
from eventwatch.model.errors import (
    ConfigError,
    ContractError,
    ExposureBusy,
    ExposureInvalid,
    Fault,
    StoreError,
)

from .conftest import Cli


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes the loading of the config raise."""

    def set_up(error: BaseException) -> None:
        def load(_: object) -> None:
            raise error

        monkeypatch.setattr("eventwatch.app.load", load)

    return set_up


Raising = Callable[[BaseException], None]
FAULTS = [Fault("b.yaml", 2, "second"), Fault("a.yaml", 10, "first\nline \x1b[2J", "k")]


@pytest.mark.parametrize("kind", [ConfigError, ContractError])
def test_wrong_settings_are_listed_on_stderr_and_give_2(
    cli: Cli, raising: Raising, kind: type[ConfigError]
) -> None:
    raising(kind(FAULTS))
    answer = cli("run-once")
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.splitlines() == [
        "a.yaml:10: k: first line \\x1b[2J",
        "b.yaml:2: second",
        "2 faults found.",
    ]


@pytest.mark.parametrize(
    "error", [ExposureBusy("it is locked"), ExposureInvalid(FAULTS), StoreError("disk full")]
)
def test_what_could_not_be_done_gives_3(cli: Cli, raising: Raising, error: Exception) -> None:
    raising(error)
    answer = cli("run-once")
    assert answer.code == 3
    assert answer.err.startswith("eventwatch: ")
    assert "Traceback" not in answer.err


def test_a_defect_is_never_taken_for_wrong_data(cli: Cli, raising: Raising) -> None:
    raising(KeyError("no such thing"))
    answer = cli("run-once")
    assert answer.code == 3
    assert "this is a defect of eventwatch" in answer.err
    assert "test_main.py:" in answer.err
    assert "KeyError: 'no such thing'" in answer.err


def test_a_defect_shows_no_secret(
    cli: Cli, raising: Raising, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "canary-from-env")
    raising(
        RuntimeError("canary-from-env at postgres://u:canary1@h and xoxb-canary2, password=canary3")
    )
    assert "canary" not in cli("run-once").err


def test_ctrl_c_gives_130(cli: Cli, raising: Raising) -> None:
    raising(KeyboardInterrupt())
    assert cli("run-once").code == 130


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("run-once", "--fromat", "json"),
        ("run-once", "--format", "yaml"),
        ("silence", "add"),
        ("run-once", "--at", "soon"),
        ("run-once", "--at", "yesterday", "--send"),
        ("run-once", "--config", "nope.yaml"),
    ],
)
def test_a_wrong_command_line_gives_2_and_prints_nothing_else(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    answer = cli(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err


def test_the_version_is_shown(cli: Cli) -> None:
    assert cli("--version").out == f"eventwatch {__version__}\n"


def test_a_pipe_that_nobody_reads_is_no_trouble() -> None:
    script = (
        "import os, sys\n"
        "from eventwatch.cli.main import main\n"
        "sys.stdin.readline()\n"
        "main(['config', 'schema', '--of', 'report'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(b"\n")
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 141


def test_a_complaint_that_nobody_reads_does_not_say_that_the_data_is_wrong() -> None:
    script = (
        "import sys\n"
        "from eventwatch.cli.main import main\n"
        "sys.stdin.readline()\n"
        "main(['no-such-command'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stderr.close()
    process.stdin.write(b"\n")
    process.stdin.close()
    assert process.wait(30) == 141


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eventwatch", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("eventwatch ")


def test_redaction_leaves_the_rest_alone() -> None:
    text = "cannot connect to postgresql://ana:s3cret@db:5432/x: timeout"
    assert redacted(text, {}) == "cannot connect to postgresql://********@db:5432/x: timeout"
    assert redacted("plain text", {"API_KEY": "plain"}) == "plain text"


def test_local_variables_are_never_shown() -> None:
    assert main.app.pretty_exceptions_enable is False


LEFT_BEHIND = """
import atexit, threading
import duckdb
from eventwatch.cli import main

def hangs():
    duckdb.sql("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b").fetchall()

def done(_):
    threading.Thread(target=hangs, daemon=True).start()
    print("said")
    return 7

atexit.register(print, "tidied up")
main.run_command = done
main.main()
"""


def test_a_query_that_is_left_behind_does_not_abort_the_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LEFT_BEHIND],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout) == (7, "said\ntidied up\n")
    assert ended.stderr == ""
