"""Where text for people goes: standard output for answers, standard error for complaints."""

from __future__ import annotations

import io
import os
import shutil
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH = 120
"""Columns where there is no terminal that could say."""
_IN_ASCII = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "·": "-",
        "•": "*",
        "│": "|",
        "▸": ">",
        "×": "x",
        "±": "+/-",
        "→": "->",
        "…": "...",
    }
)
"""The signs that we write ourselves. Letters of names and marks in messages are left to the stream, which
gives their codes."""


def console_for(stream: TextIO, *, width: int | None = None) -> Console:
    """Colour and width fit for the stream: none in a pipe or with NO_COLOR, and no markup ever."""
    from rich.console import Console

    return Console(
        file=stream,
        width=columns(stream) if width is None else width,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=False,
    )


def show(renderable: RenderableType) -> None:
    """To standard output: as it comes on a terminal, without trailing blanks in a pipe."""
    if sys.stdout.isatty() and speaks_unicode(sys.stdout):
        console_for(sys.stdout).print(renderable)
        return
    text = as_text(renderable, columns(sys.stdout))
    print(text if speaks_unicode(sys.stdout) else in_ascii(text), end="")


def in_ascii(text: str) -> str:
    """With the signs of print as those that any terminal shows: ``−49 %`` as ``-49 %``."""
    return text.translate(_IN_ASCII)


def as_text(renderable: RenderableType, width: int) -> str:
    """Plain text, no colour, no trailing blanks."""
    buffer = io.StringIO()
    console_for(buffer, width=width).print(renderable)
    return "".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def columns(stream: TextIO) -> int:
    """Width of a terminal; in a pipe COLUMNS or a width that seldom breaks a line."""
    if stream.isatty():
        return max(40, shutil.get_terminal_size().columns)
    text = os.environ.get("COLUMNS", "")
    return max(40, int(text)) if text.isdigit() else PIPE_WIDTH


def speaks_unicode(stream: TextIO) -> bool:
    """Whether blocks and dashes come out as themselves."""
    return (getattr(stream, "encoding", "") or "").lower().replace("-", "").startswith("utf")


def complain(message: str) -> None:
    """One message on standard error, foreign text made harmless line by line."""
    from eventwatch.alerting.escape import terminal

    for line in message.splitlines() or [""]:
        print(f"eventwatch: {terminal(line)}", file=sys.stderr)
