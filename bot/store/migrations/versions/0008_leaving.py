"""Requests that go once moderators have decided about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("leaving_at", sa.Float()))
    waiting = sa.text("leaving_at IS NOT NULL")
    op.create_index("ix_jobs_leaving", "jobs", ["leaving_at"], sqlite_where=waiting, postgresql_where=waiting)
