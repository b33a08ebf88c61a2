"""Fresh databases for tests: a SQLite file, and a PostgreSQL database of its own on the server that tests may use."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

SERVER = os.environ.get("ATELIER_TEST_DATABASE_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")
KINDS = ("sqlite", "postgresql")
_kept: list[str] = []
# Every row goes, and numbers begin at 1 again; the schema stays. All tables of a database without any are none.
_EMPTIED = """DO $$ DECLARE each record; BEGIN
  FOR each IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', each.tablename);
  END LOOP;
  FOR each IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', each.sequencename);
  END LOOP;
  IF to_regclass('notes') IS NOT NULL THEN INSERT INTO notes (key, value) VALUES ('house_time', '0.0'); END IF;
END $$"""


@asynccontextmanager
async def fresh_postgres() -> AsyncIterator[str]:
    """The URL of a PostgreSQL database with nothing in it, dropped at the end; skips the test where none answers."""
    url = await _create()
    try:
        yield url
    finally:
        await _drop(url)


async def _create() -> str:
    name = f"atelier_test_{secrets.token_hex(6)}"
    try:
        await on_server(f'CREATE DATABASE "{name}"')
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        where = make_url(SERVER).render_as_string(hide_password=True)
        pytest.skip(f"no PostgreSQL answers at {where} ({error}); see ATELIER_TEST_DATABASE_URL")
    return make_url(SERVER).set(database=name).render_as_string(hide_password=False)


async def _drop(url: str) -> None:
    await on_server(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')


@asynccontextmanager
async def fresh_database(kind: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a database of one of KINDS with nothing in it.

    On PostgreSQL all tests of this process use the same one after another: making and dropping it takes seconds.
    """
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder}/a.sqlite"
        return
    if not _kept:
        _kept.append(await _create())
    await on_server(_EMPTIED, _kept[0])
    yield _kept[0]


async def drop_kept() -> None:
    """At the end of all tests."""
    while _kept:
        await _drop(_kept.pop())


async def on_server(statement: str, url: str = SERVER) -> list[tuple[object, ...]]:
    """Run one statement outside of any transaction; returns its rows."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"timeout": 5.0})
    async with asyncio.timeout(20), engine.connect() as connection:
        result = await connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []
