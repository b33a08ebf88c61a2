"""How long a claim takes while thousands wait: one process alone, several at once, and beside members who ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import insert, text

from bot.benches.report import percentile, show, write
from bot.benches.scratch import scratch
from bot.benches.submit import an_order
from bot.store.database import Database
from bot.store.jobs import JobStore
from bot.store.rows import JobIds, job_values
from bot.store.schema import jobs, lanes
from generation.limits import Allowance
from generation.models import ModelCard, describe

GUILDS = 50
BATCH = 500  # rows of one statement
WARM = 20  # claims before the first that counts: what is done once is done
WIDE = Allowance(burst=1e6, per_hour=1e6, daily=1e6, waiting=1000)


async def measure(
    config: Path | None, *, waiting: int, members: int, claims: int, together: int, report: Path | None
) -> None:
    """Take all figures; of each kind `claims` are made, and with PostgreSQL `together` processes claim at once."""
    card = describe("starter")
    async with scratch(config) as (url, folder), AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(url, folder))
        several = 1 if database.is_sqlite else together
        others = [await stack.enter_async_context(Database(url, folder)) for _ in range(several - 1)]
        stores = [JobStore(each) for each in (database, *others)]
        await _fill(database, card, waiting, members)
        await _claimed(stores[0], WARM)
        figures = {"claim_waiting": float(waiting), "claim_members": float(members), "claim_guilds": float(GUILDS)}
        figures |= _told("alone", await _claimed(stores[0], claims))
        asking = asyncio.create_task(_asks(stores[-1], card, waiting))
        figures |= _told("beside_orders", await _claimed(stores[0], claims))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        if several > 1:
            began = time.perf_counter()
            taken = await asyncio.gather(*(_claimed(store, claims // several) for store in stores))
            figures["claim_per_s_together"] = several * (claims // several) / (time.perf_counter() - began)
            figures |= _told("together", [each for found in taken for each in found])
    show(figures)
    if report is not None:
        command = f"python -m bot bench claim --waiting {waiting} --crowd {members} --claims {claims}"
        await asyncio.to_thread(write, report, figures, command)


async def _fill(database: Database, card: ModelCard, waiting: int, members: int) -> None:
    """Jobs as admission would have put them there, each member's behind each other."""
    new, now = JobIds(), time.time()
    rows = []
    for number in range(waiting):
        order, place = an_order(number, card), float(number // members)
        values = job_values(order, job_id=new.new(now), cost=1.0, charged=1.0, start_tag=place, now=now)
        guild_id = number % GUILDS + 1
        rows.append(values | {"guild_id": guild_id, "lane": guild_id, "author_id": number % members + 1})
    async with database.write() as connection:
        fresh = {"finish_tag": 0.0, "virtual_time": 0.0, "weight": 1.0}
        opened = [fresh | {"guild_id": guild_id} for guild_id in range(1, GUILDS + 1)]
        await connection.execute(insert(lanes), opened)
        for first in range(0, waiting, BATCH):
            await connection.execute(insert(jobs), rows[first : first + BATCH])
    async with database.write() as connection:
        await connection.execute(text("ANALYZE"))  # as both databases do by themselves in time


async def _claimed(store: JobStore, number: int) -> list[float]:
    """Seconds of each claim, one after the other."""
    taken = []
    for _ in range(number):
        began = time.perf_counter()
        job = await store.claim()
        taken.append(time.perf_counter() - began)
        assert job is not None, "enough of them wait"
    return taken


async def _asks(store: JobStore, card: ModelCard, first: int) -> None:
    number = first
    while True:
        number += 1
        await store.enqueue(an_order(number, card), 1.0, WIDE, 10**6)
        await asyncio.sleep(0.005)


def _told(name: str, taken: Sequence[float]) -> dict[str, float]:
    return {
        f"claim_p50_ms_{name}": percentile(taken, 0.5) * 1000,
        f"claim_p99_ms_{name}": percentile(taken, 0.99) * 1000,
        f"claim_worst_ms_{name}": max(taken) * 1000,
    }
