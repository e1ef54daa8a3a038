"""Folders of the history that no exposure uses any more: they are deleted after a while.

An exposure's folder changes with its table, its columns and its dimensions, and what lies in the old one
is never read again; without this, each such change of the config would take the disk of one more
look-back for ever. Only what this package wrote is touched, and a folder with anything else in it is
left as it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from eventwatch.store.history import folder_name

log = logging.getLogger(__name__)

UNUSED = timedelta(days=30)
"""Without any write for so long. Another config may use the folder; it writes with every cycle."""
_FOLDER = re.compile(r"[a-z0-9_-]{1,40}-[0-9a-f]{12}")
_OURS = re.compile(
    r"\d{4}-\d\d-\d\d\.parquet|note\.json|detector\.state|lock"
    r"|\.\d{4}-\d\d-\d\d\.parquet\..*\.draft|\.note\.json\..*\.draft|\.detector\.state\..*"
)


def sweep(root: Path, used: Collection[str], now: datetime) -> tuple[str, ...]:
    """Deletes folders that are not those of the histories ``used`` and that nobody has written to since
    long before ``now``; gives their names. Never raises: what cannot be deleted is tried again."""
    kept = {folder_name(name) for name in used}
    gone = []
    with contextlib.suppress(OSError):
        for folder in sorted(root.iterdir()):
            if folder.name not in kept and _FOLDER.fullmatch(folder.name):
                with contextlib.suppress(OSError):
                    if _unused(folder, now) and _delete(folder):
                        gone.append(folder.name)
    if gone:
        log.info("deleted what was measured under older configurations: %s", ", ".join(gone))
    return tuple(gone)


def _unused(folder: Path, now: datetime) -> bool:
    if folder.is_symlink() or not folder.is_dir() or not (folder / "lock").is_file():
        return False
    files = list(folder.iterdir())
    if not all(_OURS.fullmatch(file.name) and not file.is_symlink() for file in files):
        return False
    # Every file is put in place by a rename, which changes the folder.
    newest = max(path.stat().st_mtime for path in (folder, *files))
    return now.timestamp() - newest > UNUSED.total_seconds()


def _delete(folder: Path) -> bool:
    with (folder / "lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        for file in folder.iterdir():
            if file.name != "lock":
                file.unlink()
        (folder / "lock").unlink()
        folder.rmdir()
    return True
