"""The tables of the state, as SQLAlchemy Core; those of incidents and messages stand beside.

Every name carries the prefix ``eventwatch_``: a PostgreSQL database may be shared with something that
has an ``alert`` or an ``alembic_version`` of its own. Rows are found by hash, never by a name from data
or config: an index entry of PostgreSQL holds some 2,700 bytes, a name may be longer. What changes here
needs a migration beside it; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table, Text, text

from eventwatch.store import schema_incidents, schema_messages  # noqa: F401 - part of the metadata
from eventwatch.store.columns import PREFIX, AnyText, Day, Id, Instant
from eventwatch.store.columns import metadata as metadata  # noqa: PLC0414 - asked for here

VERSION_TABLE = PREFIX + "schema"
"""Where Alembic keeps the revision."""
REVISION = "0003"
"""The revision that this code reads and writes: the newest file of migrations/versions."""
MARKER = "eventwatch state"
"""Value of the row ``marker`` in the meta table, by which a file of ours is known."""

meta = Table(
    PREFIX + "meta",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

exposure_cycle = Table(
    PREFIX + "exposure",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("watermark", Instant),
    Column("watching_since", Instant),
    Column("recounted_on", Day),
    Column("catalog_digest", AnyText, nullable=False),
    Column("last_cycle_at", Instant),
    Column("last_error", AnyText, nullable=False),
)

ledger = Table(
    PREFIX + "ledger",
    metadata,
    Column("exposure_id", String(40), primary_key=True),
    Column("id", String(40), primary_key=True),
    # Empty: the null type; "=name" else.
    Column("event_type", AnyText, nullable=False),
    Column("dimension", AnyText, nullable=False),
    Column("value", AnyText, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)

alert = Table(
    PREFIX + "alert",
    metadata,
    Column("id", Id, primary_key=True),
    Column("exposure_id", String(40), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("is_open", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("result", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("fired_at", Instant),
    Column("ended_at", Instant),
    Column("end_reason", AnyText, nullable=False),
    Column("good_since", Instant),
    Column("notified_at", Instant),
    Column("notified_severity", String(20)),
    # A JSON object; null: written before causes were known.
    Column("cause", Text),
    Column("explained", Integer, nullable=False, server_default="0"),
    Index(
        "eventwatch_one_open_alert",
        "fingerprint",
        unique=True,
        sqlite_where=text("is_open = 1"),
        postgresql_where=text("is_open = 1"),
    ),
    Index("eventwatch_alert_of_exposure", "exposure_id", "is_open"),
    Index("eventwatch_alert_ended", "ended_at"),
)

silence = Table(
    PREFIX + "silence",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_type", AnyText, nullable=False),
    Column("exposure", AnyText, nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("team", AnyText, nullable=False),
    Column("dimension", AnyText, nullable=False),
    Column("value", AnyText, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("author", AnyText, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    # Whether its end was told, or needs no telling.
    Column("told", Integer, nullable=False, server_default="0"),
    Index("eventwatch_silence_ends", "ends_at"),
)

label = Table(
    PREFIX + "label",
    metadata,
    Column("id", Id, primary_key=True),
    Column("exposure_id", String(40), nullable=False),
    Column("exposure", AnyText, nullable=False),
    # Empty: the exposure as a whole; "=name" else.
    Column("event_type", AnyText, nullable=False),
    Column("dimension", AnyText, nullable=False),
    Column("value", AnyText, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("opinion", String(20), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("author", AnyText, nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Index("eventwatch_label_of_exposure", "exposure_id", "given_at"),
)

lease = Table(
    PREFIX + "lease",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", AnyText, nullable=False),
    # Empty: given back. The row stays, so that the token goes on growing.
    Column("holder", AnyText, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

heartbeat = Table(
    PREFIX + "heartbeat",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("at", Instant, nullable=False),
)

cycle = Table(
    PREFIX + "cycle",
    metadata,
    # Exposure and run: a cycle that is committed twice is one row.
    Column("id", String(40), primary_key=True),
    Column("exposure_id", String(40), nullable=False),
    Column("run_id", AnyText, nullable=False),
    Column("at", Instant, nullable=False),
    # Results by status, a JSON object.
    Column("counts", Text, nullable=False),
    Column("elapsed_seconds", Float, nullable=False),
    Column("error", AnyText, nullable=False),
    Index("eventwatch_cycle_at", "at"),
)

slot = Table(
    PREFIX + "slot",
    metadata,
    Column("exposure_id", String(40), primary_key=True),
    Column("scheduled_at", Instant, primary_key=True),
    Column("exposure", AnyText, nullable=False),
    Column("status", String(20), nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("run_id", AnyText, nullable=False),
    Index("eventwatch_slot_at", "scheduled_at"),
)
