"""Commands that a reader may copy from a message: short, shell-quoted, harmless.

A name goes in as it is where a shell and Slack leave it as it is. Every other character (quotes,
backticks, controls, glob signs, what Slack would escape) becomes ``?``, which the commands' globs
take for any one character, and a very long name is cut to ``prefix*``. So a hostile name can never
act in the shell of whoever copies it.
"""

from __future__ import annotations

import shlex

from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.result import Cut, Result
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


def silence(result: Result, cause: Cause | None = None) -> str:
    """Mutes for four hours what an incident of this cause is about: the whole table, one value for
    every event type, one event type, or one check of what is none of these."""
    kind = ""
    if cause is not None and cause.kind is CauseKind.EXPOSURE:
        what = _option("--exposure", cause.exposure)
    elif cause is not None and cause.kind is CauseKind.CUT and cause.cut is not None:
        what = f"{_option('--exposure', cause.exposure)} {_value(cause.cut)}"
    else:
        what = _option("--exposure", result.exposure)
        if result.event_type is not None:
            what = _option("--event-type", result.event_type)
        elif result.cut is not None:
            what += f" {_value(result.cut)}"
        else:
            kind = f" --kind {result.kind.value}"
        if result.status is Status.ERROR:
            # The data may be wrong as well, and is told when our trouble is over.
            kind = f" --kind {result.kind.value}"
    return f"eventwatch silence add {what}{kind} --for 4h --reason '…'"


def _value(cut: Cut) -> str:
    return f"{_option('--dimension', cut.dimension)} {_option('--value', cut.value)}"


def list_team(team: str) -> str:
    """Shows all incidents of a team. ``--team`` takes no globs: where the name cannot stand in a
    command, it shows those of all."""
    if not team or glob_for(team) != team:
        return "eventwatch incidents list"
    return f"eventwatch incidents list {_option('--team', team)}"
