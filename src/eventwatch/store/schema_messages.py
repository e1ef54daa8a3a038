"""Tables of messages: live messages with what they list, and the outbox.

The outbox is read through its indexes alone until a row is picked: a row is as large as its message.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, text

from eventwatch.store.columns import PREFIX, AnyText, Id, Instant, Texts, metadata

post = Table(
    PREFIX + "post",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel", AnyText, nullable=False),
    Column("team", AnyText, nullable=False),
    # Where it was meant to be: a refused post moves to the fallback route.
    Column("first_channel", AnyText, nullable=False),
    Column("first_team", AnyText, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("reference", AnyText, nullable=False),
    Column("shown", AnyText, nullable=False),
    Column("refreshed_at", Instant),
    Column("closed_at", Instant),
    Column("dead", Integer, nullable=False),
    Index(
        "eventwatch_post_not_closed",
        "created_at",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("eventwatch_post_created", "created_at"),
)

entry = Table(
    PREFIX + "entry",
    metadata,
    Column("post_id", Id, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("incident_id", Id, nullable=False),
    Column("role", String(20), nullable=False),
    Index("eventwatch_entry_of_incident", "incident_id"),
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
    Column("action", String(20), nullable=False, server_default="post"),
    # Empty: a message of its own.
    Column("post_id", Id, nullable=False, server_default=""),
    Column("parent", AnyText, nullable=False, server_default=""),
    Column("incident_ids", Texts, nullable=False, server_default="[]"),
    # Hash of the channel as it is stored.
    Column("channel_id", String(40), nullable=False, server_default=""),
    # Its place among those that were written at once.
    Column("place", Integer, nullable=False, server_default="0"),
    Index("eventwatch_delivery_due", "state", "created_at"),
    Index("eventwatch_delivery_created", "created_at"),
    Index("eventwatch_delivery_queue", "state", "channel_id", "created_at", "place", "id"),
    Index("eventwatch_delivery_of_post", "post_id", "state"),
)

about = Table(
    PREFIX + "about",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("delivery_id", String(40), primary_key=True),
    Index("eventwatch_about_delivery", "delivery_id"),
)
