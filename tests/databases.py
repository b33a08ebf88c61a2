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


@asynccontextmanager
async def fresh_postgres() -> AsyncIterator[str]:
    """The URL of a PostgreSQL database with nothing in it, dropped at the end; skips the test where none answers."""
    name = f"atelier_test_{secrets.token_hex(6)}"
    try:
        await on_server(f'CREATE DATABASE "{name}"')
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        pytest.skip(f"no PostgreSQL answers at {make_url(SERVER)} ({error}); see ATELIER_TEST_DATABASE_URL")
    try:
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        await on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@asynccontextmanager
async def fresh_database(kind: str, folder: Path) -> AsyncIterator[str]:
    """The URL of an empty database of one of KINDS."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder}/a.sqlite"
        return
    async with fresh_postgres() as url:
        yield url


async def on_server(statement: str, url: str = SERVER) -> list[tuple[object, ...]]:
    """Run one statement outside of any transaction; returns its rows."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"timeout": 5.0})
    async with asyncio.timeout(20), engine.connect() as connection:
        result = await connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []
