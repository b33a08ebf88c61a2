"""The place that is shown against the order in which the store really gives jobs out, on both databases."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.database import Database
from bot.store.jobs import JobStore
from generation.job import JobState
from generation.limits import Allowance
from tests.orders import an_order

WIDE = Allowance(1e6, 1e6, 1e6, 1000, 1.0)
SERVER = os.environ.get("ATELIER_TEST_DATABASE_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")
NAME = f"operations_places_{os.getpid()}"


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        async with Database(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", tmp_path) as database:
            yield database
        return
    server = create_async_engine(SERVER, isolation_level="AUTOCOMMIT")
    try:
        async with server.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {NAME}"))
    except (OSError, DBAPIError) as error:
        await server.dispose()
        pytest.skip(f"no PostgreSQL answers: {error}")
    try:
        async with Database(f"{SERVER.rpartition('/')[0]}/{NAME}", tmp_path) as database:
            yield database
    finally:
        async with server.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {NAME} WITH (FORCE)"))
        await server.dispose()


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_place_is_the_one_at_which_the_job_is_given_out(database: Database, seed: int) -> None:
    chance, store = random.Random(seed), JobStore(database)
    for number in range(60):
        guild_id = chance.choice([None, 1, 2, 3, 4])
        order = an_order(chance.randrange(8), guild_id=guild_id)
        await store.admit(order, chance.choice([1.0, 2.0, 3.5]), WIDE, 1000)
        if number % 4 == 3:
            await store.claim()
    waiting = await store.in_state(JobState.ACCEPTED)
    running = len(await store.in_state(JobState.RUNNING))
    resting = [4]
    shown = {each.id: (await store.ahead(each.id, resting))[0] for each in waiting if each.address.guild_id != 4}
    listed = {each.id: place for each, place in await store.line(2, resting) if each.state is JobState.ACCEPTED}
    given_out: list[str] = []
    while (job := await store.claim(resting)) is not None:
        given_out.append(job.id)

    real = {job_id: running + place for place, job_id in enumerate(given_out)}
    assert len(real) > 20
    assert shown == real
    assert listed.items() <= real.items()
    assert {each.address.guild_id for each in await store.in_state(JobState.ACCEPTED)} == {4}
