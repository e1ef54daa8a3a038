"""Connections to the state: SQLite or PostgreSQL, one transaction at a time.

SQLite opens a connection per transaction, so none is ever shared between threads or held across a
fork, and never creates a file by opening it: a state that was deleted under a running daemon is an
error, not an empty state. No error text carries the URL or a bound value.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from eventwatch.model.errors import StoreError, path_text
from eventwatch.model.settings import Secret

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs", "fuse.s3fs"}
)
_POOL_SIZE = 5


@dataclass(frozen=True)
class Limits:
    """How long the state may make us wait."""

    lock: timedelta = timedelta(seconds=30)
    """For another process to end its transaction."""
    statement: timedelta = timedelta(seconds=30)
    """PostgreSQL: for one statement."""
    connect: timedelta = timedelta(seconds=10)
    """PostgreSQL: for the server to answer."""


@dataclass(frozen=True)
class Database:
    """A place where state is kept, and how transactions on it are made."""

    engine: sa.Engine
    place: str
    """For people; without user and password."""
    path: Path | None
    """The file of SQLite; None: PostgreSQL."""
    secret: str = ""
    """Never to appear in an error."""
    read_only: bool = False
    fence: Callable[[sa.Connection], None] | None = None
    """Asked at the start of every transaction that writes; raises where it may not."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One write transaction: all of the block or nothing. Raises StoreError."""
        if self.read_only:
            raise StoreError(f"state {self.place}: it was opened for reading only")
        with self.errors(), self.engine.connect() as connection, connection.begin():
            if self.path is None:
                self._limit(connection)
            if self.fence is not None:
                self.fence(connection)
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One snapshot of everything. Raises StoreError."""
        options: dict[str, Any] = {"eventwatch_reads": True}
        if self.path is None:
            options.update(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with self.errors(), self.engine.connect() as connection:
            connection = connection.execution_options(**options)  # noqa: PLW2901
            with connection.begin():
                if self.path is None:
                    self._limit(connection)
                yield connection

    def close(self) -> None:
        """Gives back every connection."""
        self.engine.dispose()

    def _limit(self, connection: sa.Connection) -> None:
        # SET LOCAL, not connection options: it also holds behind a pooler such as pgbouncer.
        limits: Limits = connection.engine.get_execution_options()["eventwatch_limits"]
        connection.exec_driver_sql(
            f"SET LOCAL statement_timeout = {_ms(limits.statement)};"
            f"SET LOCAL lock_timeout = {_ms(limits.lock)};"
            f"SET LOCAL idle_in_transaction_session_timeout = {_ms(limits.statement)}"
        )

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Raises StoreError, with what to do, for what the database says."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreError(self._explain(error)) from None

    def _explain(self, error: Exception) -> str:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error
        text = " ".join(str(cause).split())[:300]
        if self.secret:
            text = text.replace(self.secret, "********")
        if self.read_only and "readonly database" in text:
            # SQLite would have to roll a commit back that was cut off, which is writing.
            return (
                f"state {self.place}: a process died in the middle of a commit, and the file must be "
                "put right before it can be read, but this user may not write it. Start `eventwatch "
                "run` or `eventwatch run-once --send` once as the user of the daemon, which does it"
            )
        return f"state {self.place}: {text}. {_advice(text)}"


def parse_url(url: Secret) -> URL:
    """The URL as SQLAlchemy's; PostgreSQL with psycopg 3. Raises StoreError without quoting it."""
    try:
        parsed = make_url(url.reveal())
    except (ArgumentError, ValueError):
        raise StoreError(
            "state: this is not a URL. Write sqlite:///path/to/state.db or "
            "postgresql://user@host/database"
        ) from None
    kind = parsed.drivername.split("+")[0]
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise StoreError(
            f"state: {kind!r} is not supported. Write sqlite:///path/to/state.db or "
            "postgresql://user@host/database"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("state: SQLite needs a file, for example sqlite:///var/state.db")
    return parsed


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite URL; None for PostgreSQL."""
    if not url.drivername.startswith("sqlite"):
        return None
    return Path(url.database or "").absolute()


def state_file(url: Secret) -> Path | None:
    """The file of the state; None: it is on a server. Raises StoreError."""
    return sqlite_path(parse_url(url))


def open_database(url: URL, limits: Limits, *, read_only: bool = False) -> Database:
    """Prepares connections; opens none yet. Raises StoreError when the driver is missing."""
    path = sqlite_path(url)
    if path is not None:
        return sqlite_database(path, limits, read_only=read_only)
    place = f"postgresql://{url.host or 'localhost'}/{url.database or ''}"
    try:
        engine = sa.create_engine(
            url,
            pool_size=_POOL_SIZE,
            pool_pre_ping=True,
            pool_recycle=1800,
            hide_parameters=True,
            connect_args={
                "connect_timeout": max(1, int(limits.connect.total_seconds())),
                # Statements that the server remembers do not survive a pooler.
                "prepare_threshold": None,
                "keepalives_idle": 30,
                "application_name": "eventwatch",
            },
            execution_options={"eventwatch_limits": limits},
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise StoreError(
            f"state {place}: the driver is not installed. Install eventwatch[postgres]"
        ) from None
    except (SQLAlchemyError, ValueError, TypeError):
        raise StoreError(f"state {place}: the URL has an option that the driver refuses") from None
    return Database(engine, place, None, url.password or "", read_only)


def sqlite_database(path: Path, limits: Limits, *, read_only: bool = False) -> Database:
    """Connections to an existing SQLite file."""
    target = f"file:{quote(os.fsencode(path))}?mode={'ro' if read_only else 'rw'}"

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(
            target, uri=True, timeout=limits.lock.total_seconds(), isolation_level=None
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def connect() -> sqlite3.Connection:
        try:
            return opened()
        except sqlite3.OperationalError as error:
            if not read_only or "readonly database" not in str(error):
                raise
        _undo_cut_off_commit(path, limits)
        return opened()

    engine = sa.create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=sa.NullPool, hide_parameters=True
    )

    # A transaction that reads first and then writes fails at once when another one wrote in
    # between, whatever the timeout, so every transaction that may write says so at its start.
    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("eventwatch_reads", False)
        connection.exec_driver_sql("BEGIN" if reads or read_only else "BEGIN IMMEDIATE")

    return Database(engine, path_text(path), path, read_only=read_only)


def _undo_cut_off_commit(path: Path, limits: Limits) -> None:
    """Lets SQLite put back what a killed process left half written, which only a writer may do.

    It gives back the state of the last whole commit, so reading after it is reading still. Where
    this user may not write, the question itself fails and says so.
    """
    with contextlib.suppress(sqlite3.Error):
        writer = sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?mode=rw",
            uri=True,
            timeout=limits.lock.total_seconds(),
            isolation_level=None,
        )
        with contextlib.closing(writer):
            writer.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def choose_journal(path: Path, version: tuple[int, int, int]) -> str:
    """``WAL`` where it is safe, else ``TRUNCATE``.

    Versions of SQLite from 3.7.0 on can corrupt a file in WAL mode when two connections checkpoint
    at once; mended in 3.51.3 and taken back into 3.44.6 and 3.50.7 (https://sqlite.org/wal.html).
    WAL also needs shared memory, which network file systems do not have.
    """
    mended = (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )
    return "WAL" if mended and not on_network(path) else "TRUNCATE"


def on_network(path: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether the file lies on a network file system, as far as the kernel tells."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    real = path.resolve()
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        point = Path(fields[1].replace("\\040", " "))
        if (real == point or point in real.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind in _NETWORK_FILE_SYSTEMS


def _ms(span: timedelta) -> int:
    return max(1, int(span.total_seconds() * 1000))


def _advice(text: str) -> str:
    """What to do, by what SQLite and PostgreSQL say; they have no stable codes in common."""
    lower = text.lower()
    for words, advice in (
        (("disk is full", "no space left"), "Free some space; nothing was changed"),
        (
            ("malformed", "not a database", "corrupt"),
            "The file is damaged. Restore a backup, or move it away to start without memory of "
            "what was told",
        ),
        (
            ("readonly", "read-only", "permission denied"),
            "Give this user the right to write the file and its folder",
        ),
        (
            ("unable to open database file",),
            "The file is gone or may not be read. Is its disk mounted? Restore a backup",
        ),
        (
            ("database is locked", "lock timeout"),
            "Another process holds the state; try again, or end that process if it hangs",
        ),
        (
            ("connection refused", "could not connect", "connection failed", "timeout expired"),
            "Is the server running and may this host reach it?",
        ),
        (("authentication", "password"), "Check user and password of the URL"),
    ):
        if any(word in lower for word in words):
            return advice
    return "Nothing was changed"
