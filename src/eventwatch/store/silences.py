"""Silences as rows, what each of them hid, and whether its end was told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from eventwatch.model.alert import Silence
from eventwatch.store.encoding import key_of
from eventwatch.store.schema import silence
from eventwatch.store.schema_incidents import hidden
from eventwatch.store.upsert import insert

_COLUMNS = [column for column in silence.c if column.name != "told"]
_BY_END = (silence.c.ends_at, silence.c.id)


def running(connection: sa.Connection, now: datetime) -> tuple[Silence, ...]:
    """Those that have not ended, the one that ends first first; some may not have begun."""
    return _silences(connection, silence.c.ends_at > now)


def ended(connection: sa.Connection, since: datetime, now: datetime) -> tuple[Silence, ...]:
    """Those that ended after an instant, the latest first."""
    over = _silences(connection, sa.and_(silence.c.ends_at > since, silence.c.ends_at <= now))
    return over[::-1]


def to_tell(connection: sa.Connection, now: datetime, since: datetime) -> tuple[Silence, ...]:
    """Those that apply, and those whose end was not told yet and is not older than ``since``."""
    applies = sa.and_(silence.c.starts_at <= now, silence.c.ends_at > now)
    untold = sa.and_(silence.c.ends_at <= now, silence.c.ends_at > since, silence.c.told == 0)
    return _silences(connection, sa.and_(silence.c.ends_at > since, sa.or_(applies, untold)))


def add(connection: sa.Connection, one: Silence) -> None:
    """Remembers it; one whose id is known is left as it is."""
    connection.execute(
        insert(connection, silence).values(**asdict(one), told=0).on_conflict_do_nothing()
    )


def end(connection: sa.Connection, silence_id: str, now: datetime) -> bool:
    """Ends it now, if it has not ended; False when there is none of that id."""
    mine = silence.c.id == silence_id
    connection.execute(sa.update(silence).where(mine, silence.c.ends_at > now).values(ends_at=now))
    return connection.scalar(sa.select(silence.c.id).where(mine)) is not None


def hidden_by(connection: sa.Connection, since: datetime) -> dict[str, tuple[str, ...]]:
    """Silence id → ids of incidents in the order in which it hid them; of those whose end was not
    told, the running ones too, and of maintenance windows."""
    rows = connection.execute(
        sa.select(hidden.c.silence_id, hidden.c.incident_id)
        .where(hidden.c.told == 0, hidden.c.at > since)
        .order_by(hidden.c.silence_hash, hidden.c.at, hidden.c.place, hidden.c.incident_id)
    ).all()
    return {
        name: tuple(row[1] for row in group)
        for name, group in groupby(rows, key=lambda row: str(row[0]))
    }


def hidden_of(
    connection: sa.Connection, silence_ids: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The same of these silences, whether or not their end was told."""
    names = {key_of(name): name for name in silence_ids}
    rows = connection.execute(
        sa.select(hidden.c.silence_hash, hidden.c.incident_id)
        .where(hidden.c.silence_hash.in_(sorted(names)))
        .order_by(hidden.c.silence_hash, hidden.c.at, hidden.c.place, hidden.c.incident_id)
    ).all()
    return {
        names[key]: tuple(row[1] for row in group)
        for key, group in groupby(rows, key=lambda row: str(row[0]))
    }


def add_hidden(connection: sa.Connection, what: Mapping[str, Sequence[str]], now: datetime) -> None:
    """Adds to what is known."""
    rows = [
        {
            "silence_hash": key_of(silence_id),
            "incident_id": incident_id,
            "silence_id": silence_id,
            "at": now,
            "place": place,
            "told": 0,
        }
        for silence_id, incident_ids in what.items()
        for place, incident_id in enumerate(incident_ids)
    ]
    if rows:
        connection.execute(insert(connection, hidden).on_conflict_do_nothing(), rows)


def mark_told(connection: sa.Connection, silence_ids: Iterable[str]) -> None:
    """Their end was told, or needs no telling."""
    ids = sorted(set(silence_ids))
    if not ids:
        return
    hashes = [key_of(each) for each in ids]
    connection.execute(sa.update(silence).where(silence.c.id.in_(ids)).values(told=1))
    connection.execute(sa.update(hidden).where(hidden.c.silence_hash.in_(hashes)).values(told=1))


def _silences(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> tuple[Silence, ...]:
    rows = connection.execute(sa.select(*_COLUMNS).where(wanted).order_by(*_BY_END))
    return tuple(Silence(**row._mapping) for row in rows)
