"""What happened to incidents, as rows that are never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Moment, MomentKind
from eventwatch.store.schema_incidents import moment
from eventwatch.store.upsert import insert


def add(connection: sa.Connection, moments: Iterable[Moment], *, told: bool) -> None:
    """New ones; one whose id is known is left as it is. ``told``: a telling step made them."""
    rows = [
        {
            "id": one.id,
            "incident_id": one.incident_id,
            "at": one.at,
            "place": place,
            "kind": one.kind.value,
            "text": one.text,
            "author": one.author,
            "alert_ids": one.alert_ids,
            "told": int(told),
        }
        for place, one in enumerate(moments)
    ]
    if rows:
        connection.execute(insert(connection, moment).on_conflict_do_nothing(), rows)


def mark_told(connection: sa.Connection, ids: Sequence[str]) -> None:
    """A telling step has seen them."""
    if ids:
        connection.execute(
            sa.update(moment).where(moment.c.id == sa.bindparam("one")).values(told=1),
            [{"one": each} for each in ids],
        )


def untold(connection: sa.Connection) -> tuple[Moment, ...]:
    """What people did and no telling step has seen yet, oldest first."""
    rows = connection.execute(
        sa.select(moment)
        .where(moment.c.told == 0)
        .order_by(moment.c.at, moment.c.place, moment.c.id)
    )
    return tuple(_moment(row) for row in rows)


def of(connection: sa.Connection, incident_id: str) -> tuple[Moment, ...]:
    """Of one incident, oldest first; of those that were written at once, in their order."""
    rows = connection.execute(
        sa.select(moment)
        .where(moment.c.incident_id == incident_id)
        .order_by(moment.c.at, moment.c.place, moment.c.id)
    )
    return tuple(_moment(row) for row in rows)


def _moment(row: sa.Row[tuple[object, ...]]) -> Moment:
    try:
        kind = MomentKind(row.kind)
    except ValueError:
        raise StoreError(
            f"state: the moment {row.id} cannot be read. A newer eventwatch may have written it; "
            "install that version, or delete the row"
        ) from None
    return Moment(
        id=row.id,
        incident_id=row.incident_id,
        at=row.at,
        kind=kind,
        text=row.text,
        author=row.author,
        alert_ids=row.alert_ids,
    )
