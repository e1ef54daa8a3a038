"""How the state is: its file, its schema, what waits in it. Reads only and never makes or mends.

Each question is asked for itself, so that a state that is damaged or of another version still says
what it can.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from eventwatch.model.errors import StoreError
from eventwatch.model.settings import Secret
from eventwatch.store.engine import Database, Limits, on_network, open_database, parse_url
from eventwatch.store.lost import refuse_if_lost
from eventwatch.store.migrate import Found, inspect
from eventwatch.store.schema import heartbeat
from eventwatch.store.schema_messages import delivery

T = TypeVar("T")
DEAD_DAYS = timedelta(days=7)
_LIMITS = Limits(timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=5))


@dataclass(frozen=True)
class StateExam:
    """What was found. Where ``trouble`` says why something is not known, its field is empty."""

    place: str
    """For people; without user and password."""
    exists: bool
    trouble: str = ""
    older: bool = False
    """An older eventwatch wrote it; the next start upgrades it."""
    pages: str = ""
    """``ok``, or what SQLite says of the file; empty for PostgreSQL."""
    journal: str = ""
    """SQLite's mode: ``wal``, ``delete``, …; empty for PostgreSQL."""
    on_network: bool = False
    free_bytes: int | None = None
    unsent_count: int = 0
    oldest_unsent: datetime | None = None
    dead_count: int = 0
    """Of the last week."""
    newest_beat: datetime | None = None


def examine(url: Secret, now: datetime) -> StateExam:
    """Looks at everything. Raises nothing but what is a defect."""
    try:
        database = open_database(parse_url(url), _LIMITS, read_only=True)
    except StoreError as error:
        return StateExam("", exists=False, trouble=str(error))
    try:
        return _examined(database, now)
    finally:
        database.close()


def _examined(database: Database, now: datetime) -> StateExam:
    path, place = database.path, database.place
    free = None if path is None else _free(path)
    network = path is not None and on_network(path)
    if path is not None and not path.exists():
        trouble = _lost(path)
        return StateExam(place, exists=False, trouble=trouble, on_network=network, free_bytes=free)
    if path is not None and path.stat().st_size == 0:
        trouble = (
            f"state {place}: the file is empty, and eventwatch never leaves one empty. Restore a "
            "backup, or remove it to start without memory of what was told"
        )
        return StateExam(place, exists=True, trouble=trouble, on_network=network, free_bytes=free)
    journal = "" if path is None else _pragma(path, "journal_mode")
    pages = "" if path is None else _pragma(path, "quick_check(1)")
    base = StateExam(
        place, exists=True, on_network=network, free_bytes=free, journal=journal, pages=pages
    )
    found, trouble = _asked(database, lambda connection: inspect(connection, database))
    if found is Found.OURS:
        counts, trouble = _asked(database, lambda connection: _waiting(connection, now))
        if counts is not None:
            return StateExam(**{**base.__dict__, **counts})
    return StateExam(
        **{
            **base.__dict__,
            "exists": found is not Found.NOTHING,
            "older": found is Found.OLDER,
            "trouble": trouble,
        }
    )


def _asked(database: Database, ask: Callable[[sa.Connection], T]) -> tuple[T | None, str]:
    try:
        with database.reading() as connection:
            return ask(connection), ""
    except StoreError as error:
        return None, str(error)


def _waiting(connection: sa.Connection, now: datetime) -> dict[str, object]:
    waits = delivery.c.state.in_(("pending", "sending"))
    unsent = connection.execute(
        sa.select(sa.func.count(), sa.func.min(delivery.c.created_at)).where(waits)
    ).one()
    dead = connection.scalar(
        sa.select(sa.func.count()).where(
            delivery.c.state == "dead", delivery.c.created_at > now - DEAD_DAYS
        )
    )
    return {
        "unsent_count": unsent[0],
        "oldest_unsent": unsent[1],
        "dead_count": dead or 0,
        "newest_beat": connection.scalar(sa.select(sa.func.max(heartbeat.c.at))),
    }


def _pragma(path: Path, what: str) -> str:
    try:
        # SQLAlchemy is left out: a damaged file is to be asked as it is.
        target = path.absolute().as_uri() + "?mode=ro"
        with contextlib.closing(sqlite3.connect(target, uri=True, timeout=5.0)) as plain:
            row = plain.execute(f"PRAGMA {what}").fetchone()
            return str(row[0]).splitlines()[0][:200] if row else ""
    except sqlite3.Error as error:
        return " ".join(str(error).split())[:200]


def _lost(path: Path) -> str:
    try:
        refuse_if_lost(path)
    except StoreError as error:
        return str(error)
    return ""


def _free(path: Path) -> int | None:
    there = next((each for each in (path.parent, *path.parent.parents) if each.is_dir()), None)
    try:
        return None if there is None else shutil.disk_usage(there).free
    except OSError:
        return None
