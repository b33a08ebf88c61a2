"""The line: jobs, what became of them, and who may ask for how much."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, false, text

from bot.store.schema.metadata import metadata

# The same as state "accepted", in words that no other index knows: a planner would take that of the states, which
# has the whole history in it and none of the columns that are added up.
WAITING = text("claimed_at IS NULL AND ended_at IS NULL")
# Waiting or running; word for word as in the index of presses, which serves nothing else.
UNPAINTED = text("state IN ('accepted', 'running')")
_FAIR_ORDER = ("lane", "start_tag", "id")
_UNTOUCHED = ("claimed_at", "ended_at")
only_waiting: dict[str, Any] = {"sqlite_where": WAITING, "postgresql_where": WAITING}

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("action", String(10), nullable=False),
    Column("guild_id", BigInteger),
    Column("lane", BigInteger, nullable=False, server_default="0"),  # guild_id, or 0 for direct messages
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
    Column("holder", String(16)),  # the process that follows, paints, then shows it; NULL once it is shown
    Column("crashes", Integer, nullable=False, server_default="0"),  # painting processes that ended while it was there
    Column("cancel_asked_at", Float),  # when somebody wished to stop it that another process paints
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
    Column("leaving_at", Float),  # when its author had it deleted while moderators were looking at it
    Index(None, "state", "start_tag", "id"),
    Index(None, "author_id", "state"),
    # What waits, in the fair order of each guild, with all that estimates add up; what is over is not in them.
    # Their own condition's columns are in them because SQLite would look those up in the table otherwise.
    Index("ix_jobs_waiting", *_FAIR_ORDER, "cost", "work", "pictures", *_UNTOUCHED, **only_waiting),
    Index("ix_jobs_oldest", "lane", "id", "author_id", *_UNTOUCHED, **only_waiting),
    Index(
        "uq_jobs_live_press",
        "press",
        unique=True,
        sqlite_where=UNPAINTED,
        postgresql_where=UNPAINTED,
    ),
)

# What processes answer for: what waits, is painted or is on its way to Discord.
Index(
    "ix_jobs_held", jobs.c.holder, sqlite_where=jobs.c.holder.is_not(None), postgresql_where=jobs.c.holder.is_not(None)
)
# What the sweeper looks for, so that it need not read the whole table each time.
Index("ix_jobs_live_token", jobs.c.token_expires, sqlite_where=jobs.c.token != "", postgresql_where=jobs.c.token != "")
Index(
    "ix_jobs_leaving",
    jobs.c.leaving_at,
    sqlite_where=jobs.c.leaving_at.is_not(None),
    postgresql_where=jobs.c.leaving_at.is_not(None),
)
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

processes = Table(
    "processes",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("place", String(120), nullable=False),  # machine and process id, for whoever reads the table
    Column("started_at", Float, nullable=False),  # both by the database's clock, see bot.store.database
    Column("seen_at", Float, nullable=False),  # latest heartbeat
)

notes = Table(
    "notes",
    metadata,
    Column("key", String(60), primary_key=True),  # small facts the house remembers: virtual time, synced commands
    Column("value", Text, nullable=False),
)
