"""What one cycle changes, written in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa

from eventwatch.model.alert import Delivery
from eventwatch.model.state import CycleRecord
from eventwatch.store import alerts, leases, outbox, retention
from eventwatch.store.encoding import encode_event_type, key_of
from eventwatch.store.schema import cycle, exposure_cycle, ledger
from eventwatch.store.upsert import greatest, insert, least


def commit(connection: sa.Connection, record: CycleRecord) -> None:
    """Everything of the record. Raises LeaseHeld before anything is changed."""
    if record.lease is not None:
        leases.verify(connection, record.lease)
    exposure_id = key_of(record.exposure)
    _write_exposure(connection, exposure_id, record)
    _write_ledger(connection, exposure_id, record)
    merged = alerts.write_alerts(connection, exposure_id, record.alerts)
    outbox.add(connection, _to_say(record.deliveries, merged))
    connection.execute(
        insert(connection, cycle)
        .values(
            id=key_of(record.exposure, record.run_id),
            exposure_id=exposure_id,
            run_id=record.run_id,
            at=record.now,
            counts=json.dumps(record.counts, sort_keys=True),
            elapsed_seconds=record.elapsed_seconds,
            error=outbox.shorten(record.error),
        )
        .on_conflict_do_nothing()
    )
    retention.prune(connection, record.now)


def _write_exposure(connection: sa.Connection, exposure_id: str, record: CycleRecord) -> None:
    new = insert(connection, exposure_cycle).values(
        id=exposure_id,
        name=record.exposure,
        watermark=record.watermark,
        watching_since=record.now,
        recounted_on=record.recounted_on,
        catalog_digest=record.catalog_digest,
        last_cycle_at=record.now,
        last_error=outbox.shorten(record.error),
    )
    old = exposure_cycle.c
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={
                # Neither moves back: a late writer knows less than what is there.
                "watermark": _later(connection, old.watermark, new.excluded.watermark),
                "recounted_on": _later(connection, old.recounted_on, new.excluded.recounted_on),
                "last_cycle_at": _later(connection, old.last_cycle_at, new.excluded.last_cycle_at),
                "catalog_digest": new.excluded.catalog_digest,
                "last_error": new.excluded.last_error,
            },
        )
    )


def _write_ledger(connection: sa.Connection, exposure_id: str, record: CycleRecord) -> None:
    rows = sorted(
        (
            {
                "exposure_id": exposure_id,
                "id": key_of(encode_event_type(key.event_type), key.dimension, key.value),
                "event_type": encode_event_type(key.event_type),
                "dimension": key.dimension,
                "value": key.value,
                "first_at": seen.first_at,
                "last_at": seen.last_at,
            }
            for key, seen in record.ledger.items()
        ),
        key=lambda row: str(row["id"]),
    )
    if not rows:
        return
    new = insert(connection, ledger)
    first, last = new.excluded.first_at, new.excluded.last_at
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["exposure_id", "id"],
            set_={
                "first_at": least(connection, ledger.c.first_at, first),
                "last_at": greatest(connection, ledger.c.last_at, last),
            },
            where=sa.or_(first < ledger.c.first_at, last > ledger.c.last_at),
        ),
        rows,
    )


def _to_say(
    deliveries: tuple[Delivery, ...], merged: Mapping[str, alerts.Merged]
) -> list[Delivery]:
    """The deliveries without those that are wholly about trouble which another process told already;
    the others name the alerts by the rows that stayed."""
    kept = []
    for one in deliveries:
        into = [merged.get(alert_id) for alert_id in one.alert_ids]
        if into and all(m is not None and m.was_told for m in into):
            continue
        ids = tuple(
            alert_id if m is None else m.id for alert_id, m in zip(one.alert_ids, into, strict=True)
        )
        kept.append(replace(one, alert_ids=ids))
    return kept


def _later(
    connection: sa.Connection, old: sa.ColumnElement[object], new: sa.ColumnElement[object]
) -> sa.ColumnElement[object]:
    """The later of two of which either may be null."""
    later: sa.ColumnElement[object] = greatest(
        connection, sa.func.coalesce(old, new), sa.func.coalesce(new, old)
    )
    return later
