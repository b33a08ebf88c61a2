"""What moderators look back at, over a real SQLite file."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from bot.desk import Desk
from bot.store.database import Database
from bot.store.lookback import DAY, DAYS, Lookback
from bot.store.rows import JobIds, first_id
from bot.store.schema import cases, filter_hits, jobs, members, pictures
from generation.job import JobState
from tests.bot.store.past import past_job, write_past

NOW = 20_000 * DAY + 3_600.0  # an hour after a midnight
GUILD = 77


@pytest.fixture
async def database(tmp_path: Path, database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, tmp_path) as opened:
        yield opened


Write = Callable[..., Awaitable[str]]


@pytest.fixture
def write(database: Database) -> Write:
    async def add(moment: float, **changes: object) -> str:
        row = past_job(JobIds(), moment, **changes)
        async with database.write() as connection:
            await connection.execute(insert(jobs), [row])
        return str(row["id"])

    return add


def test_ids_tell_the_time() -> None:
    new = JobIds()
    for moment in (0.0, 1.5, NOW, NOW + 0.001):
        assert first_id(moment) <= new.new(moment) < first_id(moment + 0.002)


async def test_days_are_counted_apart_and_none_is_missing(database: Database, write: Write) -> None:
    lookback = Lookback(database, lambda: NOW)
    await write(NOW - 3_600 - 1, pictures=4)  # a second before midnight
    await write(NOW - 3_600 + 1)
    await write(NOW, state=JobState.FAILED)
    await write(NOW, state=JobState.BLOCKED)
    held = await write(NOW, state=JobState.BLOCKED, seconds=1.0)  # by the gate
    await write(NOW, guild_id=GUILD + 1)
    await write(NOW, private=True)
    await write(NOW - (DAYS + 1) * DAY)
    async with database.write() as connection:
        common = {"job_id": held, "checked_by": [], "level": 3, "held": None, "evidence": None}
        await connection.execute(
            insert(pictures), [common | {"place": place, "withheld": "no"} for place in (0, 1, -1)]
        )
    days = await lookback.by_day(GUILD)
    assert len(days) == DAYS
    assert [day.begins for day in days] == [(20_000 - DAYS + 1 + number) * DAY for number in range(DAYS)]
    today, yesterday = days[-1], days[-2]
    assert (yesterday.requests, yesterday.pictures) == (1, 4)
    assert (today.requests, today.pictures, today.failed, today.withheld) == (5, 2, 1, 2)
    assert sum(day.requests for day in days) == 6


async def test_waits_are_sorted_into_shares(database: Database, write: Write) -> None:
    for wait in (0.0, 5.0, 5.1, 59.0, 60.0, 299.0, 900.0, 901.0):
        await write(NOW - DAY, claimed_at=NOW - DAY + wait)
    await write(NOW, state=JobState.ACCEPTED, claimed_at=None)
    lookback = Lookback(database, lambda: NOW)
    assert await lookback.waits(GUILD) == [2, 1, 2, 1, 1, 1]
    assert await lookback.waits(GUILD + 1) == [0] * 6


async def test_recent_jobs_come_in_pages_without_private_ones(database: Database, write: Write) -> None:
    lookback = Lookback(database, lambda: NOW)
    known = [await write(NOW - 100 + number) for number in range(5)]
    secret = await write(NOW, private=True)
    waiting = await write(NOW, state=JobState.ACCEPTED)
    foreign = await write(NOW, guild_id=GUILD + 1)
    old = await write(NOW - (DAYS + 1) * DAY)
    first = await lookback.recent(GUILD, limit=3)
    assert [job.id for job in first] == known[:1:-1]
    assert [job.id for job in await lookback.recent(GUILD, before=first[-1].id, limit=3)] == known[1::-1]
    assert (await lookback.one(GUILD, known[0])) is not None
    for other in (secret, waiting, foreign, "nothing"):
        assert await lookback.one(GUILD, other) is None
    assert old not in {job.id for job in await lookback.recent(GUILD, limit=100)}


async def test_cases_that_wait_and_prompts_that_were_refused(database: Database) -> None:
    def case(opened: float, ruled: float | None, guild_id: int = GUILD) -> dict[str, object]:
        about = {"guild_id": guild_id, "opened_at": opened, "ruled_at": ruled, "ruling": "delete" if ruled else None}
        about |= {"kind": "withheld", "job_id": secrets.token_hex(8), "place": 0, "channel_id": 1, "author_id": 1}
        return about | {"round": 1, "hidden": False, "reports": 0, "reason": "", "appeal": ""}

    long_ago, day = NOW - 40 * DAY, float(DAY)
    rows = [
        case(long_ago, None),
        case(long_ago, long_ago + day),
        case(long_ago, NOW - 2 * day),
        case(NOW - 3 * day, NOW - day),
        case(NOW, None),
        case(NOW, None, GUILD + 1),
    ]
    common = {"member_id": 1, "kind": "guild", "rule": "x", "view": "", "part": "prompt"}
    hits = [(GUILD, "block", 0.0), (GUILD, "block", day), (GUILD, "block", day), (GUILD, "review", 0.0)]
    hits += [(GUILD + 1, "block", 0.0), (GUILD, "block", 40 * day)]
    async with database.write() as connection:
        await connection.execute(insert(cases), rows)
        values = [{"guild_id": guild, "severity": severity, "at": NOW - ago} for guild, severity, ago in hits]
        await connection.execute(insert(filter_hits), [common | each for each in values])
    days = await Lookback(database, lambda: NOW).by_day(GUILD)
    assert [each.waiting for each in days] == [2] * 26 + [3, 2, 1, 2]
    assert [each.refused for each in days] == [0] * 28 + [2, 1]


async def test_who_spent_most_today(database: Database) -> None:
    rows = [(1, "2024-10-04", 3.0), (2, "2024-10-04", 9.5), (3, "2024-10-03", 50.0), (4, "2024-10-04", 0.0)]
    common = {"guild_id": GUILD, "finish_tag": 0.0, "tat": 0.0}
    async with database.write() as connection:
        values = [common | {"member_id": member, "day": day, "spent": spent} for member, day, spent in rows]
        await connection.execute(insert(members), [*values, values[0] | {"guild_id": GUILD + 1}])
    assert await Lookback(database, lambda: NOW).spent_today(GUILD) == [(2, 9.5), (1, 3.0)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_span_of_time_is_a_range_of_the_primary_key(database: Database) -> None:
    await write_past(database, GUILD, NOW, days=2, per_day=10)
    async with database.read() as connection:
        plan = await connection.execute(
            text("EXPLAIN QUERY PLAN SELECT count(*) FROM jobs WHERE id >= 'a' AND guild_id = 7")
        )
        assert "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id>?)" in str(plan.all())


@pytest.mark.slow
async def test_a_busy_month_is_summed_up_in_time(tmp_path: Path, database: Database) -> None:
    """100,000 jobs in 30 days: every question of the overview within half a second."""
    await write_past(database, GUILD, NOW, days=DAYS, per_day=3_400)
    lookback = Desk.over(database, tmp_path).lookback
    lookback._clock = lambda: NOW
    for ask in (lookback.by_day, lookback.waits, lookback.recent):
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            await ask(GUILD)
            seconds.append(time.perf_counter() - began)
        assert min(seconds) < 0.5, ask.__name__
