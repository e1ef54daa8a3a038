"""``INSERT … ON CONFLICT``, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps apart."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own insert, which knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def least(connection: sa.Connection, one: Any, other: Any) -> Any:
    """The smaller of two values of one row."""
    return (sa.func.min if connection.dialect.name == "sqlite" else sa.func.least)(one, other)


def greatest(connection: sa.Connection, one: Any, other: Any) -> Any:
    """The larger of two values of one row."""
    return (sa.func.max if connection.dialect.name == "sqlite" else sa.func.greatest)(one, other)
