"""Fingerprints of pictures, and what members chose for themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fingerprints",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("manifest", sa.String(60), nullable=False),
        sa.Column("job_id", sa.String(16), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("band0", sa.Integer()),
        sa.Column("band1", sa.Integer()),
        sa.Column("band2", sa.Integer()),
        sa.Column("band3", sa.Integer()),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_fingerprints")),
    )
    for column in ("manifest", "made_at", "band0", "band1", "band2", "band3"):
        op.create_index(op.f(f"ix_fingerprints_{column}"), "fingerprints", [column])
    op.create_table(
        "preferences",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("embed_prompt", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_preferences")),
    )
