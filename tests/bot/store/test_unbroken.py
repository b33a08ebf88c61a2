"""Cancelled tasks and their transactions, on both databases."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from sqlalchemy import insert, select

from bot.store.database import Database
from bot.store.schema import notes


async def test_cancelled_tasks_leave_no_transaction_open(database_url: str, tmp_path: Path) -> None:
    """Torn out of its statement, a writer would leave SQLite locked: the next one would wait for five seconds."""
    chance = random.Random(6)
    async with Database(database_url, tmp_path) as database:

        async def work(key: str) -> None:
            async with database.write() as connection:
                await connection.execute(select(notes))
                await connection.execute(insert(notes).values(key=key, value="1"))
                (await connection.execute(select(notes).limit(5))).all()
            await database.transact(lambda connection: connection.execute(select(notes)).all())

        loop = asyncio.get_running_loop()
        for number in range(40):
            tasks = [asyncio.create_task(work(f"{number}-{each}")) for each in range(4)]
            for task in tasks:
                for _ in range(2):
                    loop.call_later(chance.uniform(0, 0.02), task.cancel)
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(outcome is None or isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
            async with asyncio.timeout(3.0), database.write() as connection:
                await connection.execute(insert(notes).values(key=f"after-{number}", value="1"))
