"""Budgets and cool-downs; guilds take turns, and members in each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waiting = sa.text("claimed_at IS NULL AND ended_at IS NULL")
    only = {"sqlite_where": waiting, "postgresql_where": waiting}
    with op.batch_alter_table("jobs") as jobs:
        for name in ("guild_charged", "house_charged", "refunded"):
            jobs.add_column(sa.Column(name, sa.Float(), nullable=False, server_default="0"))
        order, untouched = ["guild_id", "start_tag", "id"], ["claimed_at", "ended_at"]
        jobs.create_index("ix_jobs_waiting", [*order, "cost", "work", "pictures", *untouched], **only)
        jobs.create_index("ix_jobs_oldest", ["guild_id", "id", "author_id", *untouched], **only)
    with op.batch_alter_table("members") as members:
        members.add_column(sa.Column("full_since", sa.Float(), nullable=False, server_default="0"))
        members.create_index(op.f("ix_members_member_id"), ["member_id"])
    op.create_table(
        "lanes",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finish_tag", sa.Float(), nullable=False),
        sa.Column("virtual_time", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_lanes")),
    )
    # Members' finish tags were counted on one clock for all guilds: every guild's own clock goes on from there.
    op.execute(
        "INSERT INTO lanes (guild_id, finish_tag, virtual_time, weight) SELECT DISTINCT guild_id, 0.0,"
        " COALESCE((SELECT CAST(value AS FLOAT) FROM notes WHERE key = 'virtual_time'), 0.0), 1.0 FROM members"
    )
    op.execute("DELETE FROM notes WHERE key = 'virtual_time'")
    op.create_table(
        "budgets",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tat", sa.Float(), nullable=False),
        sa.Column("full_since", sa.Float(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("spent", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_budgets")),
    )
    op.create_table(
        "probing",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tat", sa.Float(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("refused_at", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "member_id", name=op.f("pk_probing")),
    )
