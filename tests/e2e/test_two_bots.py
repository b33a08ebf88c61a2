"""Two bots with one token on one PostgreSQL database share the work, and one that dies leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bot.launch import adopt_folder
from bot.playground import ids
from bot.store.data_folder import MARK, NOTE
from bot.store.database import Database
from bot.store.processes import Processes
from generation.errors import ConfigError
from tests.databases import on_server
from tests.e2e.paced import paced_bot

PEOPLE = (ids.ADA_ID, ids.BEN_ID, ids.CLEO_ID)
OVER = "SELECT count(*) FROM jobs WHERE state NOT IN ('posted', 'failed', 'cancelled', 'blocked')"


@asynccontextmanager
async def two_bots(folder: Path, discord, url: str, seconds: float):
    """Both ready, with one folder of pictures."""
    async with AsyncExitStack() as stack:
        bots = []
        for name in ("first", "second"):
            shared = {"data_dir": str(folder / "data"), "database_url": url}
            bots.append(await stack.enter_async_context(paced_bot(folder / name, discord, seconds, **shared)))
            await bots[-1].until(healthy=True)
        yield bots


async def wishes(discord, number: int) -> None:
    for wish in range(number):
        await discord.invoke(PEOPLE[wish % 3], "dream", {"prompt": f"a red house {wish}", "seed": wish})
        await asyncio.sleep(0.02)


async def results(discord) -> list[str]:
    """What each picture shown was asked for, by its file's name."""
    seen = await discord.messages(ids.ADA_ID, limit=100)
    return [each["filename"] for message in seen for each in message["attachments"]]


async def all_over(url: str, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while (await on_server(OVER, url))[0][0]:
            await asyncio.sleep(0.2)


async def forget_time(url: str) -> None:
    """As if nothing had been heard of any process for a minute; those that live say so within a heartbeat."""
    await on_server("UPDATE processes SET seen_at = seen_at - 60", url)


async def quiet(discord) -> None:
    """Nobody was told of an error, although each interaction reached both bots."""
    for person in PEOPLE:
        said = [message["content"] for message in await discord.messages(person, limit=100)]
        assert not [words for words in said if "went wrong" in words or "🎨" in words], said


async def test_two_bots_share_the_line_and_one_that_is_killed_leaves_nothing_behind(
    tmp_path, start_discord, postgres_url
):
    discord = await start_discord(apart=True)
    async with two_bots(tmp_path, discord, postgres_url, 0.4) as (first, second):
        await wishes(discord, 20)
        async with asyncio.timeout(30):
            while len(await results(discord)) < 4:
                await asyncio.sleep(0.05)
        first.process.send_signal(signal.SIGKILL)
        await first.ended()
        await forget_time(postgres_url)
        await all_over(postgres_url)
        painted = [sum("painting, attempt" in line for line in bot.log) for bot in (first, second)]
        assert min(painted) > 0, "both took from the line"
        states = await on_server("SELECT state, count(*) FROM jobs GROUP BY state", postgres_url)
        assert states == [("posted", 20)]
        shown = await results(discord)
        assert len(shown) == len(set(shown)) == 20
        await quiet(discord)
        assert "is gone" in await second.logged("is gone; its jobs")


async def test_stopping_reaches_the_process_that_paints(tmp_path, start_discord, postgres_url):
    discord = await start_discord(apart=True)
    async with two_bots(tmp_path, discord, postgres_url, 30.0):
        await wishes(discord, 2)
        running = "SELECT count(DISTINCT holder) FROM jobs WHERE state = 'running'"
        async with asyncio.timeout(20):
            while (await on_server(running, postgres_url))[0][0] < 2:
                await asyncio.sleep(0.05)
        for person in PEOPLE[:2]:  # whichever bot answers, one of the two jobs is painted by the other one
            await discord.invoke(person, "cancel")
        await all_over(postgres_url, 20.0)
        assert await on_server("SELECT DISTINCT state FROM jobs", postgres_url) == [("cancelled",)]


async def test_with_a_folder_of_its_own_the_second_refuses_until_the_owner_says_that_the_other_is_lost(
    tmp_path, start_discord, postgres_url
):
    discord = await start_discord()
    async with Database(postgres_url, tmp_path / "data") as database:
        first = Processes(database)
        await first.join(tmp_path / "data")
        async with paced_bot(tmp_path / "second", discord, 0.1, database_url=postgres_url) as second:
            assert await second.ended() == 78
            assert f"with another data folder than {tmp_path / 'second' / 'data'}; let data_dir" in second.log[-1]
        with pytest.raises(ConfigError):
            await adopt_folder(second.config)  # somebody works with the other one
        await first.leave()
    await adopt_folder(second.config)
    mark = (tmp_path / "second" / "data" / MARK).read_text().strip()
    assert await on_server(f"SELECT value FROM notes WHERE key = '{NOTE}'", postgres_url) == [(mark,)]


async def test_on_sqlite_the_second_refuses_in_one_sentence(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    shared = {"data_dir": str(tmp_path / "data")}
    async with paced_bot(tmp_path / "first", discord, 0.1, **shared) as first:
        await first.until(healthy=True)
        async with paced_bot(tmp_path / "second", discord, 0.1, **shared) as second:
            assert await second.ended() == 78
            assert "already running" in second.log[-1]
            await discord.invoke(ids.ADA_ID, "dream", {"prompt": "a boat"})
            await discord.wait_for(lambda message: message["attachments"])


@pytest.mark.slow
async def test_with_heartbeats_as_they_are(tmp_path, start_discord, postgres_url):
    """Nothing is told to the database by the test: the dead one is missed by its silence."""
    discord = await start_discord(apart=True)
    async with two_bots(tmp_path, discord, postgres_url, 0.4) as (first, _):
        await wishes(discord, 40)
        await asyncio.sleep(3.0)
        first.process.send_signal(signal.SIGKILL)
        await all_over(postgres_url, 120.0)
        shown = await results(discord)
        assert len(shown) == len(set(shown)) == 40
