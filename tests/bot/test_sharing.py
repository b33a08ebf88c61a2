"""A round of a process among others: what it has lost sight of is stopped, or goes back to the line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, update

from bot.store.schema import jobs, processes
from generation.job import JobState
from tests.house import House, open_house
from tests.orders import an_order
from tests.painter import Painter

OTHER = "another process"


async def _until(look: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.01)


async def _begun(house: House, member: int) -> str:
    """A job that is being painted, and will be until somebody holds the painter no more."""
    house.painter.hold.clear()
    job_id = (await house.studio.submit(an_order(member))).job_id
    await _until(lambda: job_id in house.studio._dispatcher.running)
    return job_id


async def test_what_others_have_taken_over_is_not_painted_any_more(tmp_path: Path) -> None:
    async with open_house(tmp_path, Painter()) as house:
        job_id = await _begun(house, 1)
        async with house.desk.database.write() as connection:
            seen = {"id": OTHER, "place": "elsewhere:1", "started_at": 4e9, "seen_at": 4e9}
            await connection.execute(insert(processes).values(seen))
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(holder=OTHER))
        await house.studio.sharing.round()
        await _until(lambda: not house.studio._dispatcher.running)
        assert house.painter.painted == []
        assert house.settled == []
        [theirs] = await house.desk.jobs.in_state(JobState.RUNNING)
        assert (theirs.id, theirs.holder) == (job_id, OTHER)


async def test_a_claim_that_was_not_heard_of_goes_back_to_the_line(tmp_path: Path) -> None:
    """Its commit came through and the connection broke just then: the job is this process's, and nobody paints it."""
    async with open_house(tmp_path, Painter()) as house:
        first = await _begun(house, 1)
        unheard = (await house.studio.submit(an_order(2))).job_id
        claim = await house.desk.jobs.claim()
        assert claim is not None
        assert claim.id == unheard
        await house.studio.sharing.round()
        assert {job_id for job_id, _ in await house.desk.jobs.claims()} == {first, unheard}, "it may be about to begin"
        await house.studio.sharing.round()
        assert {job_id for job_id, _ in await house.desk.jobs.claims()} == {first}
        house.painter.hold.set()
        await _until(lambda: len(house.settled) == 2)
        assert {each.id for each in house.settled if each.state is JobState.RENDERED} == {first, unheard}
        assert [job.attempt for job in house.painter.painted if job.id == unheard] == [2]
