"""A copy of a state in use, whole and checked, under its name only when it is complete.

SQLite only: a server has its own tools, which are named.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from eventwatch.model.errors import StoreError, path_text
from eventwatch.model.settings import Secret
from eventwatch.store.columns import PREFIX
from eventwatch.store.engine import Database, Limits, open_database, parse_url, sqlite_database
from eventwatch.store.lost import refuse_if_lost
from eventwatch.store.migrate import Found, inspect, sync_folder, verify_pages


@dataclass(frozen=True)
class Backup:
    """What was made."""

    path: Path
    size: int
    """Bytes."""


def backup(url: Secret, target: Path, *, limits: Limits | None = None) -> Backup:
    """Copies the state as of one instant; cycles may go on meanwhile. Nothing is ever overwritten.

    Raises StoreError.
    """
    limits = Limits() if limits is None else limits
    parsed = parse_url(url)
    database = open_database(parsed, limits, read_only=True)
    try:
        path = database.path
        if path is None:
            raise StoreError(_server(parsed, database, target))
        refuse_if_lost(path)
        if not path.exists():
            raise StoreError(f"state {path_text(path)}: there is none yet, so nothing to copy")
        with database.reading() as connection:
            if inspect(connection, database) is Found.NOTHING:
                raise StoreError(f"state {path_text(path)}: it is empty, so nothing to copy")
        return _copy(database, path, target.absolute(), limits)
    finally:
        database.close()


def _copy(database: Database, path: Path, target: Path, limits: Limits) -> Backup:
    draft = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    try:
        if target.exists() or target.is_symlink():
            raise FileExistsError(17, "it is there already, and a backup never replaces anything")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with database.errors(), contextlib.closing(_plain(path, limits)) as plain:
            # Reads as of one instant, and leaves out what is free: the copy is as small as it can be.
            plain.execute("VACUUM INTO ?", (draft.as_uri(),))
        _verify(draft, limits)
        _sync(draft)
        os.link(draft, target)
        sync_folder(target.parent)
        return Backup(target, target.stat().st_size)
    except OSError as error:
        raise StoreError(
            f"backup {path_text(target)}: {error.strerror or error}. Name a file that does not "
            "exist, in a folder that this user may write to, on a disk with room for it"
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _plain(path: Path, limits: Limits) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode=ro",
        uri=True,
        timeout=limits.lock.total_seconds(),
        isolation_level=None,
    )


def _verify(draft: Path, limits: Limits) -> None:
    copy = sqlite_database(draft, limits, read_only=True)
    try:
        verify_pages(copy)
        with copy.reading() as connection:
            inspect(connection, copy)
    finally:
        copy.close()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _server(url: URL, database: Database, target: Path) -> str:
    # Without the driver, which is our business, and without password and options.
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    command = shlex.join(
        [
            "pg_dump",
            "--format=custom",
            f"--table={PREFIX}*",
            f"--file={target}",
            plain.render_as_string(hide_password=True),
        ]
    )
    return (
        f"state {database.place}: a server's state is copied with the server's own tool, for "
        f"example: {command}"
    )
