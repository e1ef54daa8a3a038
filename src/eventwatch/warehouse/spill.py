"""Where DuckDB puts what does not fit into memory: a private directory of this process.

Whoever is killed cannot clean up, and what it spilled may be large; a daemon that is killed and started
again for a year would fill the disk. So each process holds a lock in its directory, which the kernel
gives back however it ends, and the next process deletes the directories of those that are gone.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path

PREFIX = "eventwatch-spill-"
_LOCK = "lock"
_guard = threading.Lock()
_mine: list[tuple[Path, int]] = []
"""The directory of this process with the descriptor that locks it; at most one."""


def spill_directory() -> str:
    """One for all calls: connections to one file from one process must have equal settings."""
    with _guard:
        if not _mine or not _mine[-1][0].is_dir():
            _mine.append(_make())
        inside = _mine[-1][0] / "spill"
        inside.mkdir(mode=0o700, exist_ok=True)
        return str(inside)


def _make() -> tuple[Path, int]:
    with contextlib.suppress(OSError):
        delete_left(Path(tempfile.gettempdir()))
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    lock = os.open(made / _LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    # Only somebody who is about to delete it could hold it; then it is made again by the next call.
    with contextlib.suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return made, lock


def delete_left(temporary: Path) -> None:
    """Deletes the directories of processes of this user that have ended."""
    for path in temporary.glob(PREFIX + "*"):
        # Each for itself: others may be deleting as well.
        with contextlib.suppress(OSError):
            _delete_if_left(path)


def _delete_if_left(path: Path) -> None:
    found = path.lstat()
    # The folder is everybody's: a link, or what belongs to others, is not ours to delete.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
