"""The database is away, or locked, while people ask: the bot answers in time and honestly, and loses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.sections import Tier
from bot.store import bulletin
from bot.store.database import Database
from tests.bot.town import ADA, BEN, Bot, Town, open_both
from tests.databases import on_server
from tests.painter import Painter
from tests.proxy import proxied

WIDE = {"member": Tier(burst=1e6, per_hour=1e6, daily=1e6, waiting=1000)}


async def shown_in_the_end(town: Town, bot: Bot, least: int) -> list[str]:
    """What was asked for, once nothing waits of at least so many jobs: each shown once, nobody heard nothing."""

    async def over() -> bool:
        counts = await bot.house.desk.jobs.counts()
        return set(counts) == {"posted"} and counts["posted"] >= least

    await town.until(over, 90.0)
    posted = (await bot.house.desk.jobs.counts())["posted"]
    await town.until(lambda: _shown(town, posted))
    for person in (ADA, BEN):
        said = [message["content"] for message in await town.messages(person)]
        assert not [words for words in said if "did not respond" in words], said
    assert not bot.serving.done()
    return [message["content"].split("**")[1] for message in await town.results()]


async def _shown(town: Town, number: int) -> bool:
    results = await town.results()
    assert len(results) <= number, "none was shown twice"
    return len(results) == number


async def honest(town: Town, person: int, number: int) -> None:
    """Until so many were told that something went wrong, or that they are in the line."""

    async def told() -> bool:
        said = [message["content"] for message in await town.messages(person)]
        return sum("went wrong on our side" in words or "**late" in words for words in said) >= number

    await town.until(told, 60.0)


@pytest.mark.parametrize("seconds", [3.0, pytest.param(10.0, marks=pytest.mark.slow)])
async def test_postgres_fails_over_while_people_ask(tmp_path: Path, postgres_url: str, seconds: float) -> None:
    """Row 20: first all its backends are ended, then nobody answers for a while."""
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    async with AsyncExitStack() as stack:
        proxy, url = await stack.enter_async_context(proxied(postgres_url))
        both = open_both(tmp_path, Painter(0.02), database_url=url, limits=WIDE)
        town, bot = await stack.enter_async_context(both)
        for number in range(4):
            await town.invoke(ADA, "dream", prompt=f"early {number}")
        await town.result()
        for _ in range(3):
            await on_server(kill + "pg_backend_pid()", postgres_url)
            await asyncio.sleep(0.3)
        await proxy.cut()
        began = time.monotonic()
        for number in range(3):
            await town.invoke(BEN, "dream", prompt=f"late {number}")
        await honest(town, BEN, 3)
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        await proxy.mend()
        await town.invoke(ADA, "dream", prompt="afterwards")
        assert {"early 0", "early 3", "afterwards"} <= {*await shown_in_the_end(town, bot, 5)}


async def test_a_ticket_is_followed_on_when_the_database_is_back(tmp_path: Path, postgres_url: str) -> None:
    """While it is away nobody can say how many are ahead; that is no reason to fall silent for good."""
    async with AsyncExitStack() as stack:
        proxy, url = await stack.enter_async_context(proxied(postgres_url))
        painter = Painter(0.1)
        town, bot = await stack.enter_async_context(open_both(tmp_path, painter, database_url=url, limits=WIDE))
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="first")
        await town.told(ADA, "step 1 of 20")
        await town.invoke(ADA, "dream", prompt="second")
        await town.told(ADA, "Number 2 in the line")
        await proxy.cut()
        bot.client.tickets.moved()
        await asyncio.sleep(3.0)
        await proxy.mend()
        painter.hold.set()
        await town.until(lambda: bot.has(posted=1, running=1))
        painter.hold.clear()

        async def followed() -> bool:
            said = [message["content"] for message in await town.messages(ADA)]
            return any("**second**" in words and "of 20" in words for words in said)

        await town.until(followed)
        painter.hold.set()
        assert await shown_in_the_end(town, bot, 2) == ["first", "second"]


async def test_news_are_heard_again_however_the_connection_broke(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It breaks while it is asked whether it still answers, and the next one may as well."""
    monkeypatch.setattr(bulletin, "ALIVE", 0.0)  # asked all the time
    monkeypatch.setattr(bulletin, "SLOWEST", 0.3)
    closing, heard = asyncio.Event(), asyncio.Event()
    async with proxied(postgres_url) as (proxy, url), Database(url, tmp_path) as database:
        listening = asyncio.create_task(bulletin.Bulletin(database, lambda _: heard.set()).run(closing))
        for broken in range(4):
            if broken:
                await asyncio.sleep(0.1)
                await proxy.cut()
                heard.clear()
                await proxy.mend()
            async with asyncio.timeout(10.0):
                assert await heard.wait()
        closing.set()
        await listening


@pytest.mark.parametrize("seconds", [6.0, pytest.param(10.0, marks=pytest.mark.slow)])
async def test_sqlite_is_locked_by_somebody_else_while_people_ask(tmp_path: Path, seconds: float) -> None:
    """Row 20: longer than the bot waits for the lock."""
    async with open_both(tmp_path, Painter(0.02), limits=WIDE) as (town, bot):
        for number in range(3):
            await town.invoke(ADA, "dream", prompt=f"early {number}")
        await town.result()
        file = tmp_path / "house" / "atelier.sqlite"
        other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")  # there may be a writer whom this loop has to let end
        try:
            for number in range(2):
                await town.invoke(BEN, "dream", prompt=f"late {number}")
            await asyncio.sleep(seconds)
        finally:
            other.execute("ROLLBACK")
            other.close()
        await honest(town, BEN, 2)
        await town.invoke(ADA, "dream", prompt="afterwards")
        assert {"early 0", "early 2", "afterwards"} <= {*await shown_in_the_end(town, bot, 4)}
