"""Who may take a step that only one process at a time may take.

A writing transaction of SQLite excludes every other from its first statement on. On PostgreSQL each
such step locks a row of its own, and reads only after it has it: in the isolation that writers use,
every statement sees what was committed before it began.
"""

from __future__ import annotations

import sqlalchemy as sa

from eventwatch.store.schema import meta
from eventwatch.store.upsert import insert

TELLING, CLAIMING = "telling", "claiming"


def take(connection: sa.Connection, step: str) -> None:
    """Waits until no other transaction has it; it is given back with the end of this one."""
    if connection.dialect.name == "sqlite":
        return
    row = sa.select(meta.c.key).where(meta.c.key == step).with_for_update()
    if connection.scalar(row) is None:
        # The migration writes it; a state that was copied by hand may lack it.
        made = insert(connection, meta).values(key=step, value="").on_conflict_do_nothing()
        connection.execute(made)
        connection.execute(row)
