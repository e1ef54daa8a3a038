"""Commands that a reader may copy from a message: short, shell-quoted, harmless.

A name goes in as it is where a shell and Slack leave it as it is. Every other character (quotes,
backticks, controls, glob signs, what Slack would escape) becomes ``?``, which the commands' globs
take for any one character, and a very long name is cut to ``prefix*``. So a hostile name can never
act in the shell of whoever copies it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from math import prod

from eventwatch.alerting.silence_scope import names
from eventwatch.model.alert import Silence

_UNSAFE = frozenset("'\"`\\*?[]!&<>$")
_LONGEST = 60
_COPIED = 300
"""Characters of a command that a message has room for."""


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


def silence(scopes: Sequence[Silence]) -> str:
    """Mutes for four hours what these silences of ``silence_scope`` mute; empty: one command cannot
    say it, or it would be too long to copy."""
    options = {
        "--exposure": _each(names(one)[0] for one in scopes),
        "--kind": _each(one.kind for one in scopes),
        "--event-type": _each(names(one)[1] for one in scopes),
        "--dimension": _each(names(one)[2] for one in scopes),
        "--value": _each(names(one)[3] for one in scopes),
    }
    # Every option multiplies what the others say, so that is what must be asked for.
    whole = prod(map(len, options.values())) == len(scopes) > 0
    if not whole or any("" in found and len(found) > 1 for found in options.values()):
        return ""
    said = [_option(option, name) for option, found in options.items() for name in found if name]
    command = " ".join(["eventwatch silence add", *said, "--for 4h --reason '…'"])
    return command if len(command) <= _COPIED else ""


def _each(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def list_team(team: str) -> str:
    """Shows all incidents of a team. ``--team`` takes no globs: where the name cannot stand in a
    command, it shows those of all."""
    if not team or glob_for(team) != team:
        return "eventwatch incidents list"
    return f"eventwatch incidents list {_option('--team', team)}"
