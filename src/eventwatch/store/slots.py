"""The slot ledger: each time at which the schedule wanted a cycle, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from eventwatch.model.errors import StoreError
from eventwatch.model.state import Slot, SlotStatus
from eventwatch.store.encoding import key_of
from eventwatch.store.outbox import shorten
from eventwatch.store.schema import slot
from eventwatch.store.upsert import insert

ENDED = tuple(each.value for each in (SlotStatus.RAN, SlotStatus.FAILED, SlotStatus.SKIPPED))


def write(connection: sa.Connection, slots: Sequence[Slot]) -> None:
    """New ones and those that changed; one that ended stays as it is."""
    rows = sorted(
        (
            {
                "exposure_id": key_of(one.exposure),
                "scheduled_at": one.scheduled_at,
                "exposure": one.exposure,
                "status": one.status.value,
                "reason": shorten(one.reason),
                "started_at": one.started_at,
                "ended_at": one.ended_at,
                "run_id": one.run_id,
            }
            for one in slots
        ),
        key=lambda row: (str(row["exposure_id"]), row["scheduled_at"]),
    )
    if not rows:
        return
    new = insert(connection, slot)
    columns = ("status", "reason", "started_at", "ended_at", "run_id")
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["exposure_id", "scheduled_at"],
            set_={name: new.excluded[name] for name in columns},
            where=sa.and_(*(slot.c.status != each for each in ENDED)),
        ),
        rows,
    )


def since(connection: sa.Connection, exposure: str, at: datetime) -> tuple[Slot, ...]:
    """Those of one exposure, oldest first."""
    rows = connection.execute(
        sa.select(slot)
        .where(slot.c.exposure_id == key_of(exposure), slot.c.scheduled_at >= at)
        .order_by(slot.c.scheduled_at)
    )
    return tuple(_slot(row) for row in rows)


def _slot(row: sa.Row[tuple[object, ...]]) -> Slot:
    try:
        status = SlotStatus(row.status)
    except ValueError:
        raise StoreError(
            f"state: a slot of status {row.status!r} cannot be read. A newer eventwatch may have "
            "written it; install that version, or delete the row"
        ) from None
    return Slot(
        exposure=row.exposure,
        scheduled_at=row.scheduled_at,
        status=status,
        reason=row.reason,
        started_at=row.started_at,
        ended_at=row.ended_at,
        run_id=row.run_id,
    )
