"""Filter rules with scope and severity, artists, hits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    new = _make_rules()
    # What stood before the words is a column of its own now.
    for row in op.get_bind().execute(sa.text("SELECT guild_id, rule, added_by, added_at FROM rules")).all():
        severity, _, words = row.rule.partition(":")
        if severity.lower() not in ("review", "allow"):
            severity, words = "block", row.rule
        values = {"severity": severity.lower(), "rule": words.strip(), "channel_id": 0, "role_id": 0, "language": ""}
        known = sa.select(new.c.rule).where(new.c.guild_id == row.guild_id, new.c.rule == values["rule"])
        if op.get_bind().execute(known).first() is None:
            kept = {"guild_id": row.guild_id, "added_by": row.added_by, "added_at": row.added_at}
            op.get_bind().execute(sa.insert(new).values(values | kept))
    op.drop_table("rules")
    op.create_table(
        "filter_exempt",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "role_id", name=op.f("pk_filter_exempt")),
    )
    op.create_table(
        "filter_hits",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("rule", sa.String(300), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("view", sa.String(20), nullable=False),
        sa.Column("part", sa.String(20), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter_hits")),
    )
    op.create_index(op.f("ix_filter_hits_guild_id_at"), "filter_hits", ["guild_id", "at"])
    _make_artists()


def _make_rules() -> sa.Table:
    return op.create_table(
        "filter_rules",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(300), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "rule", "channel_id", "role_id", name=op.f("pk_filter_rules")),
    )


def _make_artists() -> None:
    op.create_table(
        "artists",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("surname", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "name", name=op.f("pk_artists")),
    )
    op.create_table(
        "artist_requests",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("decided_by", sa.BigInteger()),
        sa.Column("decided_at", sa.Float()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artist_requests")),
    )
    op.create_index(op.f("ix_artist_requests_guild_id_state"), "artist_requests", ["guild_id", "state"])
