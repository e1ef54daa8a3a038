"""Standard streams that some supervisors close, or that cannot show every character.

A closed one is None in Python, so every print to it would be a defect. Worse, its number is given to
the next file that is opened, and what a C library prints to "standard error" would then be written into
the state. So each number is taken by the null device before anything else is opened.
"""

from __future__ import annotations

import os
import sys


def keep_streams() -> None:
    """To be called before any file is opened."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is the one given, and those below are taken by now.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its code instead of an exception.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
