"""Help must come at once. Timing would depend on the machine, so what is imported is looked at."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "apscheduler",
    "duckdb",
    "google.protobuf",
    "grpc_tools",
    "ibis",
    "numpy",
    "pandas",
    "pyarrow",
    "ruamel",
    "scipy",
    "slack_sdk",
    "sqlalchemy",
}
COMMANDS = (
    (),
    ("run-once",),
    ("run",),
    ("doctor",),
    ("health",),
    ("validate",),
    ("backtest",),
    ("backup",),
    ("explain",),
    ("blind-spots",),
    ("feedback",),
    ("feedback", "add"),
    ("feedback", "list"),
    ("feedback", "end"),
    ("init",),
    ("demo",),
    ("contracts",),
    ("contracts", "list"),
    ("contracts", "show"),
    ("contracts", "owners"),
    ("drill",),
    ("why-not",),
    ("incidents",),
    ("incidents", "list"),
    ("incidents", "show"),
    ("incidents", "explain"),
    ("incidents", "ack"),
    ("incidents", "resolve"),
    ("incidents", "note"),
    ("silence",),
    ("silence", "add"),
    ("silence", "list"),
    ("silence", "end"),
    ("config",),
    ("config", "schema"),
    ("config", "show"),
)
_SCRIPT = """
import sys
from eventwatch.cli.main import run_command
code = run_command([*sys.argv[1:], "--help"])
print("|".join(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def test_help_of_no_command_imports_anything_heavy() -> None:
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, *command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        loaded = set(done.stderr.strip().splitlines()[-1].split("|"))
        assert "eventwatch.cli.run_once" in loaded
        # Typer itself reads options with pydantic, so only the help of all commands is without it.
        heavy = HEAVY if command else HEAVY | {"pydantic"}
        assert loaded & heavy == set(), command
        assert done.stdout.startswith("Usage: "), command


def test_every_command_is_in_the_list() -> None:
    import typer.main

    from eventwatch.cli.main import app

    found: set[tuple[str, ...]] = {()}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found.add((name,))
        found |= {(name, each) for each in getattr(command, "commands", {})}
    assert found == set(COMMANDS)


@pytest.mark.parametrize(
    "command",
    [
        c
        for c in COMMANDS
        if c not in ((), ("contracts",), ("silence",), ("config",), ("feedback",), ("incidents",))
    ],
)
def test_help_of_every_command_has_an_example(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    from eventwatch.cli.main import run_command

    assert run_command([*command, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"eventwatch {' '.join(command)}" in text.split("Example")[1]


@pytest.mark.parametrize("command", [(), ("run-once",), ("validate",)])
def test_help_names_the_exit_codes(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    from eventwatch.cli.main import run_command

    run_command([*command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Exit codes: 0 nothing wrong" in text
    assert "2 the configuration" in text
    # What never looks at the data cannot say that it is wrong.
    assert ("1 something is wrong with the data" in text) is (command != ("validate",))
