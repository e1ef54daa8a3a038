"""How the loss of a SQLite state is noticed: a small file beside it says that there was one.

Without it a state that is gone looks like a first start, and everything that was told would be told
again. A journal without its file says the same, and would be played into a new file of that name.
"""

from __future__ import annotations

import os
from pathlib import Path

from eventwatch.model.errors import StoreError, path_text

_SAYS = """eventwatch keeps its state beside this file, under the same name without ".made".
As long as this file is here, a state that is gone is reported and never quietly made anew.
To start without memory of what was told to whom, remove both.
"""
_JOURNALS = ("-journal", "-wal")


def witness_of(path: Path) -> Path:
    """The file that says that there was a state."""
    return path.with_name(path.name + ".made")


def bear_witness(path: Path) -> None:
    """Says so from now on. Raises OSError."""
    witness = witness_of(path)
    if witness.exists():
        return
    handle = os.open(witness, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(handle, _SAYS.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_if_lost(path: Path) -> None:
    """Raises StoreError where there was a state and is none."""
    # What is left is looked at first: a file that another process is just making is there after it.
    beside = [witness_of(path), *(path.with_name(path.name + end) for end in _JOURNALS)]
    left = [each for each in beside if each.exists()]
    if left and not path.exists():
        names = " and ".join(path_text(each) for each in left)
        raise StoreError(
            f"state {path_text(path)}: the file is gone, but there was one: {names} is still there. "
            "Is its disk mounted? Restore a backup, or remove what is left to start without memory "
            "of what was told"
        )
