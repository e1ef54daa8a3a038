"""Tables of incidents: what is remembered of them, which alerts they have, what happened to them.

An incident is found by the hash of its cause: at most one of a cause is open.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from eventwatch.store.columns import PREFIX, AnyText, Id, Instant, Span, Texts, metadata

incident = Table(
    PREFIX + "incident",
    metadata,
    Column("id", Id, primary_key=True),
    # Hash of the cause's key.
    Column("cause_id", String(40), nullable=False),
    Column("is_open", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    # JSON objects, and for ``others`` an array of them.
    Column("cause", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("others", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("told_severity", String(20)),
    Column("told_at", Instant),
    Column("good_since", Instant),
    Column("resolved_at", Instant),
    Column("end_reason", AnyText, nullable=False),
    Column("late", Span),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", AnyText, nullable=False),
    Column("reminded_at", Instant),
    Column("escalated_at", Instant),
    Column("muted_by", AnyText, nullable=False),
    Column("muted_because", AnyText, nullable=False),
    Column("reopened", Integer, nullable=False),
    Index(
        "eventwatch_one_open_incident",
        "cause_id",
        unique=True,
        sqlite_where=text("is_open = 1"),
        postgresql_where=text("is_open = 1"),
    ),
    Index("eventwatch_incident_resolved", "resolved_at"),
    Index("eventwatch_incident_opened", "is_open", "opened_at"),
)

member = Table(
    PREFIX + "member",
    metadata,
    Column("incident_id", Id, primary_key=True),
    # Its place among the members: they come back in the order in which they were written.
    Column("place", Integer, primary_key=True),
    Column("alert_id", Id, nullable=False),
    Column("explained", Integer, nullable=False),
    Column("joined_at", Instant, nullable=False),
    Column("over_at", Instant),
    Index("eventwatch_member_alert", "alert_id"),
)

moment = Table(
    PREFIX + "moment",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    # Its place among those that were written at once.
    Column("place", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", AnyText, nullable=False),
    Column("author", AnyText, nullable=False),
    Column("alert_ids", Texts, nullable=False),
    # A telling step made it, or has seen it.
    Column("told", Integer, nullable=False),
    Index("eventwatch_moment_of_incident", "incident_id", "at"),
    Index("eventwatch_moment_told", "told", "at"),
)

hidden = Table(
    PREFIX + "hidden",
    metadata,
    # Hash of the silence's id, which may be that of a maintenance window.
    Column("silence_hash", String(40), primary_key=True),
    Column("incident_id", Id, primary_key=True),
    Column("silence_id", AnyText, nullable=False),
    Column("at", Instant, nullable=False),
    Column("place", Integer, nullable=False),
    # Whether the silence's end was told.
    Column("told", Integer, nullable=False),
    Index("eventwatch_hidden_told", "told", "at"),
)

digest = Table(
    PREFIX + "digest",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("at", Instant, nullable=False),
)
