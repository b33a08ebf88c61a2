"""Cases, audit log, strikes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reports") as reports:
        reports.add_column(sa.Column("case_id", sa.Integer()))
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("job_id", sa.String(16), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("queue_channel_id", sa.BigInteger()),
        sa.Column("queue_message_id", sa.BigInteger()),
        sa.Column("ruling", sa.String(10)),
        sa.Column("ruled_by", sa.BigInteger()),
        sa.Column("ruled_at", sa.Float()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hours", sa.Float()),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("contested", sa.String(10)),
        sa.Column("contested_by", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_guild_id_ruling"), "cases", ["guild_id", "ruling"])
    op.create_index(op.f("ix_cases_job_id_place"), "cases", ["job_id", "place"])
    op.create_index(
        "uq_cases_open",
        "cases",
        ["job_id", "place"],
        unique=True,
        sqlite_where=sa.text("ruling IS NULL"),
        postgresql_where=sa.text("ruling IS NULL"),
    )
    op.create_table(
        "errands",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(10), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.Float()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errands")),
    )
    op.create_index(op.f("ix_errands_case_id_done_at"), "errands", ["case_id", "done_at"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("member_id", sa.BigInteger()),
        sa.Column("case_id", sa.Integer()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_guild_id_id"), "audit", ["guild_id", "id"])
    op.create_table(
        "strikes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.Integer()),
        sa.Column("given_by", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("cleared_at", sa.Float()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strikes")),
    )
    op.create_index(op.f("ix_strikes_guild_id_member_id"), "strikes", ["guild_id", "member_id"])
    op.create_table(
        "bans",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("strike_id", sa.Integer()),
        sa.Column("given_by", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_at", sa.Float(), nullable=False),
        sa.Column("until", sa.Float()),
        sa.Column("lifted_at", sa.Float()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bans")),
    )
    op.create_index(op.f("ix_bans_guild_id_member_id"), "bans", ["guild_id", "member_id"])
