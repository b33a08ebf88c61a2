"""The tables. Ids of Discord are 64-bit integers, times are epoch seconds, requests and recipes are JSON."""

from __future__ import annotations

from typing import Any

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

# The same as state "accepted", in words that no other index knows: a planner would take that of the states, which
# has the whole history in it and none of the columns that are added up.
WAITING = text("claimed_at IS NULL AND ended_at IS NULL")
# Waiting or running; word for word as in the index of presses, which serves nothing else.
UNPAINTED = text("state IN ('accepted', 'running')")
_FAIR_ORDER = ("guild_id", "start_tag", "id")
_UNTOUCHED = ("claimed_at", "ended_at")
only_waiting: dict[str, Any] = {"sqlite_where": WAITING, "postgresql_where": WAITING}

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
    Column("guild_charged", Float, nullable=False, server_default="0"),  # the same of the guild's budget
    Column("house_charged", Float, nullable=False, server_default="0"),  # and of the whole house's
    Column("refunded", Float, nullable=False, server_default="0"),  # credits of `cost` that were given back
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
    Column("used_at", Float),  # when a button under it was last used, where that was after it ended
    Column("erased_at", Float),  # when its words and settings were deleted
    Index(None, "state", "start_tag", "id"),
    Index(None, "author_id", "state"),
    # What waits, in the fair order of each guild, with all that estimates add up; what is over is not in them.
    # Their own condition's columns are in them because SQLite would look those up in the table otherwise.
    Index("ix_jobs_waiting", *_FAIR_ORDER, "cost", "work", "pictures", *_UNTOUCHED, **only_waiting),
    Index("ix_jobs_oldest", "guild_id", "id", "author_id", *_UNTOUCHED, **only_waiting),
    Index(
        "uq_jobs_live_press",
        "press",
        unique=True,
        sqlite_where=UNPAINTED,
        postgresql_where=UNPAINTED,
    ),
)

# What the sweeper looks for, so that it need not read the whole table each time.
Index("ix_jobs_live_token", jobs.c.token_expires, sqlite_where=jobs.c.token != "", postgresql_where=jobs.c.token != "")
Index(
    "ix_jobs_with_words",
    jobs.c.ended_at,
    sqlite_where=jobs.c.erased_at.is_(None),
    postgresql_where=jobs.c.erased_at.is_(None),
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
    Index(None, "sha256"),
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
    Column("full_since", Float, nullable=False, server_default="0"),  # latest charge that found the allowance full
    Index(None, "member_id"),
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
    Index("uq_reports_message_id_reporter_id", "message_id", "reporter_id", unique=True),
)

notes = Table(
    "notes",
    metadata,
    Column("key", String(60), primary_key=True),  # small facts the house remembers: virtual time, synced commands
    Column("value", Text, nullable=False),
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

lanes = Table(
    "lanes",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for direct messages
    Column("finish_tag", Float, nullable=False),  # of what the guild got last, among all guilds
    Column("virtual_time", Float, nullable=False),  # start tag of what was painted last, among its members
    Column("weight", Float, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for the whole house
    Column("tat", Float, nullable=False),  # state of the credits, see generation.limits
    Column("full_since", Float, nullable=False),
    Column("day", String(10), nullable=False),  # UTC date of `spent`
    Column("spent", Float, nullable=False),  # credits on that day
)

probing = Table(
    "probing",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),  # 0 stands for direct messages
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tat", Float, nullable=False),  # state of the bucket of refused prompts
    Column("level", Integer, nullable=False),  # cool-downs so far, less those that time has forgiven
    Column("refused_at", Float, nullable=False),  # of the latest refused prompt
    Column("until", Float, nullable=False),  # end of the latest cool-down
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
