"""What people said of incidents. Plain types only: this file must mean the same for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table of labels."""
    op.create_table(
        "eventwatch_label",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("exposure_id", sa.String(40), nullable=False),
        sa.Column("exposure", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("opinion", sa.String(20), nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("given_at", sa.BigInteger, nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger),
    )
    op.create_index("eventwatch_label_of_exposure", "eventwatch_label", ["exposure_id", "given_at"])
