"""Processes that share a PostgreSQL database share one data folder; another one is refused unless nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.store.data_folder import MARK
from bot.store.database import Database
from bot.store.jobs import JobStore
from bot.store.processes import DEAD, Processes
from bot.store.schema import jobs, pictures, processes
from generation.errors import ConfigError
from generation.job import JobState
from generation.limits import Allowance
from tests.bot.store.test_processes import a_result
from tests.orders import an_order

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
WIDE = Allowance(burst=10_000, per_hour=10_000, daily=100_000, waiting=1000)


class Bot:
    """A process with a data folder of its choice."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.processes = Processes(database)
        self.jobs = JobStore(database)

    @property
    def mark(self) -> str:
        return (self.folder / MARK).read_text()

    async def dies(self) -> None:
        own = processes.c.id == self.database.process
        async with self.database.write() as connection:
            await connection.execute(update(processes).where(own).values(seen_at=processes.c.seen_at - DEAD - 1))

    async def paints(self) -> str:
        """A picture that waits to be shown."""
        job_id, _ = await self.jobs.enqueue(an_order(1), 1.0, WIDE, 100_000)
        claim = await self.jobs.claim()
        assert claim is not None
        assert await self.jobs.rendered(claim, a_result(job_id))
        return job_id


Open = Callable[[str], Awaitable[Bot]]


@pytest.fixture
async def opened(tmp_path: Path, database_url: str) -> AsyncIterator[Open]:
    """Opens the database with a folder of a name, without joining."""
    async with AsyncExitStack() as stack:

        async def one(name: str) -> Bot:
            folder = tmp_path / name
            return Bot(await stack.enter_async_context(Database(database_url, folder)), folder)

        yield one


@pytest.fixture
async def joined(opened: Open) -> Open:
    """The same, and the process lives from then on."""

    async def one(name: str) -> Bot:
        bot = await opened(name)
        await bot.processes.join(bot.folder)
        return bot

    return one


async def test_the_same_folder_is_welcome_and_another_one_is_refused(joined: Open, opened: Open, tmp_path) -> None:
    first, second = await joined("shared"), await joined("shared")
    assert await first.processes.others() == 1
    with pytest.raises(ConfigError, match="another data folder") as refused:
        await joined("own")
    assert "data_dir" in refused.value.sentence
    assert str(tmp_path / "own") in refused.value.sentence
    assert not (tmp_path / "own" / MARK).exists()
    assert await second.processes.others() == 1, "the refused one is none of them"
    with pytest.raises(ConfigError, match="another data folder"):
        await (await opened("own")).processes.check(tmp_path / "own")
    await second.processes.check(first.folder)


async def test_of_two_with_folders_of_their_own_that_start_at_once_one_is_refused(opened: Open) -> None:
    bots = [await opened("one"), await opened("other")]
    ended = await asyncio.gather(*(bot.processes.join(bot.folder) for bot in bots), return_exceptions=True)
    assert sorted(type(each) for each in ended if each is not None) == [ConfigError]


async def test_a_folder_that_was_moved_is_known_again(joined: Open, tmp_path: Path) -> None:
    first = await joined("old")
    await first.paints()
    await first.dies()
    shutil.copytree(first.folder, tmp_path / "new")
    moved = await joined("new")
    assert moved.mark == first.mark


async def test_a_new_folder_simply_works_where_nothing_is_lost_by_it(joined: Open) -> None:
    first = await joined("old")
    await first.jobs.posted(await first.paints())
    await first.jobs.enqueue(an_order(2), 1.0, WIDE, 100_000)  # a job that waits needs no file
    await first.dies()
    second = await joined("new")
    assert second.mark != first.mark
    with pytest.raises(ConfigError):
        await joined("old")  # the former one comes back too late


@pytest.mark.parametrize("what", ["finished", "held", "upload"])
async def test_files_that_somebody_waits_for_are_not_left_behind_unless_they_are_lost(
    joined: Open, opened: Open, what: str
) -> None:
    first = await joined("old")
    if what == "upload":
        job_id, _ = await first.jobs.enqueue(an_order(1), 1.0, WIDE, 100_000)
        async with first.database.write() as connection:
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(request={"image": "0" * 64}))
    else:
        job_id = await first.paints()
    if what == "held":
        await first.jobs.end(job_id, JobState.POSTED, only_from=(JobState.RENDERED,))
        async with first.database.write() as connection:
            await connection.execute(update(pictures).values(held={"sha256": "0" * 64}))
    new = await opened("new")
    with pytest.raises(ConfigError, match="another data folder"):
        await new.processes.adopt(new.folder)  # somebody works with the former one
    await first.dies()
    with pytest.raises(ConfigError, match="adopt-folder"):
        await new.processes.join(new.folder)
    await new.processes.adopt(new.folder)
    await new.processes.join(new.folder)
    assert await new.processes.others() == 0
