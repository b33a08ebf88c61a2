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
    held = sa.text("holder IS NOT NULL")
    op.create_index("ix_jobs_held", "jobs", ["holder"], sqlite_where=held, postgresql_where=held)
    # What a former version was to paint or had not shown yet belongs to a process that is gone.
    untold = "id NOT IN (SELECT job_id FROM outbox WHERE kind = 'notice' AND message_id IS NOT NULL)"
    op.execute("UPDATE jobs SET holder = 'gone' WHERE state IN ('accepted', 'running', 'rendered')")
    op.execute(f"UPDATE jobs SET holder = 'gone' WHERE state IN ('failed', 'cancelled', 'blocked') AND {untold}")
    # There from now on, so that two who take the first turns at the same time need not both make it.
    missing = "NOT EXISTS (SELECT 1 FROM notes WHERE key = 'house_time')"
    op.execute(f"INSERT INTO notes (key, value) SELECT 'house_time', '0.0' WHERE {missing}")
