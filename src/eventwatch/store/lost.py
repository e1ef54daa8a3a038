"""How the loss of a state is noticed: a small file says that there was one.

Without it a state that is gone looks like a first start, and everything that was told would be told
again. A journal without its file says the same, and would be played into a new file of that name. The
file stands beside a state of SQLite; for a server's, which has no place beside it, among the history
of each machine that ever used it. A machine that never did cannot know.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy.engine import URL

from eventwatch.model.errors import StoreError, path_text

_SAYS = """eventwatch keeps its state beside this file, under the same name without ".made".
As long as this file is here, a state that is gone is reported and never quietly made anew.
To start without memory of what was told to whom, remove both.
"""
_OF_SERVER = """eventwatch keeps its state in {place}.
As long as this file is here, a database that is empty is reported and never quietly filled anew.
To start without memory of what was told to whom, remove it.
"""
_JOURNALS = ("-journal", "-wal")


def witness_of(path: Path) -> Path:
    """The file that says that there was a state."""
    return path.with_name(path.name + ".made")


def witness_among(folder: Path, url: URL) -> Path:
    """The same of a state on a server; one for each server and database, whoever its user is."""
    where = repr((url.host, url.port, url.database, sorted(url.query.items())))
    return folder / f".state-{hashlib.sha256(where.encode()).hexdigest()[:16]}.made"


def bear_witness(path: Path) -> None:
    """Says so from now on. Raises OSError."""
    _write(witness_of(path), _SAYS)


def bear_witness_among(witness: Path, place: str) -> None:
    """The same of a state on a server. Raises OSError."""
    witness.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(witness, _OF_SERVER.format(place=place))


def emptied(witness: Path, place: str) -> str:
    """What to say where nothing is, although something was."""
    return (
        f"state {place}: the database is empty, but there was one: {path_text(witness)} is still "
        "there. Is it the right database? Restore a backup, or remove that file to start without "
        "memory of what was told"
    )


def _write(witness: Path, text: str) -> None:
    if witness.exists():
        return
    handle = os.open(witness, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(handle, text.encode())
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
