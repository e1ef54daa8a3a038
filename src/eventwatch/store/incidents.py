"""Incidents as rows: written as the difference to what was read, so that a long list of members costs
only what changed of it.

Whoever writes holds the lock of the telling step, so what was read is what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Incident, IncidentState, Member
from eventwatch.model.status import Severity
from eventwatch.store.encoding import key_of
from eventwatch.store.encoding_incidents import (
    decode_cause,
    decode_recipient,
    decode_recipients,
    encode_cause,
    encode_recipient,
    encode_recipients,
)
from eventwatch.store.schema import alert
from eventwatch.store.schema_incidents import incident, member
from eventwatch.store.upsert import insert

IS_OPEN = incident.c.is_open == sa.literal_column("1")
"""As a literal: SQLite uses a partial index only where it reads the number itself."""


def select(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> tuple[Incident, ...]:
    """Those that a condition on the table picks: open ones first, then the newest."""
    rows = connection.execute(
        sa.select(incident)
        .where(wanted)
        .order_by(incident.c.is_open.desc(), incident.c.opened_at.desc(), incident.c.id)
    ).all()
    if not rows:
        return ()
    of = _members(connection, sa.select(incident.c.id).where(wanted))
    return tuple(_incident(row._mapping, of.get(row.id, ())) for row in rows)


def by_id(connection: sa.Connection, ids: Sequence[str]) -> tuple[Incident, ...]:
    """Those that are known."""
    return select(connection, incident.c.id.in_(ids)) if ids else ()


def newest(connection: sa.Connection, limit: int, *, open_only: bool) -> tuple[Incident, ...]:
    """Open ones first, then the newest."""
    wanted = sa.select(incident.c.id).order_by(
        incident.c.is_open.desc(), incident.c.opened_at.desc(), incident.c.id
    )
    if open_only:
        wanted = wanted.where(IS_OPEN)
    return by_id(connection, connection.scalars(wanted.limit(limit)).all())


def like(connection: sa.Connection, beginning: str, limit: int) -> tuple[Incident, ...]:
    """By the beginning of its id, or of an alert's id or fingerprint; newest first."""
    by_alert = (
        sa.select(member.c.incident_id)
        .join(alert, alert.c.id == member.c.alert_id)
        .where(
            sa.or_(
                alert.c.fingerprint.startswith(beginning, autoescape=True),
                alert.c.id.startswith(beginning, autoescape=True),
            )
        )
    )
    ids = connection.scalars(
        sa.select(incident.c.id)
        .where(
            sa.or_(
                incident.c.id.startswith(beginning, autoescape=True),
                incident.c.id.in_(by_alert),
            )
        )
        .order_by(incident.c.opened_at.desc(), incident.c.id)
        .limit(limit)
    ).all()
    found = {one.id: one for one in by_id(connection, ids)}
    return tuple(found[each] for each in ids)


def write(
    connection: sa.Connection, changed: Iterable[Incident], known: Mapping[str, Incident]
) -> None:
    """New and changed ones; ``known``: as this transaction read them.

    Raises StoreError where two of one cause would be open.
    """
    # Closed ones first: one may end and another of the same cause begin in one step.
    for one in sorted(changed, key=lambda each: (each.open, each.id)):
        before = known.get(one.id)
        try:
            _write(connection, one)
        except sa.exc.IntegrityError:
            raise StoreError(
                f"state: the incident {one.id} was to be opened while another of the same cause is "
                "open. Nothing was changed; this is a defect of eventwatch"
            ) from None
        _write_members(connection, one, () if before is None else before.members)
        if before is None or len(before.members) > len(one.members):
            rest = member.c.place >= len(one.members)
            connection.execute(sa.delete(member).where(member.c.incident_id == one.id, rest))


def _write(connection: sa.Connection, one: Incident) -> None:
    values = _values(one)
    new = insert(connection, incident).values(id=one.id, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=values))


def _write_members(connection: sa.Connection, one: Incident, before: Sequence[Member]) -> None:
    rows = [
        {
            "incident_id": one.id,
            "place": place,
            "alert_id": each.alert_id,
            "explained": int(each.explained),
            "joined_at": each.joined_at,
            "over_at": each.over_at,
        }
        for place, each in enumerate(one.members)
        if place >= len(before) or before[place] != each
    ]
    if rows:
        new = insert(connection, member)
        columns = ("alert_id", "explained", "joined_at", "over_at")
        connection.execute(
            new.on_conflict_do_update(
                index_elements=["incident_id", "place"],
                set_={name: new.excluded[name] for name in columns},
            ),
            rows,
        )


def _members(connection: sa.Connection, ids: sa.Select[Any]) -> dict[str, tuple[Member, ...]]:
    rows = connection.execute(
        sa.select(
            member.c.incident_id,
            member.c.alert_id,
            member.c.explained,
            member.c.joined_at,
            member.c.over_at,
        )
        .where(member.c.incident_id.in_(ids))
        .order_by(member.c.incident_id, member.c.place)
    ).all()
    return {
        name: tuple(Member(row[1], bool(row[2]), row[3], row[4]) for row in group)
        for name, group in groupby(rows, key=lambda row: str(row[0]))
    }


def _values(one: Incident) -> dict[str, Any]:
    told = one.told_severity
    return {
        "cause_id": key_of(one.cause.key),
        "is_open": int(one.open),
        "state": one.state.value,
        "severity": one.severity.value,
        "cause": encode_cause(one.cause),
        "owner": encode_recipient(one.owner),
        "others": encode_recipients(one.others),
        "opened_at": one.opened_at,
        "began_at": one.began_at,
        "told_severity": None if told is None else told.value,
        "told_at": one.told_at,
        "good_since": one.good_since,
        "resolved_at": one.resolved_at,
        "end_reason": one.end_reason,
        "late": one.late,
        "acknowledged_at": one.acknowledged_at,
        "acknowledged_by": one.acknowledged_by,
        "reminded_at": one.reminded_at,
        "escalated_at": one.escalated_at,
        "muted_by": one.muted_by,
        "muted_because": one.muted_because,
        "reopened": one.reopened,
    }


def _incident(row: Mapping[Any, Any], members: tuple[Member, ...]) -> Incident:
    try:
        told = row["told_severity"]
        return Incident(
            id=row["id"],
            cause=decode_cause(row["cause"]),
            state=IncidentState(row["state"]),
            severity=Severity(row["severity"]),
            owner=decode_recipient(row["owner"]),
            opened_at=row["opened_at"],
            began_at=row["began_at"],
            members=members,
            told_severity=None if told is None else Severity(told),
            told_at=row["told_at"],
            others=decode_recipients(row["others"]),
            good_since=row["good_since"],
            resolved_at=row["resolved_at"],
            end_reason=row["end_reason"],
            late=row["late"],
            acknowledged_at=row["acknowledged_at"],
            acknowledged_by=row["acknowledged_by"],
            reminded_at=row["reminded_at"],
            escalated_at=row["escalated_at"],
            muted_by=row["muted_by"],
            muted_because=row["muted_because"],
            reopened=row["reopened"],
        )
    except (ValueError, KeyError, TypeError, IndexError):
        raise StoreError(
            f"state: the incident {row['id']} cannot be read. A newer eventwatch may have written "
            "it; install that version, or delete the row"
        ) from None
