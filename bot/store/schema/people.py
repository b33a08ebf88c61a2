"""What people chose and what is remembered of pictures and servers."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, String, Table

from bot.store.schema.metadata import metadata

preferences = Table(
    "preferences",
    metadata,
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("embed_prompt", Boolean, nullable=False),
    Column("changed_at", Float, nullable=False),
)

acceptances = Table(
    "acceptances",
    metadata,
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("terms", String(100), primary_key=True),  # licence, its version and that of our words
    Column("accepted_at", Float, nullable=False),
)

pending_orders = Table(
    "pending_orders",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("member_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger),
    Column("order", JSON, nullable=False),
    Column("asked_at", Float, nullable=False),
)

departures = Table(
    "departures",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),  # where the bot is or was a member
    Column("left_at", Float),  # NULL while it is
)

carried = Table(
    "carried",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("pseudonym", BigInteger, nullable=False, index=True),
    Column("kind", String(40), nullable=False),  # the table that the row came from
    Column("row", JSON, nullable=False),
    Column("carried_at", Float, nullable=False),
)

farewells = Table(
    "farewells",
    metadata,
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("asked_at", Float, nullable=False),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("manifest", String(60), nullable=False, index=True),  # of the file's C2PA; empty when there is none
    Column("job_id", String(16), nullable=False),
    Column("model", String(100), nullable=False),
    Column("made_at", Float, nullable=False, index=True),
    # The perceptual hash, lowest 16 bits first; NULL for a picture too plain to have one.
    Column("band0", Integer, index=True),
    Column("band1", Integer, index=True),
    Column("band2", Integer, index=True),
    Column("band3", Integer, index=True),
)
