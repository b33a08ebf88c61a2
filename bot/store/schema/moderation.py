"""What moderators decide: rules, policies, cases, warnings, and the record of it all."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from bot.store.schema.metadata import metadata

policies = Table(
    "policies",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for the whole guild
    Column("policy", JSON, nullable=False),
    Column("changed_by", BigInteger, nullable=False),
    Column("changed_at", Float, nullable=False),
)

filter_rules = Table(
    "filter_rules",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", String(300), primary_key=True),  # without the prefix that says how grave it is
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for every channel
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for everybody
    Column("severity", String(10), nullable=False),  # block, review, shadow; allow for what excuses
    Column("language", String(12), nullable=False),
    Column("added_by", BigInteger, nullable=False),
    Column("added_at", Float, nullable=False),
)

filter_exempt = Table(
    "filter_exempt",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    Column("added_by", BigInteger, nullable=False),
    Column("added_at", Float, nullable=False),
)

filter_hits = Table(
    "filter_hits",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),  # 0 stands for direct messages
    Column("member_id", BigInteger, nullable=False),
    Column("kind", String(10), nullable=False),  # which list: guild, instance, artist, text
    Column("rule", String(300), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("view", String(20), nullable=False),
    Column("part", String(20), nullable=False),  # prompt, LoRA, negative prompt; the words themselves are not kept
    Column("at", Float, nullable=False),
    Index(None, "guild_id", "at"),
)

artists = Table(
    "artists",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for every guild
    Column("name", String(60), primary_key=True),
    Column("surname", Boolean, nullable=False),  # the last word of the name alone counts too
    Column("added_by", BigInteger, nullable=False),
    Column("added_at", Float, nullable=False),
)

artist_requests = Table(
    "artist_requests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("name", String(60), nullable=False),
    Column("contact", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("requested_by", BigInteger, nullable=False),
    Column("requested_at", Float, nullable=False),
    Column("state", String(10), nullable=False),  # open, accepted, declined
    Column("decided_by", BigInteger),
    Column("decided_at", Float),
    Index(None, "guild_id", "state"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String(16), nullable=False),
    Column("guild_id", BigInteger),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("reporter_id", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reported_at", Float, nullable=False),
    Column("case_id", Integer),
    Index("uq_reports_message_id_reporter_id", "message_id", "reporter_id", unique=True),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False),
    Column("job_id", String(16), nullable=False),
    Column("place", Integer, nullable=False),  # of the picture; -1 is everything the job has shown
    Column("guild_id", BigInteger),
    Column("channel_id", BigInteger, nullable=False),
    Column("author_id", BigInteger, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("round", Integer, nullable=False),  # 2 once it was appealed
    Column("hidden", Boolean, nullable=False),
    Column("reports", Integer, nullable=False),
    Column("queue_channel_id", BigInteger),
    Column("queue_message_id", BigInteger),
    Column("ruling", String(10)),  # NULL while it is open
    Column("ruled_by", BigInteger),
    Column("ruled_at", Float),
    Column("reason", Text, nullable=False),
    Column("hours", Float),
    Column("appeal", Text, nullable=False),
    Column("contested", String(10)),
    Column("contested_by", BigInteger),
    Index(None, "guild_id", "ruling"),
    Index(None, "job_id", "place"),
    Index(
        "uq_cases_open",
        "job_id",
        "place",
        unique=True,
        sqlite_where=text("ruling IS NULL"),
        postgresql_where=text("ruling IS NULL"),
    ),
)

errands = Table(
    "errands",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", Integer, nullable=False),
    Column("task", String(10), nullable=False),
    Column("begun", Integer, nullable=False),  # attempts, each counted before it is made
    Column("done_at", Float),
    Column("note", Text, nullable=False),  # what came of it, a sentence for moderators
    Index(None, "case_id", "done_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("guild_id", BigInteger, nullable=False),  # 0 stands for direct messages
    Column("actor_id", BigInteger, nullable=False),  # 0 is the bot itself
    Column("action", String(20), nullable=False),
    Column("member_id", BigInteger),
    Column("case_id", Integer),
    Column("reason", Text, nullable=False),
    Index(None, "guild_id", "id"),
)

strikes = Table(
    "strikes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),  # 0 stands for direct messages
    Column("member_id", BigInteger, nullable=False),
    Column("case_id", Integer),
    Column("given_by", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("given_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("cleared_at", Float),
    Index(None, "guild_id", "member_id"),
)

bans = Table(
    "bans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),  # 0 stands for direct messages
    Column("member_id", BigInteger, nullable=False),
    Column("strike_id", Integer),  # the warning that led to it; NULL when a moderator said so
    Column("given_by", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("given_at", Float, nullable=False),
    Column("until", Float),  # NULL: until a moderator lifts it
    Column("lifted_at", Float),
    Index(None, "guild_id", "member_id"),
)
