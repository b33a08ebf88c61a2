"""News among the processes that share a PostgreSQL database (LISTEN/NOTIFY), with polling behind them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, text

from bot.store.database import Database
from bot.waiting import either, within

log = logging.getLogger(__name__)

CHANNEL: Final = "atelier"
ALIVE: Final = 30.0  # seconds between two looks whether the connection still answers
ANSWER: Final = 5.0  # seconds it may take for that
SLOWEST: Final = 30.0  # seconds between two attempts to listen again at most
_TELL: Final = text(f"SELECT pg_notify('{CHANNEL}', :news)")


class News(StrEnum):
    """What can be told; none says more than where to look."""

    LINE = "line"  # somebody waits in the line
    CLAIMED = "claimed"  # a job is being painted: whoever follows it is to let go
    STOP = "stop"  # somebody wishes to stop a job that another process paints
    DECIDED = "decided"  # a new line in the audit log: rules, policies, artists or bans may have changed


def tell(connection: Connection, news: News) -> None:
    """Tell all processes once the running transaction is committed; with SQLite there are none."""
    if connection.dialect.name == "postgresql":
        connection.execute(_TELL, {"news": news.value})


class Bulletin:
    """Listens for as long as it runs, on a connection of its own."""

    def __init__(self, database: Database, hear: Callable[[News], None]) -> None:
        self._database = database
        self._hear = hear

    async def run(self, closing: asyncio.Event) -> None:
        """Until `closing`; while the connection is away nothing is heard, and everything is told after that."""
        if self._database.is_sqlite:
            return
        tries = 0
        while not closing.is_set():
            try:
                await self._listen(closing)
                tries = 0
            except Exception as error:  # the driver is spoken to directly, and its errors have no class in common
                log.warning("Other processes cannot be heard (%s), trying again", type(error).__name__)
            tries += 1
            pause = random.uniform(0.1, min(SLOWEST, 0.5 * 2 ** min(tries, 8)))  # noqa: S311 - jitter, no secret
            await within(closing, pause)

    async def _listen(self, closing: asyncio.Event) -> None:
        lost = asyncio.Event()
        async with self._database.apart() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            if not hasattr(driver, "add_listener"):  # another driver than asyncpg: polling is all there is
                await closing.wait()
                return
            driver.add_termination_listener(lambda _: lost.set())
            await driver.add_listener(CHANNEL, lambda *told: self._heard(str(told[3])))
            for news in News:  # whatever was told while nobody listened
                self._hear(news)
            while not closing.is_set() and not lost.is_set():
                try:
                    async with asyncio.timeout(ALIVE):
                        await either(closing, lost)
                except TimeoutError:
                    await asyncio.wait_for(driver.fetchval("SELECT 1"), ANSWER)
            if not lost.is_set():
                await driver.reset()  # takes the listener away

    def _heard(self, news: str) -> None:
        if news in set(News):
            self._hear(News(news))
