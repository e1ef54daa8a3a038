"""Exposures that nobody looks at any more: what is open of them ends, for nothing else would end it.

An exposure that was taken out of the config, or renamed, has no cycle that could see its trouble go;
its incidents would be reminded of for ever. Other processes may look at exposures of the same state
that this config does not have, so who was not seen to take it out waits for a day without any cycle.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.errors import LeaseHeld
from eventwatch.model.state import CycleRecord
from eventwatch.ports.store import Store

UNSEEN = timedelta(hours=25)
"""Without any cycle for so long an exposure is watched by nobody: a job that looks once a day would
have done it."""
REASON = "the exposure is watched no more"
_LEASE = timedelta(minutes=1)


def forgotten(
    store: Store, watched: Collection[str], removed: Collection[str], now: datetime
) -> tuple[str, ...]:
    """Exposures with open alerts that nobody watches. ``watched`` are in the config; ``removed`` were
    until this process took another one. Raises StoreError."""
    seen: dict[str, datetime] = {}
    for alert in store.board(now).alerts.values():
        name = alert.result.exposure
        if alert.open and name not in watched:
            seen[name] = max(alert.seen_at, seen.get(name, alert.seen_at))
    return tuple(
        sorted(
            name
            for name, at in seen.items()
            if name in removed or now - _last_look(store, name, at) > UNSEEN
        )
    )


def say_farewell(store: Store, exposure: str, run_id: str, holder: str, now: datetime) -> int:
    """Ends what is open of it, in one transaction, and says how many alerts these were; 0 too where
    somebody else is just looking at it. Raises StoreError."""
    try:
        lease = store.take_lease(f"exposure:{exposure}", holder, now, _LEASE)
    except LeaseHeld as error:
        if error.name != f"exposure:{exposure}":
            raise
        return 0
    try:
        ended = tuple(_ended(a, now) for a in store.exposure_state(exposure, now).alerts)
        store.commit_cycle(
            CycleRecord(
                exposure=exposure,
                run_id=run_id,
                now=now,
                lease=lease,
                watermark=None,
                recounted_on=None,
                ledger={},
                alerts=ended,
                deliveries=(),
                error=REASON,
            )
        )
    finally:
        store.give_lease(lease)
    return len(ended)


def _last_look(store: Store, exposure: str, seen_at: datetime) -> datetime:
    beat = store.last_heartbeat(f"exposure:{exposure}")
    return seen_at if beat is None else max(beat, seen_at)


def _ended(alert: Alert, now: datetime) -> Alert:
    state = AlertState.RESOLVED if alert.state is AlertState.FIRING else AlertState.EXPIRED
    return replace(alert, state=state, ended_at=now, end_reason=REASON)
