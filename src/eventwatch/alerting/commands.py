"""Commands that a reader may copy from a message: short, shell-quoted, harmless.

A name goes in as it is where a shell and Slack leave it as it is. Every other character (quotes,
backticks, controls, glob signs, what Slack would escape) becomes ``?``, which the commands' globs
take for any one character, and a very long name is cut to ``prefix*``. So a hostile name can never
act in the shell of whoever copies it.
"""

from __future__ import annotations

import shlex

from eventwatch.model.result import Result
from eventwatch.model.status import Status

_UNSAFE = frozenset("'\"`\\*?[]!&<>$")
_LONGEST = 60


def glob_for(name: str) -> str:
    """A glob that matches the name, and little else."""
    kept = "".join(
        c if c.isprintable() and c not in _UNSAFE and c < "\U00010000" else "?"
        for c in name[:_LONGEST]
    )
    return kept + "*" if len(name) > _LONGEST else kept


def _option(option: str, name: str) -> str:
    glob = glob_for(name)
    # A leading dash would be read as an option of its own.
    return f"{option}={shlex.quote(glob)}" if glob[:1] == "-" else f"{option} {shlex.quote(glob)}"


def see(result: Result) -> str:
    """Shows the thing again, as it is now."""
    if result.status is Status.ERROR:
        return "eventwatch validate"
    what = _option("--exposure", result.exposure)
    if result.event_type is not None:
        what = _option("--event-type", result.event_type)
    return f"eventwatch run-once {what} --check {result.kind.value}"


def silence(result: Result) -> str:
    """Mutes the thing for four hours."""
    what = _option("--exposure", result.exposure)
    if result.event_type is not None:
        what = _option("--event-type", result.event_type)
    elif result.cut is not None:
        what += f" {_option('--dimension', result.cut.dimension)}"
        what += f" {_option('--value', result.cut.value)}"
    return f"eventwatch silence add {what} --kind {result.kind.value} --for 4h --reason '…'"


def see_team(team: str, exposure: str) -> str:
    """Shows all that is wrong for a team. ``--team`` takes no globs, so a team whose name cannot
    stand in a command is shown through its exposure."""
    if not team or glob_for(team) != team:
        return f"eventwatch run-once {_option('--exposure', exposure)}"
    return f"eventwatch run-once {_option('--team', team)}"
