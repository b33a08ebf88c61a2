"""Admission, accounts and turns in the store: what is charged, what comes back, and what a fault leaves behind."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.store.accounts import Purses
from bot.store.admission import TOGETHER
from bot.store.database import Database
from bot.store.jobs import JobStore
from bot.store.migrating import MIGRATIONS
from generation.errors import BrokenPicture, OutOfCredits
from generation.job import JobState, Picture, Result
from generation.limits import Allowance, Budget
from generation.queue import AGE_BOUND
from generation.safety.approved import Approved
from tests.orders import GUILD, a_request, an_order

WIDE = Allowance(burst=1000, per_hour=1000, daily=10_000, waiting=50)
NOW = 1_800_000_000.0
TABLES = ("jobs", "members", "budgets")


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(tmp_path: Path, database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, tmp_path) as database:
        yield database


@pytest.fixture
def store(database: Database, clock: Clock) -> JobStore:
    return JobStore(database, clock)


async def admit(
    store: JobStore,
    member: int,
    guild: int | None = GUILD,
    *,
    cost: float = 1.0,
    allowance: Allowance = WIDE,
    purses: Purses = Purses(),  # noqa: B008 - frozen
) -> str:
    order = an_order(member, guild_id=guild)
    order = replace(order, member=replace(order.member, guild_id=guild))
    job_id, _ = await store.enqueue(order, cost, allowance, 10_000, purses)
    return job_id


async def claimed(store: JobStore, number: int) -> list[str]:
    found = [await store.claim() for _ in range(number)]
    return [job.id for job in found if job is not None]


# -- together in one transaction -------------------------------------------------------------------------------------


async def test_who_asks_at_the_same_time_shares_commits_and_a_refusal_among_them_touches_nobody(store, database):
    commits: list[int] = []
    transact = database.transact

    async def counted(work):
        commits.append(1)
        return await transact(work)

    database.transact = counted
    poor = replace(WIDE, daily=0.5)
    members = range(1, 2 * TOGETHER + 1)
    outcomes = await asyncio.gather(
        *(admit(store, member, allowance=poor if member % 2 else WIDE) for member in members), return_exceptions=True
    )
    assert [isinstance(outcome, OutOfCredits) for outcome in outcomes] == [member % 2 == 1 for member in members]
    assert len(commits) <= 4
    assert await store.counts() == {"accepted": TOGETHER}
    assert (await store.quota(GUILD, 1, WIDE)).spent_today == 0.0
    assert (await store.quota(GUILD, 2, WIDE)).spent_today == 1.0


async def test_what_admission_tells_is_what_is_stored(store):
    admitted = await store.admit(an_order(1, request=a_request(count=2)), 2.0, WIDE, 10)
    assert admitted.commission == await store.get(admitted.commission.id)
    assert not admitted.repeated


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_one_that_breaks_the_transaction_breaks_its_own_admission_alone(store, database):
    async with database.write() as connection:
        await connection.execute(
            text(
                "CREATE TRIGGER trouble BEFORE INSERT ON jobs WHEN NEW.author_id = 3"
                " BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )
    outcomes = await asyncio.gather(*(admit(store, member) for member in range(1, 7)), return_exceptions=True)
    assert [isinstance(outcome, DBAPIError) for outcome in outcomes] == [False, False, True, False, False, False]
    assert await store.counts() == {"accepted": 5}
    assert (await store.quota(GUILD, 3, WIDE)).spent_today == 0.0  # charged and not admitted is not possible


async def test_whoever_stops_waiting_takes_nobody_along(store):
    tasks = [asyncio.create_task(admit(store, member)) for member in range(1, 6)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert all(isinstance(outcome, str) for outcome in outcomes[1:])
    assert (await store.counts())["accepted"] in (4, 5)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_crash_before_the_commit_leaves_neither_job_nor_charge(store, database, tmp_path):
    """A second connection sees what would be there after a power cut: all of an admission or nothing."""
    seen: list[tuple[int, int, int]] = []

    def look(_: object) -> None:
        with sqlite3.connect(tmp_path / "a.sqlite") as other:
            seen.append(tuple(other.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES))

    transact = database.transact

    async def watched(work):
        def inside(connection):
            outcome = work(connection)
            look(connection)
            return outcome

        return await transact(inside)

    database.transact = watched
    await admit(store, 1, purses=Purses(guild=WIDE, house=WIDE))
    look(None)
    assert seen == [(0, 0, 0), (1, 1, 2)]


# -- accounts --------------------------------------------------------------------------------------------------------


async def test_a_servers_budget_binds_while_other_servers_wait_and_is_named(store, clock):
    purses = Purses(guild=Budget(burst=2, per_hour=60, daily=1e6))
    for member in (1, 2, 3):
        await admit(store, member, purses=purses)  # no other server waits: the machine would be idle otherwise
    await admit(store, 9, GUILD + 1, purses=purses)
    with pytest.raises(OutOfCredits, match="This server has used up") as refused:
        await admit(store, 4, purses=purses)
    assert refused.value.retry_at == pytest.approx(clock.now + 60)
    assert (await store.quota(GUILD, 4, WIDE, purses)).guild_left == pytest.approx(0.0)
    assert (await store.quota(GUILD, 4, WIDE)).spent_today == 0.0
    await admit(store, 9, None, purses=purses)  # in direct messages no server pays


async def test_a_days_budget_of_a_server_and_of_the_house_bind_always(store, clock):
    with pytest.raises(OutOfCredits, match="whole day's limit"):
        await admit(store, 1, cost=3.0, purses=Purses(guild=Budget(9, 9, daily=2)))
    server = Purses(guild=Budget(1e6, 1e6, daily=2))
    await admit(store, 1, purses=server)
    await admit(store, 2, purses=server)
    with pytest.raises(OutOfCredits, match="This server has reached its limit for today"):
        await admit(store, 3, purses=server)
    house = Purses(house=Budget(1e6, 1e6, daily=1))
    await admit(store, 3, GUILD + 1, purses=house)
    with pytest.raises(OutOfCredits, match="for everybody together") as refused:
        await admit(store, 4, GUILD + 2, purses=house)
    clock.now = refused.value.retry_at
    await admit(store, 4, GUILD + 2, purses=house)


async def test_what_we_fail_at_is_given_back_to_every_account(store):
    purses = Purses(guild=Budget(10, 60, 100), house=Budget(20, 60, 100))
    job_id = await admit(store, 1, cost=4.0, purses=purses)
    quota = await store.quota(GUILD, 1, WIDE, purses)
    assert (quota.available, quota.guild_left, quota.house_left) == pytest.approx((996, 6, 16))
    await store.end(job_id, JobState.CANCELLED, "", only_from=(JobState.ACCEPTED,), give_back=0.25)
    quota = await store.quota(GUILD, 1, WIDE, purses)
    assert (quota.available, quota.guild_left, quota.house_left) == pytest.approx((997, 7, 17))
    assert quota.spent_today == pytest.approx(3.0)
    assert (await store.get(job_id)).refunded == pytest.approx(1.0)


async def test_pictures_that_broke_are_given_back_and_withheld_ones_are_not(store):
    approved = Approved.of(b"bytes", media_type="image/webp", width=8, height=8, checked_by=("test",))
    job_id = await admit(store, 1, cost=4.0)
    job = await store.claim()
    pictures = (
        Picture(index=0, approved=approved),
        Picture(index=1, approved=None, withheld=BrokenPicture().sentence),
        Picture(index=2, approved=None, withheld="A checker saw something."),
        Picture(index=3, approved=approved),
    )
    await store.rendered(job, Result(job_id=job_id, pictures=pictures, grid=None, recipe={}, seconds=1.0))
    assert (await store.get(job_id)).refunded == pytest.approx(1.0)
    await store.end(job_id, JobState.FAILED, "", only_from=(JobState.RENDERED,), give_back=1.0)
    assert (await store.get(job_id)).refunded == pytest.approx(4.0)  # the rest, and nothing twice
    assert (await store.quota(GUILD, 1, WIDE)).spent_today == pytest.approx(0.0)


async def test_a_refund_of_what_has_come_back_by_itself_is_no_gift(store, clock):
    allowance = Allowance(burst=10, per_hour=60, daily=1e6, waiting=50)
    job_id = await admit(store, 1, cost=5.0, allowance=allowance)
    clock.now += 3600
    await admit(store, 1, cost=4.0, allowance=allowance)
    await store.end(job_id, JobState.CANCELLED, "", only_from=(JobState.ACCEPTED,), give_back=1.0)
    assert (await store.quota(GUILD, 1, allowance)).available == pytest.approx(6.0)


async def test_a_members_day_is_one_in_however_many_servers(store):
    allowance = replace(WIDE, daily=3)
    for guild in (GUILD, GUILD + 1, None):
        await admit(store, 1, guild, allowance=allowance)
    with pytest.raises(OutOfCredits, match="today's limit"):
        await admit(store, 1, GUILD + 2, allowance=allowance)
    await admit(store, 2, GUILD + 2, allowance=allowance)
    assert (await store.quota(GUILD + 5, 1, allowance)).spent_today == pytest.approx(3.0)


# -- turns -----------------------------------------------------------------------------------------------------------


async def test_servers_take_turns_however_many_members_they_have(store):
    big = [await admit(store, member) for member in range(1, 7)]
    small = [await admit(store, 1, GUILD + 1), await admit(store, 1, None)]
    order = await claimed(store, 8)
    assert set(order[:3]) == {big[0], *small}
    assert order[3:] == big[1:]


async def test_a_heavier_server_gets_more_turns(store):
    await admit(store, 1)  # the owner gives it more only later
    await claimed(store, 1)
    for member in range(1, 13):
        await admit(store, member, purses=Purses(weight=3.0))
        await admit(store, member, GUILD + 1)
    owners = [(await store.get(job_id)).address.guild_id for job_id in await claimed(store, 12)]
    assert 8 <= owners.count(GUILD) <= 10


async def test_a_server_that_was_away_has_saved_nothing_up(store):
    for member in range(1, 5):
        await admit(store, member)
    await claimed(store, 4)
    late = [await admit(store, member, GUILD + 1) for member in range(1, 5)]
    busy = [await admit(store, member) for member in range(1, 5)]
    assert len(set((await claimed(store, 4))[:4]) & set(late)) <= 3
    assert busy


async def test_place_and_work_ahead_count_the_other_servers_turns(store):
    own = [await admit(store, member) for member in range(1, 5)]
    for member in range(1, 11):
        await admit(store, member, GUILD + 1)
    places = [await store.ahead(job_id) for job_id in own]
    assert [place[0] for place in places] == [0, 2, 4, 6]
    assert places[2][1] == pytest.approx(4 * a_request().megapixel_steps)
    line = await store.line(GUILD)
    assert [(commission.id, ahead) for commission, ahead in line] == [
        (job_id, place[0]) for job_id, place in zip(own, places, strict=True)
    ]
    order = await claimed(store, 14)
    for job_id, place in zip(own, places, strict=True):
        assert abs(order.index(job_id) - place[0]) <= 1


async def test_a_turn_that_was_not_painted_is_given_back(store):
    first, second = await admit(store, 1), await admit(store, 1, GUILD + 1)
    job = await store.claim()
    assert job.id == first
    await store.release(job)
    assert await claimed(store, 2) == [first, second]


async def test_after_ten_minutes_no_newcomer_overtakes_the_oldest(store, clock):
    await admit(store, 1, cost=10.0)
    await claimed(store, 1)
    waiting = await admit(store, 1)
    clock.now += AGE_BOUND - 1
    early = await admit(store, 2)
    clock.now += 2
    late = await admit(store, 3)
    assert await claimed(store, 3) == [early, waiting, late]


# -- an older house --------------------------------------------------------------------------------------------------


async def test_an_older_house_keeps_its_order(tmp_path: Path) -> None:
    """Members whose finish tags were counted on the one clock of before are not set back behind newcomers."""
    url = f"sqlite+aiosqlite:///{tmp_path}/a.sqlite"
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, settings, "0003")
    with sqlite3.connect(tmp_path / "a.sqlite") as old:
        old.execute("INSERT INTO notes VALUES ('virtual_time', '499.5')")
        old.execute(
            "INSERT INTO members (guild_id, member_id, finish_tag, tat, day, spent) VALUES (?, 1, 500.0, 0, '', 0)",
            (GUILD,),
        )
    async with Database(url, tmp_path) as database:
        store = JobStore(database)
        others = [await admit(store, 2), await admit(store, 2)]
        ours = await admit(store, 1)
        assert await claimed(store, 3) == [others[0], ours, others[1]]


async def test_a_commit_that_was_not_heard_of_is_no_repetition(store, database, monkeypatch):
    """The connection broke just then: whoever asked is told of a new job, and it is one."""
    transact, tries = database.transact, []

    async def cut_off(work):
        outcome = await transact(work)
        tries.append(outcome)
        if len(tries) == 1:
            raise OSError("the connection broke")
        return outcome

    monkeypatch.setattr(database, "transact", cut_off)
    orders = [an_order(member) for member in (1, 2)]
    admitted = await asyncio.gather(*(store.enqueue(order, 1.0, WIDE, 100) for order in orders))
    assert len(tries) == 3  # both together, then each by itself
    assert [repeated for _, repeated in admitted] == [False, False]
    assert len({job_id for job_id, _ in admitted}) == 2
    assert await store.counts() == {"accepted": 2}
    assert [(await store.quota(GUILD, member, WIDE)).spent_today for member in (1, 2)] == [1.0, 1.0]
