"""Incidents, live messages, the slot ledger. Plain types only: this file must mean the same for ever."""

import hashlib
import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the new tables, and gives the old ones their new columns."""
    _incidents()
    _messages()
    op.create_table(
        "eventwatch_slot",
        sa.Column("exposure_id", sa.String(40), primary_key=True),
        sa.Column("scheduled_at", sa.BigInteger, primary_key=True),
        sa.Column("exposure", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("run_id", sa.Text, nullable=False),
    )
    op.create_index("eventwatch_slot_at", "eventwatch_slot", ["scheduled_at"])
    _alerts_and_silences()
    _outbox()
    meta = sa.table("eventwatch_meta", sa.column("key"), sa.column("value"))
    op.bulk_insert(meta, [{"key": "telling", "value": ""}, {"key": "claiming", "value": ""}])


def _incidents() -> None:
    op.create_table(
        "eventwatch_incident",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("cause_id", sa.String(40), nullable=False),
        sa.Column("is_open", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("others", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("told_severity", sa.String(20)),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("good_since", sa.BigInteger),
        sa.Column("resolved_at", sa.BigInteger),
        sa.Column("end_reason", sa.Text, nullable=False),
        sa.Column("late", sa.BigInteger),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text, nullable=False),
        sa.Column("reminded_at", sa.BigInteger),
        sa.Column("escalated_at", sa.BigInteger),
        sa.Column("muted_by", sa.Text, nullable=False),
        sa.Column("muted_because", sa.Text, nullable=False),
        sa.Column("reopened", sa.Integer, nullable=False),
    )
    op.create_index(
        "eventwatch_one_open_incident",
        "eventwatch_incident",
        ["cause_id"],
        unique=True,
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open = 1"),
    )
    op.create_index("eventwatch_incident_resolved", "eventwatch_incident", ["resolved_at"])
    op.create_index("eventwatch_incident_opened", "eventwatch_incident", ["is_open", "opened_at"])
    op.create_table(
        "eventwatch_member",
        sa.Column("incident_id", sa.String(200), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("alert_id", sa.String(200), nullable=False),
        sa.Column("explained", sa.Integer, nullable=False),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("over_at", sa.BigInteger),
    )
    op.create_index("eventwatch_member_alert", "eventwatch_member", ["alert_id"])
    op.create_table(
        "eventwatch_moment",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("incident_id", sa.String(200), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("alert_ids", sa.Text, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
    )
    op.create_index("eventwatch_moment_of_incident", "eventwatch_moment", ["incident_id", "at"])
    op.create_index("eventwatch_moment_told", "eventwatch_moment", ["told", "at"])
    op.create_table(
        "eventwatch_hidden",
        sa.Column("silence_hash", sa.String(40), primary_key=True),
        sa.Column("incident_id", sa.String(200), primary_key=True),
        sa.Column("silence_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
    )
    op.create_index("eventwatch_hidden_told", "eventwatch_hidden", ["told", "at"])
    op.create_table(
        "eventwatch_digest",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def _messages() -> None:
    op.create_table(
        "eventwatch_post",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("first_channel", sa.Text, nullable=False),
        sa.Column("first_team", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("refreshed_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("dead", sa.Integer, nullable=False),
    )
    op.create_index(
        "eventwatch_post_not_closed",
        "eventwatch_post",
        ["created_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("eventwatch_post_created", "eventwatch_post", ["created_at"])
    op.create_table(
        "eventwatch_entry",
        sa.Column("post_id", sa.String(200), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("incident_id", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
    )
    op.create_index("eventwatch_entry_of_incident", "eventwatch_entry", ["incident_id"])
    op.create_table(
        "eventwatch_about",
        sa.Column("incident_id", sa.String(200), primary_key=True),
        sa.Column("delivery_id", sa.String(40), primary_key=True),
    )
    op.create_index("eventwatch_about_delivery", "eventwatch_about", ["delivery_id"])


def _alerts_and_silences() -> None:
    op.add_column("eventwatch_alert", sa.Column("cause", sa.Text))
    op.add_column(
        "eventwatch_alert",
        sa.Column("explained", sa.Integer, nullable=False, server_default="0"),
    )
    op.add_column(
        "eventwatch_silence", sa.Column("told", sa.Integer, nullable=False, server_default="0")
    )
    op.create_index("eventwatch_silence_ends", "eventwatch_silence", ["ends_at"])
    # What ended before ends could be told is not told now.
    ended = sa.text("UPDATE eventwatch_silence SET told = 1 WHERE ends_at <= :now")
    op.get_bind().execute(ended, {"now": time.time_ns() // 1_000})


def _outbox() -> None:
    for column in (
        sa.Column("action", sa.String(20), nullable=False, server_default="post"),
        sa.Column("post_id", sa.String(200), nullable=False, server_default=""),
        sa.Column("parent", sa.Text, nullable=False, server_default=""),
        sa.Column("incident_ids", sa.Text, nullable=False, server_default="[]"),
        sa.Column("channel_id", sa.String(40), nullable=False, server_default=""),
        sa.Column("place", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("eventwatch_delivery", column)
    connection = op.get_bind()
    channels = connection.execute(sa.text("SELECT DISTINCT channel FROM eventwatch_delivery"))
    for (channel,) in channels.all():
        connection.execute(
            sa.text("UPDATE eventwatch_delivery SET channel_id = :id WHERE channel = :channel"),
            {"id": hashlib.sha256(channel.encode()).hexdigest()[:40], "channel": channel},
        )
    op.create_index(
        "eventwatch_delivery_queue",
        "eventwatch_delivery",
        ["state", "channel_id", "created_at", "place", "id"],
    )
    op.create_index("eventwatch_delivery_of_post", "eventwatch_delivery", ["post_id", "state"])
