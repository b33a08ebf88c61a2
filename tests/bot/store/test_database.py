"""The database itself: readers beside a writer, addresses that cannot work, and what an error may say."""

from __future__ import annotations

import asyncio
import time
import traceback
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.store.database import Database, DatabaseClosed
from bot.store.jobs import JobStore
from generation.errors import ConfigError
from generation.limits import Allowance
from tests.orders import a_request, an_order
from tests.proxy import proxied

ALLOWANCE = Allowance(burst=20, per_hour=120, daily=400, waiting=3)


def _url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}"


async def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    async with Database(_url(tmp_path), tmp_path) as database, database.write() as connection:
        await connection.execute(text("UPDATE notes SET value = value"))
        async with asyncio.timeout(2.0):  # a reader that takes the write lock waits five seconds, then fails
            assert await JobStore(database).counts() == {}


async def test_an_error_of_the_database_tells_neither_prompt_nor_token(tmp_path: Path) -> None:
    async with Database(_url(tmp_path), tmp_path) as database:
        async with database.write() as connection:
            trouble = "CREATE TRIGGER trouble BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
            await connection.execute(text(trouble))
        words = "-".join(("nobody", "reads", "this"))  # not as one word here: a traceback quotes these lines
        order = an_order(request=a_request(prompt=words))
        with pytest.raises(DBAPIError) as caught:
            await JobStore(database).enqueue(order, 1.0, ALLOWANCE, 10)

    told = "".join(traceback.format_exception(caught.value))
    assert "disk is full" in told
    assert words not in told
    assert order.address.token not in told


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://someone:geheim@db.example/atelier",
        "postgresql://someone:geheim@127.0.0.1:1/atelier",  # without a driver that can be waited for
        "sqlite:///atelier.sqlite",
    ],
)
@pytest.mark.parametrize("patience", [0.0, 60.0])
async def test_an_address_that_cannot_work_is_a_sentence_without_its_password(
    tmp_path: Path, url: str, patience: float
) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match="database_url") as refused:
        async with Database(url, tmp_path, patience=patience):
            pass
    assert "geheim" not in refused.value.sentence
    assert time.monotonic() - began < 10.0  # what is no server that starts is not waited for


async def test_a_server_that_knows_no_such_database_is_not_waited_for(tmp_path: Path, postgres_url: str) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match="does not exist"):
        async with Database(f"{postgres_url}_not", tmp_path, patience=60.0):
            pass
    assert time.monotonic() - began < 10.0


async def test_whoever_asks_first_after_the_server_was_away_is_answered(tmp_path: Path, postgres_url: str) -> None:
    """Connections that are kept open may have been cut meanwhile."""
    async with proxied(postgres_url) as (proxy, url), Database(url, tmp_path) as database:
        async with database.read(), database.read(), database.read():
            pass
        await proxy.cut()
        await proxy.mend()
        for _ in range(3):
            assert await JobStore(database).counts() == {}
            async with database.write() as connection:
                assert (await connection.execute(text("SELECT 7"))).scalar_one() == 7


async def test_what_is_under_way_ends_before_the_database_closes(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", tmp_path)
    await database.__aenter__()
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slow() -> object:
        async with database.write() as connection:
            begun.set()
            await goes_on.wait()
            return (await connection.execute(text("SELECT 7"))).scalar_one()

    work = asyncio.create_task(slow())
    await begun.wait()
    closing = asyncio.create_task(database.__aexit__())
    await asyncio.sleep(0.05)
    assert not closing.done()
    goes_on.set()
    assert await work == 7
    await closing


async def test_nothing_begins_in_a_closed_database(tmp_path: Path) -> None:
    """Whoever is late would open a connection that nobody closes any more."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", tmp_path)
    async with database:
        pass
    with pytest.raises(DatabaseClosed):
        async with database.read():
            pass
    with pytest.raises(DatabaseClosed):
        async with database.write():
            pass
    with pytest.raises(DatabaseClosed):
        await database.transact(lambda connection: connection.execute(text("SELECT 1")))
    async with database, database.read() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
