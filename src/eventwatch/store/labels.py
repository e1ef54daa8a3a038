"""What people said of incidents, as rows. A label is never changed, only withdrawn."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from eventwatch.model.errors import StoreError
from eventwatch.model.label import Label, Opinion
from eventwatch.store.encoding import decode_event_type, encode_event_type, key_of
from eventwatch.store.schema import label
from eventwatch.store.upsert import insert


def add(connection: sa.Connection, one: Label) -> None:
    """Remembers it; one whose id is known is left as it is."""
    connection.execute(
        insert(connection, label)
        .values(
            id=one.id,
            exposure_id=key_of(one.exposure),
            exposure=one.exposure,
            event_type=encode_event_type(one.event_type),
            dimension=one.dimension,
            value=one.value,
            fingerprint=one.fingerprint,
            opinion=one.opinion.value,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            reason=one.reason,
            author=one.author,
            given_at=one.given_at,
            withdrawn_at=one.withdrawn_at,
        )
        .on_conflict_do_nothing()
    )


def withdraw(connection: sa.Connection, label_id: str, now: datetime) -> bool:
    """Whether there was one of that id that counted until now."""
    changed = connection.execute(
        sa.update(label)
        .where(
            label.c.id == label_id,
            sa.or_(label.c.withdrawn_at.is_(None), label.c.withdrawn_at > now),
        )
        .values(withdrawn_at=now)
    )
    return bool(changed.rowcount)


def known(
    connection: sa.Connection, now: datetime, exposure_id: str | None = None
) -> tuple[Label, ...]:
    """Given and not withdrawn by then, newest first; of one exposure or of all."""
    wanted = [
        label.c.given_at <= now,
        sa.or_(label.c.withdrawn_at.is_(None), label.c.withdrawn_at > now),
    ]
    if exposure_id is not None:
        wanted.append(label.c.exposure_id == exposure_id)
    rows = connection.execute(
        sa.select(label).where(*wanted).order_by(label.c.given_at.desc(), label.c.id)
    )
    return tuple(_label(row) for row in rows)


def _label(row: sa.Row[tuple[object, ...]]) -> Label:
    try:
        opinion = Opinion(row.opinion)
    except ValueError:
        raise StoreError(
            f"state: the label {row.id} cannot be read. A newer eventwatch may have written it; "
            "install that version, or delete the row"
        ) from None
    return Label(
        id=row.id,
        exposure=row.exposure,
        event_type=decode_event_type(row.event_type),
        opinion=opinion,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.reason,
        author=row.author,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
        fingerprint=row.fingerprint,
        dimension=row.dimension,
        value=row.value,
    )
