"""Makes and upgrades the schema; any number of processes may do so at once.

A SQLite file is made under another name and put in place whole, so an empty file in its place was
never ours: it is reported, never filled. Upgrades run in one transaction that takes the write lock
first (an advisory lock on PostgreSQL): a second process waits and finds nothing left to do. Alembic
is imported only when there is something to upgrade, since that takes as long as a cycle.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import threading
from enum import Enum
from pathlib import Path

import sqlalchemy as sa

from eventwatch.model.errors import StoreError, path_text
from eventwatch.store.columns import PREFIX
from eventwatch.store.engine import Database, Limits, choose_journal, sqlite_database
from eventwatch.store.lost import (
    bear_witness,
    bear_witness_among,
    emptied,
    refuse_if_lost,
    witness_of,
)
from eventwatch.store.schema import MARKER, REVISION, VERSION_TABLE, meta

log = logging.getLogger(__name__)

_MADE = "state %s: there was none, so a new one was made; nothing is known of what was told before"
MIGRATIONS = Path(__file__).parent / "migrations"
_ALEMBIC = threading.Lock()
_LOCK = 0x6576_7761_7463_6801
"""Key of the advisory lock, any number that nobody else takes."""


class Found(Enum):
    """What a database holds."""

    NOTHING = "nothing"
    OURS = "ours"
    OLDER = "older"
    """Ours, to be upgraded."""


def prepare(database: Database, limits: Limits, witness: Path | None = None) -> None:
    """Makes the schema where there is none, upgrades an older one, refuses what is not ours, and what
    is empty although the ``witness`` says that it was not.

    Raises StoreError.
    """
    if database.path is not None:
        refuse_if_lost(database.path)
        _prepare_file(database.path, limits)
        _use_journal(database.path, limits)
        verify_pages(database)
    # Before the look: whoever makes the state at this moment bears witness after it.
    known = witness is not None and witness.exists()
    with database.reading() as connection:
        found = inspect(connection, database)
    if found is Found.NOTHING and witness is not None and known:
        raise StoreError(emptied(witness, database.place))
    if found is not Found.OURS:
        upgrade(database)
    if found is Found.NOTHING:
        log.warning(_MADE, database.place)
    if database.path is not None:
        _bear_witness(database.path)
    elif witness is not None:
        # A folder that cannot be written is the history's trouble, and is told there.
        with contextlib.suppress(OSError):
            bear_witness_among(witness, database.place)


def inspect(connection: sa.Connection, database: Database) -> Found:
    """What is there. Raises StoreError for another program's file and for a newer schema."""
    tables = set(sa.inspect(connection).get_table_names())
    ours = {name for name in tables if name.startswith(PREFIX)}
    if not ours:
        # A server's database may be shared with others; a file of SQLite has one owner.
        if database.path is not None and tables:
            raise StoreError(
                f"state {database.place}: the file belongs to something else (it has a table "
                f"{sorted(tables)[0]!r}). Name another file in config.yaml under state"
            )
        return Found.NOTHING
    if VERSION_TABLE not in ours or meta.name not in ours:
        raise StoreError(_damaged(database))
    marker = connection.scalar(sa.select(meta.c.value).where(meta.c.key == "marker"))
    revision = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
    if marker != MARKER or revision is None:
        raise StoreError(_damaged(database))
    if revision == REVISION:
        return Found.OURS
    if revision > REVISION:
        raise StoreError(
            f"state {database.place}: a newer eventwatch wrote it (schema {revision}, this one "
            f"knows {REVISION}). Install the newer version, or name another state in config.yaml"
        )
    return Found.OLDER


def upgrade(database: Database) -> None:
    """Runs the migrations that are missing, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Values of the config are templates: a percent sign in the path would be one.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    # Alembic keeps its context in module variables: one thread of a process at a time.
    with _ALEMBIC, database.writing() as connection:
        if database.path is None:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _prepare_file(path: Path, limits: Limits) -> None:
    """Puts a new, complete state in place if there is no file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists():
            if path.stat().st_size == 0:
                raise StoreError(
                    f"state {path_text(path)}: the file is empty, and eventwatch never leaves one "
                    "empty. Restore a backup, or remove it to start without memory of what was told"
                )
            return
        if _make_file(path, limits):
            log.warning(_MADE, path_text(path))
    except OSError as error:
        raise StoreError(
            f"state {path_text(path)}: {error.strerror or error}. The folder must exist or be "
            "possible to make, and this user must be able to write there"
        ) from None


def _bear_witness(path: Path) -> None:
    try:
        bear_witness(path)
    except OSError as error:
        raise StoreError(
            f"state {path_text(witness_of(path))}: {error.strerror or error}. This user must be able "
            "to write beside the state"
        ) from None


def _make_file(path: Path, limits: Limits) -> bool:
    """Whether it is ours that is in place now."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        made = sqlite_database(draft, limits)
        upgrade(made)
        made.close()
        # Fails where another process was faster; then the other file is the state.
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        sync_folder(path.parent)
        return True
    finally:
        for leftover in (draft, draft.with_name(draft.name + "-journal")):
            leftover.unlink(missing_ok=True)


def _use_journal(path: Path, limits: Limits) -> None:
    """Sets the journal mode. Left as it is while somebody else has the file open."""
    wanted = choose_journal(path, sqlite3.sqlite_version_info[:3])
    with contextlib.closing(sqlite3.connect(path, timeout=limits.lock.total_seconds())) as plain:
        try:
            (current,) = plain.execute("PRAGMA journal_mode").fetchone()
            # "delete" and "truncate" differ only in how a journal ends, and are no property of the
            # file: each connection sets its own.
            if (str(current).lower() == "wal") != (wanted == "WAL"):
                plain.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"state {path_text(path)}: {error}. The file is damaged or is no state of "
                "eventwatch. Restore a backup, or name another file in config.yaml"
            ) from None


def verify_pages(database: Database) -> None:
    """Raises StoreError for a file with a damaged page."""
    with database.reading() as connection:
        answer = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if answer != "ok":
        raise StoreError(_damaged(database))


def _damaged(database: Database) -> str:
    return (
        f"state {database.place}: it is damaged or incomplete. Restore a backup, or move it away "
        "to start without memory of what was told"
    )


def sync_folder(folder: Path) -> None:
    """Makes names in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
