"""The first schema. Plain types only: this file must mean the same for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes every table and writes the marker."""
    meta = op.create_table(
        "eventwatch_meta",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "eventwatch_exposure",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("watermark", sa.BigInteger),
        sa.Column("watching_since", sa.BigInteger),
        sa.Column("recounted_on", sa.String(10)),
        sa.Column("catalog_digest", sa.Text, nullable=False),
        sa.Column("last_cycle_at", sa.BigInteger),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    op.create_table(
        "eventwatch_ledger",
        sa.Column("exposure_id", sa.String(40), primary_key=True),
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "eventwatch_alert",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("exposure_id", sa.String(40), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("is_open", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("fired_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("end_reason", sa.Text, nullable=False),
        sa.Column("good_since", sa.BigInteger),
        sa.Column("notified_at", sa.BigInteger),
        sa.Column("notified_severity", sa.String(20)),
    )
    op.create_index(
        "eventwatch_one_open_alert",
        "eventwatch_alert",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open = 1"),
    )
    op.create_index("eventwatch_alert_of_exposure", "eventwatch_alert", ["exposure_id", "is_open"])
    op.create_index("eventwatch_alert_ended", "eventwatch_alert", ["ended_at"])
    op.create_table(
        "eventwatch_delivery",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("blocks", sa.Text, nullable=False),
        sa.Column("plain", sa.Text, nullable=False),
        sa.Column("alert_ids", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", sa.BigInteger),
        sa.Column("claimed_at", sa.BigInteger),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("is_fallback", sa.Integer, nullable=False),
    )
    op.create_index("eventwatch_delivery_due", "eventwatch_delivery", ["state", "created_at"])
    op.create_index("eventwatch_delivery_created", "eventwatch_delivery", ["created_at"])
    op.create_table(
        "eventwatch_silence",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("exposure", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "eventwatch_lease",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "eventwatch_heartbeat",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "eventwatch_cycle",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("exposure_id", sa.String(40), nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("elapsed_seconds", sa.Float, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )
    op.create_index("eventwatch_cycle_at", "eventwatch_cycle", ["at"])
    op.bulk_insert(meta, [{"key": "marker", "value": "eventwatch state"}])
