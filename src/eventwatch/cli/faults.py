"""Faults in what a person wrote, one per line, as compilers do it: ``file:line: key: message``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from eventwatch.model.counting import counted
from eventwatch.model.errors import Fault


def fault_line(fault: Fault) -> str:
    """One line, harmless on a terminal."""
    from eventwatch.alerting.escape import terminal

    return terminal(str(fault).replace("\n", " "))


def show_faults(faults: Iterable[Fault], stream: TextIO | None = None) -> None:
    """All of them in the order of file and line, and how many."""
    stream = sys.stderr if stream is None else stream
    listed = sorted(faults, key=lambda f: (f.path, f.line or 0, f.key, f.message))
    for fault in listed:
        print(fault_line(fault), file=stream)
    if listed:
        print(f"{counted(len(listed), 'fault')} found.", file=stream)


def show_warnings(warnings: Iterable[Fault], stream: TextIO | None = None) -> None:
    """Like faults, but said to be warnings."""
    stream = sys.stderr if stream is None else stream
    for warning in sorted(set(warnings), key=lambda f: (f.path, f.line or 0, f.key, f.message)):
        print(f"warning: {fault_line(warning)}", file=stream)


def refuse(message: str) -> None:
    """Ends the command with exit code 2: what was asked for does not exist."""
    import typer

    from eventwatch.cli.codes import WRONG_SETTINGS
    from eventwatch.cli.console import complain

    complain(message)
    raise typer.Exit(WRONG_SETTINGS)
