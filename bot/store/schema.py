"""The tables. Ids of Discord are 64-bit integers, times are epoch seconds, requests and recipes are JSON."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("action", String(10), nullable=False),
    Column("guild_id", BigInteger),
    Column("channel_id", BigInteger, nullable=False),
    Column("author_id", BigInteger, nullable=False),
    Column("interaction_id", BigInteger, nullable=False, unique=True),  # one interaction, one job
    Column("press", String(60)),  # source, action and person of a button press; one live job each
    Column("application_id", BigInteger, nullable=False),
    Column("token", Text, nullable=False),
    Column("token_expires", Float, nullable=False),
    Column("ticket_id", BigInteger),
    Column("private", Boolean, nullable=False),
    Column("parent_channel_id", BigInteger),
    Column("age_restricted", Boolean, nullable=False, server_default=false()),
    Column("role_ids", JSON, nullable=False, server_default="[]"),  # of the author when they asked
    Column("channel_reachable", Boolean, nullable=False),
    Column("request", JSON, nullable=False),
    Column("work", Float, nullable=False),  # megapixel-steps, for estimates
    Column("pictures", Integer, nullable=False),
    Column("cost", Float, nullable=False),  # credits charged
    Column("charged", Float, nullable=False),  # seconds of allowance taken for it, so that a refund undoes exactly that
    Column("start_tag", Float, nullable=False),  # place in the fair order
    Column("attempt", Integer, nullable=False),  # raised at every claim; the fencing token of that claim
    Column("parent", String(16)),
    Column("parent_index", Integer),
    Column("reason", Text, nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("claimed_at", Float),
    Column("ended_at", Float),
    Index(None, "state", "start_tag", "id"),
    Index(None, "author_id", "state"),
    Index(
        "uq_jobs_live_press",
        "press",
        unique=True,
        sqlite_where=text("state IN ('accepted', 'running')"),
        postgresql_where=text("state IN ('accepted', 'running')"),
    ),
)

pictures = Table(
    "pictures",
    metadata,
    Column("job_id", String(16), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # 0 to 3; -1 is the grid
    Column("sha256", String(64)),  # NULL when withheld
    Column("media_type", String(40)),
    Column("width", Integer),
    Column("height", Integer),
    Column("checked_by", JSON, nullable=False),
    Column("withheld", Text, nullable=False),
    Column("level", Integer, nullable=False, server_default="0"),  # what the checkers saw, see generation.safety.level
    Column("held", JSON(none_as_null=True)),  # what moderators may still let through: all of the file but its bytes
    Column("evidence", JSON(none_as_null=True)),  # the same of its blurred likeness, which passed the gate by itself
)

outbox = Table(
    "outbox",
    metadata,
    Column("job_id", String(16), primary_key=True),
    Column("kind", String(10), primary_key=True),  # what the message means: "result", "notice", "single0" …
    Column("intended_at", Float, nullable=False),
    Column("message_id", BigInteger),
    Column("channel_id", BigInteger),
    Column("sent_at", Float),
)

members = Table(
    "members",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for direct messages
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("finish_tag", Float, nullable=False),
    Column("tat", Float, nullable=False),  # state of the credits, see generation.limits
    Column("day", String(10), nullable=False),  # UTC date of `spent`
    Column("spent", Float, nullable=False),  # credits on that day
)

policies = Table(
    "policies",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for the whole guild
    Column("policy", JSON, nullable=False),
    Column("changed_by", BigInteger, nullable=False),
    Column("changed_at", Float, nullable=False),
)

rules = Table(
    "rules",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", String(260), primary_key=True),
    Column("added_by", BigInteger, nullable=False),
    Column("added_at", Float, nullable=False),
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

notes = Table(
    "notes",
    metadata,
    Column("key", String(60), primary_key=True),  # small facts the house remembers: virtual time, synced commands
    Column("value", Text, nullable=False),
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
