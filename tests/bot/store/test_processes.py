"""Jobs belong to processes: what a dead one left is taken over once, and whatever it writes late is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bot.store.database import Database
from bot.store.jobs import JobStore
from bot.store.outbox import NOTICE, Outbox
from bot.store.processes import BEAT, DEAD, Processes
from bot.store.rows import UnreadableRequest
from bot.store.schema import jobs, lanes, processes
from bot.store.takeover import INTERRUPTED, MOST_ATTEMPTS
from generation.job import JobState, Picture, Result
from generation.limits import Allowance
from generation.safety.approved import Approved
from tests.orders import an_order

WIDE = Allowance(burst=10_000, per_hour=10_000, daily=100_000, waiting=1000)


class Bot:
    """One process as the database sees it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobStore(database)
        self.processes = Processes(database)

    async def admit(self, member: int = 1, guild: int | None = 77) -> str:
        job_id, _ = await self.jobs.enqueue(an_order(member, guild_id=guild), 1.0, WIDE, 100_000)
        return job_id

    async def change(self, statement: Any) -> None:
        async with self.database.write() as connection:
            await connection.execute(statement)

    async def column(self, name: str, job_id: str) -> Any:
        async with self.database.read() as connection:
            return (await connection.execute(select(jobs.c[name]).where(jobs.c.id == job_id))).scalar_one()


Start = Callable[[], Awaitable[Bot]]


@pytest.fixture
async def start(tmp_path: Path, database_url: str) -> AsyncIterator[Start]:
    """Starts processes; with SQLite each after the one before it has died."""
    async with AsyncExitStack() as stack:
        last: list[Database] = []

        async def one() -> Bot:
            database = Database(database_url, tmp_path)
            if database.is_sqlite and last:
                await last.pop().__aexit__()
            last.append(await stack.enter_async_context(database))
            bot = Bot(database)
            await bot.processes.join()
            return bot

        yield one


async def dies(bot: Bot, other: Bot) -> None:
    """Nothing was heard of a process for too long; with SQLite it died when the next one started."""
    if not bot.database.is_sqlite:
        own = processes.c.id == bot.database.process
        await other.change(update(processes).where(own).values(seen_at=processes.c.seen_at - DEAD - 1))
    await other.processes.beat()


def a_result(job_id: str) -> Result:
    approved = Approved.of(b"bytes", media_type="image/webp", width=8, height=8, checked_by=("test",))
    return Result(job_id=job_id, pictures=(Picture(index=0, approved=approved),), grid=None, recipe={}, seconds=1.0)


async def test_what_a_dead_process_painted_is_painted_by_another(start: Start) -> None:
    first = await start()
    job_id = await first.admit()
    claim = await first.jobs.claim()
    assert claim is not None
    assert await first.column("holder", job_id) == first.database.process
    second = await start()
    if not first.database.is_sqlite:
        assert await second.jobs.recover() == 0  # it lives
    await dies(first, second)
    assert await second.jobs.recover() == 1
    again = await second.jobs.claim()
    assert again is not None
    assert (again.id, again.attempt, again.crashes) == (job_id, 2, 0)
    assert again.request == claim.request  # the seed with it: it gives the same picture
    assert await second.jobs.recover() == 0


async def test_an_outcome_is_shown_by_one_process_at_a_time(start: Start) -> None:
    first = await start()
    job_id = await first.admit()
    claim = await first.jobs.claim()
    assert claim is not None
    await first.jobs.rendered(claim, a_result(job_id))
    assert [each.id for each in await first.jobs.unshown()] == [job_id]
    second = await start()
    await dies(first, second)
    assert await second.jobs.recover() == 0
    assert [each.id for each in await second.jobs.unshown()] == [job_id]
    commission = await second.jobs.get(job_id)
    assert commission is not None
    assert second.jobs.is_ours(commission)
    assert not first.jobs.is_ours(commission)
    await second.jobs.posted(job_id)
    assert await second.column("holder", job_id) is None


async def test_a_notice_is_passed_on_until_it_was_told_however_old_it_is(start: Start) -> None:
    first = await start()
    told, untold, old = [await first.admit(member) for member in (1, 2, 3)]
    for job_id in (told, untold, old):
        assert await first.jobs.end(job_id, JobState.CANCELLED, "why", only_from=(JobState.ACCEPTED,))
    outbox = Outbox(first.database)
    await outbox.intend(told, NOTICE)
    await outbox.sent(told, NOTICE, 1, 2)
    long_ago = jobs.c.ended_at - 7 * 24 * 3600.0
    await first.change(update(jobs).where(jobs.c.id == old).values(ended_at=long_ago))
    second = await start()
    await dies(first, second)
    await second.jobs.recover()
    assert {each.id for each in await second.jobs.unshown()} == {untold, old}


async def test_a_job_that_ends_whole_bots_is_given_up_and_a_wish_to_stop_is_not_forgotten(start: Start) -> None:
    first = await start()
    deadly, stopped = await first.admit(1), await first.admit(2)
    assert {(await first.jobs.claim()).id, (await first.jobs.claim()).id} == {deadly, stopped}
    await first.change(update(jobs).where(jobs.c.id == deadly).values(attempt=MOST_ATTEMPTS))
    second = await start()
    assert await second.jobs.ask_to_stop(stopped)
    await dies(first, second)
    assert await second.jobs.recover() == 0
    ended = {each.id: (each.state, each.reason, each.refunded) for each in await second.jobs.unshown()}
    assert ended[deadly] == (JobState.FAILED, INTERRUPTED, 1.0)
    assert ended[stopped][0] is JobState.CANCELLED


async def test_a_request_of_another_version_does_not_stop_the_line(start: Start) -> None:
    bot = await start()
    strange, next_one = await bot.admit(1), await bot.admit(2)
    await bot.change(update(jobs).where(jobs.c.id == strange).values(request={"prompt": "words", "sampler": "gone"}))
    with pytest.raises(UnreadableRequest) as unreadable:
        await bot.jobs.claim()
    assert unreadable.value.job_id == strange
    commission = await bot.jobs.get(strange)
    assert commission is not None
    assert commission.request.prompt == "words"
    claim = await bot.jobs.claim()
    assert claim is not None
    assert claim.id == next_one


def test_a_process_may_miss_a_heartbeat_without_being_dead() -> None:
    assert DEAD > 2 * BEAT


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestSeveral:
    """Processes that live at the same time."""

    async def test_whoever_is_heard_of_keeps_its_jobs(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        silence = 2.0
        monkeypatch.setattr("bot.store.processes.DEAD", silence)
        bots = [await start(), await start()]
        held = {}
        for bot in bots:
            await bot.admit()
            claim = await bot.jobs.claim()
            assert claim is not None
            held[claim.id] = bot.database.process
        loop = asyncio.get_running_loop()
        until = loop.time() + 1.5 * silence
        while loop.time() < until:
            for bot in bots:
                await bot.processes.beat()
                taken = await bot.jobs.take_over()
                assert (taken.returned, taken.waiting) == (0, 0)
            await asyncio.sleep(silence / 10)
        assert [await bot.processes.others() for bot in bots] == [1, 1]
        assert {job_id: await bots[0].column("holder", job_id) for job_id in held} == held

    async def test_what_a_process_writes_after_it_was_given_up_is_refused(self, start: Start) -> None:
        first, second = await start(), await start()
        job_id = await first.admit()
        late = await first.jobs.claim()
        assert late is not None
        await dies(first, second)
        await second.jobs.recover()
        await first.processes.beat()  # it was only slow
        assert not await first.jobs.rendered(late, a_result(job_id))
        now = await second.jobs.claim()
        assert now is not None
        assert not await first.jobs.rendered(late, a_result(job_id))
        assert not await first.jobs.end(job_id, JobState.FAILED, "", only_from=(JobState.RUNNING,), claim=late)
        await first.jobs.release(late)
        assert (await second.jobs.get(job_id)).state is JobState.RUNNING
        assert await second.jobs.rendered(now, a_result(job_id))

    async def test_a_claim_is_of_the_process_that_made_it(self, start: Start) -> None:
        first, second = await start(), await start()
        job_id = await first.admit()
        claim = await first.jobs.claim()
        assert claim is not None
        assert not await second.jobs.rendered(claim, a_result(job_id))
        await second.jobs.release(claim)
        assert not await second.jobs.end(job_id, JobState.FAILED, "", only_from=(JobState.RUNNING,), claim=claim)
        assert await first.jobs.rendered(claim, a_result(job_id))

    async def test_of_several_survivors_one_takes_over(self, start: Start) -> None:
        first = await start()
        jobs_left = [await first.admit(member) for member in (1, 2)]
        assert (await first.jobs.claim()).id in jobs_left
        others = [await start() for _ in range(4)]
        await dies(first, others[0])
        taken = await asyncio.gather(*(other.jobs.take_over() for other in others))
        assert sorted((each.returned, each.waiting) for each in taken) == [(0, 0), (0, 0), (0, 0), (1, 2)]
        holders = {await first.column("holder", job_id) for job_id in jobs_left}
        assert holders < {other.database.process for other in others}

    async def test_claims_at_the_same_time_get_every_job_once(self, start: Start) -> None:
        bots = [await start() for _ in range(4)]
        wanted = {await bots[0].admit(member, guild) for guild in (None, 5, 6) for member in range(1, 21)}
        found: list[str] = []

        async def claims(bot: Bot) -> None:
            while (job := await bot.jobs.claim()) is not None:
                found.append(job.id)

        async def admits() -> None:
            for member in range(30, 40):
                wanted.add(await bots[1].admit(member, 7))

        await asyncio.gather(admits(), *(claims(bot) for bot in bots for _ in range(2)))
        await claims(bots[0])  # what was admitted after the last of them had looked
        assert len(found) == len(set(found)) == 70
        assert set(found) == wanted

    async def test_a_claim_waits_for_no_writer(self, start: Start) -> None:
        first, second = await start(), await start()
        job_id = await first.admit()
        async with first.database.write() as connection:
            await connection.execute(text("UPDATE notes SET value = value WHERE key = 'none'"))
            async with asyncio.timeout(2.0):
                claim = await second.jobs.claim()
        assert claim is not None
        assert claim.id == job_id

    async def test_writers_of_different_processes_wait_for_each_other(self, start: Start) -> None:
        first, second = await start(), await start()
        ended: list[str] = []

        async def write(bot: Bot, name: str) -> None:
            await bot.change(update(processes).values(place=name))
            ended.append(name)

        async with first.database.write():
            waiting = asyncio.create_task(write(second, "second"))
            await asyncio.sleep(0.2)
            assert not ended
        await waiting

    async def test_a_turn_that_is_being_taken_goes_to_the_next_lane_and_comes_back(self, start: Start) -> None:
        first, second = await start(), await start()
        one, other = await first.admit(1, 5), await first.admit(2, 6)
        async with first.database._engine.begin() as connection:  # type: ignore[union-attr]
            await connection.execute(select(lanes).where(lanes.c.guild_id == 5).with_for_update())
            claim = await second.jobs.claim()
            assert claim is not None
            assert claim.id == other
            assert await second.jobs.claim() is None  # all that waits is locked; nobody waits for ever
        claim = await second.jobs.claim()
        assert claim is not None
        assert claim.id == one

    async def test_the_eldest_is_one_of_those_that_live(self, start: Start) -> None:
        first, second = await start(), await start()
        assert (await first.processes.eldest(), await second.processes.eldest()) == (True, False)
        assert (await first.processes.others(), await second.processes.others()) == (1, 1)
        await first.processes.leave()
        assert await second.processes.eldest()
        assert await second.processes.others() == 0
