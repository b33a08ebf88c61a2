"""What the gate saw and what a guild allows; where a job was asked, as rules see it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("parent_channel_id", sa.BigInteger()))
        jobs.add_column(sa.Column("age_restricted", sa.Boolean(), nullable=False, server_default=sa.false()))
        jobs.add_column(sa.Column("role_ids", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("pictures") as pictures:
        pictures.add_column(sa.Column("level", sa.Integer(), nullable=False, server_default="0"))
        pictures.add_column(sa.Column("held", sa.JSON()))
        pictures.add_column(sa.Column("evidence", sa.JSON()))
    op.create_table(
        "policies",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "channel_id", name=op.f("pk_policies")),
    )
