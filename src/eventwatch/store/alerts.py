"""Alerts as rows: at most one open alert per fingerprint, whoever opens it.

Two processes may judge one exposure at once (an audit with ``--send`` beside a daemon without a common
lease). Then both open the same trouble; the second is merged into the first, so that there is one
alert and its owner hears of it once. A closed alert stays closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.errors import StoreError
from eventwatch.model.status import Severity
from eventwatch.store.encoding import decode_result, encode_result
from eventwatch.store.encoding_incidents import decode_cause, encode_cause
from eventwatch.store.schema import alert
from eventwatch.store.upsert import insert

IS_OPEN = alert.c.is_open == sa.literal_column("1")
"""As a literal: SQLite uses a partial index only where it reads the number itself."""
_CHUNK = 500


@dataclass(frozen=True)
class Merged:
    """An alert that another process had opened before."""

    id: str
    """Of the row that stays."""
    was_told: bool
    """Its owner was told already, at this severity or a higher one."""


def open_alerts(connection: sa.Connection, exposure_id: str) -> tuple[Alert, ...]:
    """Pending and firing ones, oldest first."""
    rows = connection.execute(
        sa.select(alert)
        .where(alert.c.exposure_id == exposure_id, alert.c.is_open == 1)
        .order_by(alert.c.started_at, alert.c.id)
    )
    return tuple(read(row._mapping) for row in rows)


def write_alerts(
    connection: sa.Connection, exposure_id: str, alerts: Iterable[Alert]
) -> Mapping[str, Merged]:
    """Writes new and changed alerts; returns, by id, those that were merged into another row."""
    merged: dict[str, Merged] = {}
    # Closed ones first: the trouble may end and begin anew within one cycle. Then by fingerprint,
    # so that two transactions never wait for each other crosswise.
    ordered = sorted(alerts, key=lambda a: (a.open, a.fingerprint, a.id))
    for is_open, some in groupby(ordered, key=lambda a: a.open):
        for one in _write_many(connection, exposure_id, tuple(some), is_open=is_open):
            into = _write(connection, exposure_id, one)
            if into is not None:
                merged[one.id] = into
    return merged


def merge(known: Alert, other: Alert) -> Alert:
    """One alert from two of the same fingerprint: the row of the first, the furthest state, the
    newest verdict, and everything that was told by either."""
    newest = max(known, other, key=lambda a: a.seen_at)
    told = max(
        (a for a in (known, other) if a.notified_at is not None),
        key=lambda a: (a.notified_at, _rank(a.notified_severity)),
        default=known,
    )
    fired = [a.fired_at for a in (known, other) if a.fired_at is not None]
    firing = AlertState.FIRING in (known.state, other.state)
    return replace(
        known,
        state=AlertState.FIRING if firing else AlertState.PENDING,
        result=newest.result,
        started_at=min(known.started_at, other.started_at),
        seen_at=newest.seen_at,
        fired_at=min(fired, default=None),
        good_since=newest.good_since,
        notified_at=told.notified_at,
        notified_severity=told.notified_severity,
        cause=newest.cause,
        explained=newest.explained,
    )


def alerts_like(connection: sa.Connection, beginning: str, limit: int) -> tuple[Alert, ...]:
    """Open and closed ones whose fingerprint or id begins so, newest first."""
    rows = connection.execute(
        sa.select(alert)
        .where(
            sa.or_(
                alert.c.fingerprint.startswith(beginning, autoescape=True),
                alert.c.id.startswith(beginning, autoescape=True),
            )
        )
        .order_by(alert.c.is_open.desc(), alert.c.started_at.desc(), alert.c.id)
        .limit(limit)
    )
    return tuple(read(row._mapping) for row in rows)


def by_id(connection: sa.Connection, ids: Collection[str]) -> tuple[Alert, ...]:
    """Open and closed ones, oldest first."""
    wanted, found = sorted(set(ids)), list[Alert]()
    for start in range(0, len(wanted), _CHUNK):
        some = alert.c.id.in_(wanted[start : start + _CHUNK])
        rows = connection.execute(sa.select(alert).where(some))
        found.extend(read(row._mapping) for row in rows)
    return tuple(sorted(found, key=lambda one: (one.started_at, one.id)))


def _write_many(
    connection: sa.Connection, exposure_id: str, some: Sequence[Alert], *, is_open: bool
) -> list[Alert]:
    """Writes them in two statements and returns those for which that did not do."""
    ids = [one.id for one in some]
    known = _ids(connection, ids)
    changed = [{"b_id": one.id, **_values(one)} for one in some if one.id in known]
    if changed:
        # A closed one stays closed.
        mine = sa.and_(alert.c.id == sa.bindparam("b_id"), alert.c.is_open == 1)
        columns: dict[str, Any] = {
            name: sa.bindparam(name) for name in changed[0] if name != "b_id"
        }
        connection.execute(sa.update(alert).where(mine).values(columns), changed)
    new = [one for one in some if one.id not in known]
    if not new:
        return []
    rows = [{"id": one.id, "exposure_id": exposure_id, **_values(one)} for one in new]
    connection.execute(insert(connection, alert).on_conflict_do_nothing(), rows)
    if not is_open:
        return []  # Only open ones can meet another of their fingerprint.
    there = _ids(connection, ids)
    return [one for one in new if one.id not in there]


def _ids(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        some = alert.c.id.in_(ids[start : start + _CHUNK])
        found.update(connection.scalars(sa.select(alert.c.id).where(some)))
    return found


def _write(connection: sa.Connection, exposure_id: str, one: Alert) -> Merged | None:
    """One that is new while another of its fingerprint is open, or was a moment ago."""
    while True:
        row = connection.execute(
            sa.select(alert)
            .where(alert.c.fingerprint == one.fingerprint, alert.c.is_open == 1)
            .with_for_update()
        ).first()
        if row is not None:
            break
        # Closed between the two statements: the insert has its place now.
        added = connection.execute(
            insert(connection, alert)
            .values(id=one.id, exposure_id=exposure_id, **_values(one))
            .on_conflict_do_nothing()
            .returning(alert.c.id)
        )
        if added.first() is not None:
            return None
        if _ids(connection, [one.id]):
            return None  # Somebody wrote it meanwhile.
    known = read(row._mapping)
    connection.execute(
        sa.update(alert).where(alert.c.id == known.id).values(_values(merge(known, one)))
    )
    told = known.notified_at is not None
    return Merged(known.id, told and _rank(known.notified_severity) >= one.result.severity.rank)


def _rank(severity: Severity | None) -> int:
    return -1 if severity is None else severity.rank


def _values(one: Alert) -> dict[str, Any]:
    return {
        "fingerprint": one.fingerprint,
        "is_open": int(one.open),
        "state": one.state.value,
        "result": encode_result(one.result),
        "started_at": one.started_at,
        "seen_at": one.seen_at,
        "fired_at": one.fired_at,
        "ended_at": one.ended_at,
        "end_reason": one.end_reason,
        "good_since": one.good_since,
        "notified_at": one.notified_at,
        "notified_severity": None if one.notified_severity is None else one.notified_severity.value,
        "cause": None if one.cause is None else encode_cause(one.cause),
        "explained": int(one.explained),
    }


def read(row: Mapping[Any, Any]) -> Alert:
    """The record of a row."""
    try:
        result = decode_result(row["result"])
        cause = None if row["cause"] is None else decode_cause(row["cause"])
    except (ValueError, KeyError, TypeError, IndexError):
        raise StoreError(
            f"state: the alert {row['id']} cannot be read. A newer eventwatch may have written it; "
            "install that version, or delete the row"
        ) from None
    severity = row["notified_severity"]
    return Alert(
        id=row["id"],
        fingerprint=row["fingerprint"],
        state=AlertState(row["state"]),
        result=result,
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        fired_at=row["fired_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
        good_since=row["good_since"],
        notified_at=row["notified_at"],
        notified_severity=None if severity is None else Severity(severity),
        cause=cause,
        explained=bool(row["explained"]),
    )
