"""Terms, preferences, departures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("used_at", sa.Float()))
        jobs.add_column(sa.Column("erased_at", sa.Float()))
    live, worded = sa.text("token != ''"), sa.text("erased_at IS NULL")
    op.create_index("ix_jobs_live_token", "jobs", ["token_expires"], sqlite_where=live, postgresql_where=live)
    op.create_index("ix_jobs_with_words", "jobs", ["ended_at"], sqlite_where=worded, postgresql_where=worded)
    op.create_index("ix_pictures_sha256", "pictures", ["sha256"])
    op.create_table(
        "acceptances",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("terms", sa.String(length=100), nullable=False),
        sa.Column("accepted_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "terms", name=op.f("pk_acceptances")),
    )
    op.create_table(
        "pending_orders",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("order", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_orders")),
    )
    op.create_table(
        "departures",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("left_at", sa.Float()),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_departures")),
    )
    op.create_table(
        "carried",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("pseudonym", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("carried_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carried")),
    )
    op.create_index("ix_carried_pseudonym", "carried", ["pseudonym"])
    op.create_table(
        "farewells",
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id", "message_id", name=op.f("pk_farewells")),
    )
