"""Which process answers for a job, how often it took one down, and a column for the lane that every index can use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WAITING = sa.text("claimed_at IS NULL AND ended_at IS NULL")
ONLY = {"sqlite_where": WAITING, "postgresql_where": WAITING}
WAITING_COLUMNS = ["start_tag", "id", "cost", "work", "pictures", "claimed_at", "ended_at"]
OLDEST_COLUMNS = ["id", "author_id", "claimed_at", "ended_at"]


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("place", sa.String(120), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
    )
    op.add_column("jobs", sa.Column("lane", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("holder", sa.String(16)))
    op.add_column("jobs", sa.Column("crashes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("cancel_asked_at", sa.Float()))
    op.execute("UPDATE jobs SET lane = coalesce(guild_id, 0)")
    op.drop_index("ix_jobs_waiting", "jobs")
    op.drop_index("ix_jobs_oldest", "jobs")
    op.create_index("ix_jobs_waiting", "jobs", ["lane", *WAITING_COLUMNS], **ONLY)
    op.create_index("ix_jobs_oldest", "jobs", ["lane", *OLDEST_COLUMNS], **ONLY)
