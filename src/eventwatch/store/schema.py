"""The tables of the state, as SQLAlchemy Core.

Every name carries the prefix ``eventwatch_``: a PostgreSQL database may be shared with something that
has an ``alert`` or an ``alembic_version`` of its own. Rows are found by hash, never by a name from data
or config: an index entry of PostgreSQL holds some 2,700 bytes, a name may be longer. What changes here
needs a migration beside it; a test compares the two.
"""
# ruff: noqa: ARG002 - the signatures are those of SQLAlchemy

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator

from eventwatch.store.encoding import (
    decode_instant,
    decode_text,
    decode_texts,
    encode_instant,
    encode_text,
    encode_texts,
)

PREFIX = "eventwatch_"
VERSION_TABLE = PREFIX + "schema"
"""Where Alembic keeps the revision."""
REVISION = "0002"
"""The revision that this code reads and writes: the newest file of migrations/versions."""
MARKER = "eventwatch state"
"""Value of the row ``marker`` in the meta table, by which a file of ours is known."""


class Instant(TypeDecorator[datetime]):
    """Aware UTC as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else encode_instant(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else decode_instant(value)


class Day(TypeDecorator[date]):
    """A day as its ISO text."""

    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class AnyText(TypeDecorator[str]):
    """Text of any characters, NUL and lone surrogates included."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else encode_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else decode_text(value)


class Texts(TypeDecorator[tuple[str, ...]]):
    """Several texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else encode_texts(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else decode_texts(value)


metadata = MetaData()

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
    Column("id", String(200), primary_key=True),
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

delivery = Table(
    PREFIX + "delivery",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("key", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("team", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("blocks", AnyText, nullable=False),
    Column("plain", AnyText, nullable=False),
    Column("alert_ids", Texts, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Instant),
    Column("claimed_at", Instant),
    Column("sent_at", Instant),
    Column("reference", AnyText, nullable=False),
    Column("last_error", AnyText, nullable=False),
    Column("is_fallback", Integer, nullable=False),
    Index("eventwatch_delivery_due", "state", "created_at"),
    Index("eventwatch_delivery_created", "created_at"),
)

silence = Table(
    PREFIX + "silence",
    metadata,
    Column("id", String(200), primary_key=True),
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
)

label = Table(
    PREFIX + "label",
    metadata,
    Column("id", String(200), primary_key=True),
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
