"""Admission, fair order, charging and ends of jobs, on a real SQLite file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bot.order import Action
from bot.store.database import Database
from bot.store.jobs import PAGE, JobStore
from bot.store.schema import jobs, lanes
from generation.errors import ConfigError, LineFull, OutOfCredits
from generation.job import Job, JobState, Picture, Result
from generation.limits import Allowance
from generation.safety.approved import Approved
from tests.orders import a_request, an_order

WIDE = Allowance(burst=1000, per_hour=1000, daily=10_000, waiting=50)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path, database_url, clock) -> AsyncIterator[JobStore]:
    async with Database(database_url, tmp_path) as database:
        yield JobStore(database, clock)


def a_result(job_id: str) -> Result:
    approved = Approved.of(b"bytes", media_type="image/webp", width=256, height=256, checked_by=("test",))
    return Result(
        job_id=job_id, pictures=(Picture(index=0, approved=approved),), grid=None, recipe={"a": 1}, seconds=1.5
    )


async def admit(
    store: JobStore, *args, allowance: Allowance = WIDE, cost: float = 1.0, limit: int = 1000, **kwargs
) -> str:
    job_id, _ = await store.enqueue(an_order(*args, **kwargs), cost, allowance, limit)
    return job_id


async def test_a_job_lives_from_admission_to_posting(store):
    job_id = await admit(store)
    job = await store.claim()
    assert job is not None
    assert (job.id, job.attempt, job.request) == (job_id, 1, a_request())
    assert await store.rendered(job, a_result(job_id))
    await store.posted(job_id)
    stored = await store.get(job_id)
    assert stored is not None
    assert (stored.state, stored.recipe, stored.seconds) == (JobState.POSTED, {"a": 1}, 1.5)
    assert await store.claim() is None


async def test_the_same_interaction_twice_is_one_job(store):
    order = an_order()
    first = await store.enqueue(order, 1.0, WIDE, 10)
    again = await store.enqueue(order, 1.0, WIDE, 10)
    assert again == (first[0], True)
    assert (await store.quota(77, 1, WIDE)).spent_today == 1.0


async def test_twenty_presses_of_one_button_at_once_are_one_job_and_later_presses_another(store):
    orders = [an_order(action=Action.VARIATION, parent="p" * 16, parent_index=0) for _ in range(20)]
    admitted = await asyncio.gather(*(store.enqueue(order, 1.0, WIDE, 100) for order in orders))
    assert len({job_id for job_id, _ in admitted}) == 1
    assert sum(not repeated for _, repeated in admitted) == 1
    job = await store.claim()
    await store.rendered(job, a_result(job.id))
    _, repeated = await store.enqueue(
        an_order(action=Action.VARIATION, parent="p" * 16, parent_index=0), 1.0, WIDE, 100
    )
    assert not repeated


async def test_a_newcomer_is_served_before_the_rest_of_a_heavy_users_jobs(store):
    heavy = [await admit(store, 1) for _ in range(5)]
    newcomer = await admit(store, 2)
    order = [(await store.claim()).id for _ in range(6)]
    assert order[0] == heavy[0]
    assert order.index(newcomer) <= 1
    assert [job for job in order if job != newcomer] == heavy


async def test_weights_give_a_larger_share(store):
    light = replace(WIDE, weight=1.0)
    strong = replace(WIDE, weight=3.0)
    for _ in range(12):
        await admit(store, 1, allowance=light)
        await admit(store, 2, allowance=strong)
    owners = []
    for _ in range(12):
        job = await store.claim()
        owners.append((await store.get(job.id)).author_id)
    assert 8 <= owners.count(2) <= 10


async def test_the_line_and_a_members_share_of_it_are_bounded(store):
    small = replace(WIDE, waiting=2)
    await admit(store, 1, allowance=small)
    await admit(store, 1, allowance=small)
    with pytest.raises(LineFull, match="already have 2"):
        await admit(store, 1, allowance=small)
    with pytest.raises(LineFull, match="The line is full"):
        await admit(store, 2, limit=2)


async def test_credits_bind_only_while_somebody_else_waits(store, clock):
    poor = Allowance(burst=1, per_hour=60, daily=100, waiting=50)
    await admit(store, 1, allowance=poor)
    await admit(store, 1, allowance=poor)  # nobody else waits: the machine would be idle otherwise
    await admit(store, 2)
    with pytest.raises(OutOfCredits) as refused:
        await admit(store, 1, allowance=poor)
    assert refused.value.retry_at == pytest.approx(clock.now + 60)
    clock.now += 61
    await admit(store, 1, allowance=poor)


async def test_the_daily_cap_binds_always_and_ends_at_midnight(store, clock):
    capped = Allowance(burst=10, per_hour=1000, daily=2, waiting=50)
    await admit(store, 1, allowance=capped)
    await admit(store, 1, allowance=capped)
    with pytest.raises(OutOfCredits) as refused:
        await admit(store, 1, allowance=capped)
    clock.now = refused.value.retry_at
    await admit(store, 1, allowance=capped)


async def test_a_refusal_charges_nothing_and_a_failure_gives_back(store):
    job_id = await admit(store, cost=3.0)
    before = await store.quota(77, 1, WIDE)
    assert (before.available, before.spent_today, before.waiting) == (pytest.approx(997), 3.0, 1)
    with pytest.raises(LineFull):
        await admit(store, limit=1)
    assert (await store.quota(77, 1, WIDE)).spent_today == 3.0
    assert await store.end(job_id, JobState.FAILED, "why", only_from=(JobState.ACCEPTED,), give_back=True)
    after = await store.quota(77, 1, WIDE)
    assert (after.available, after.spent_today, after.waiting) == (pytest.approx(1000), 0.0, 0)
    assert not await store.end(job_id, JobState.CANCELLED, "again", only_from=(JobState.ACCEPTED,), give_back=True)
    assert (await store.get(job_id)).reason == "why"


async def test_a_claim_that_was_overtaken_writes_nothing(store):
    job_id = await admit(store)
    old = await store.claim()
    await store.release(old)
    new = await store.claim()
    assert new.attempt == 2
    assert not await store.rendered(old, a_result(job_id))
    await store.release(old)
    assert (await store.get(job_id)).state is JobState.RUNNING
    assert await store.rendered(new, a_result(job_id))


async def test_after_a_crash_running_jobs_go_back_and_keep_their_place(store):
    first, second = await admit(store, 1), await admit(store, 2)
    claimed = await store.claim()
    assert claimed.id == first
    assert await store.recover() == 1
    assert [(await store.claim()).id, (await store.claim()).id] == [first, second]


async def test_a_restart_charges_no_guild_twice(store):
    await admit(store, 1)
    async with store._database.read() as connection:
        before = (await connection.execute(select(lanes.c.finish_tag))).scalar_one()
    for _ in range(3):
        await store.claim()
        await store.recover()
    async with store._database.read() as connection:
        assert (await connection.execute(select(lanes.c.finish_tag))).scalar_one() == pytest.approx(before)


async def test_place_and_work_ahead(store):
    ids = [await admit(store, member, request=a_request(count=2)) for member in (1, 2, 3)]
    await store.claim()
    assert await store.ahead(ids[0]) == (0, 0.0, 0)
    count, work, pictures = await store.ahead(ids[2])
    assert (count, pictures) == (2, 4)
    assert work == pytest.approx(2 * a_request(count=2).megapixel_steps)


async def test_a_second_bot_on_the_same_folder_is_told_so(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/a.sqlite"
    async with Database(url, tmp_path):
        with pytest.raises(ConfigError, match="already running"):
            async with Database(url, tmp_path):
                pass


async def test_everything_is_there_after_reopening(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/a.sqlite"
    async with Database(url, tmp_path) as database:
        job_id = await admit(JobStore(database))
    async with Database(url, tmp_path) as database:
        job = await JobStore(database).claim()
        assert isinstance(job, Job)
        assert job.id == job_id


async def test_an_unusable_database_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be used"):
        async with Database("postgresql+asyncpg://nobody:secret@127.0.0.1:1/none", tmp_path):
            pass
    began = time.monotonic()
    with pytest.raises(ConfigError, match="cannot be used"):  # nothing has come up in the time that there was
        async with Database("postgresql+asyncpg://nobody:secret@127.0.0.1:1/none", tmp_path, patience=1.5):
            pass
    assert time.monotonic() - began > 1.5
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        async with Database("sqlite+aiosqlite:///x", tmp_path / "file" / "below"):
            pass


async def test_what_is_still_to_be_shown_is_read_a_few_at_a_time(store):
    """At each heartbeat, and after a long outage there may be a thousand: nobody waits for all of them."""
    ids = await asyncio.gather(*(admit(store, member) for member in range(6 * PAGE)))
    async with store._database.write() as connection:
        await connection.execute(update(jobs).values(state=JobState.CANCELLED, ended_at=1.0))
    reading = asyncio.ensure_future(store.unshown())
    stretches, last = [], time.thread_time()
    while not reading.done():
        await asyncio.sleep(0)
        stretches.append(time.thread_time() - last)
        last = time.thread_time()

    assert [each.id for each in await reading] == sorted(ids)
    assert max(stretches) < 0.3 * sum(stretches), (max(stretches), sum(stretches))
