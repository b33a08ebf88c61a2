"""Databases as former versions left them: brought to one revision, with rows in every table it has."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    MetaData,
    Table,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.store.migrating import MIGRATIONS
from tests.orders import a_request

SERVER = os.environ.get("ATELIER_TEST_DATABASE_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")
SNOWFLAKE = 9_100_000_000_000_000_000  # near the end of 63 bits: a column that is too narrow shows
NOON = 1_770_000_000.25  # epoch seconds; a fraction that single precision would lose
STATES = ("accepted", "running", "rendered", "posted", "failed", "cancelled", "blocked")

Rows = dict[str, list[dict[str, Any]]]  # by table


def settings_for(url: str) -> AlembicConfig:
    """Alembic as the bot uses it."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["url"] = url
    return settings


def revisions() -> list[str]:
    """Every schema there has been, oldest first."""
    return [each.revision for each in ScriptDirectory.from_config(settings_for("")).walk_revisions()][::-1]


def build(url: str, revision: str) -> None:
    """Make a new database as it was at `revision`. Blocking, with no event loop in this thread."""
    command.upgrade(settings_for(url), revision)


@asynccontextmanager
async def a_database(kind: str, folder: Path, name: str) -> AsyncIterator[str]:
    """The URL of an empty database: a file, or one of its own on the server; skips where no server answers."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}"
        return
    engine = create_async_engine(SERVER, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as server:
            await server.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            await server.execute(text(f"CREATE DATABASE {name}"))
    except (SQLAlchemyError, OSError) as error:
        pytest.skip(f"no PostgreSQL answers at ATELIER_TEST_DATABASE_URL ({type(error).__name__})")
    try:
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        async with engine.connect() as server:
            await server.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def fill(url: str) -> None:
    """Rows in every table that the database has, with the columns it has."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        for table in (await connection.run_sync(_tables)).values():
            rows = [_row(table, number) for number in range(len(STATES))]
            await connection.execute(insert(table), rows)


async def read(url: str) -> Rows:
    """Everything that is in the database."""
    engine = create_async_engine(url, poolclass=NullPool)
    found: Rows = {}
    async with engine.connect() as connection:
        for table in (await connection.run_sync(_tables)).values():
            rows = (await connection.execute(select(table))).mappings().all()
            found[table.name] = sorted((dict(row) for row in rows), key=lambda row: json.dumps(row, sort_keys=True))
    return found


def _tables(connection: Any) -> dict[str, Table]:
    there = MetaData()
    there.reflect(connection)
    return {name: table for name, table in there.tables.items() if name != "alembic_version"}


def _row(table: Table, number: int) -> dict[str, Any]:
    row = {column.name: _value(column, number) for column in table.columns}
    if table.name == "jobs":
        row |= {"state": STATES[number], "interaction_id": SNOWFLAKE + number, "action": "dream"}
        row |= {"request": a_request(prompt=f"ein rotes Haus, 赤い家 {number}").to_json(), "press": f"press {number}"}
        guild = SNOWFLAKE if number % 2 else None
        row |= {"guild_id": guild, "lane": guild or 0, "parent": None, "parent_index": None}
        waits = {"claimed_at": None, "ended_at": None} if number == 0 else {}
        row |= waits | ({"leaving_at": None, "erased_at": None} if "leaving_at" in row else {})
        row["role_ids"] = [SNOWFLAKE]
    if table.name == "rules":
        row["rule"] = ("word", "review: walnut*", "allow:nut shell", "re:^a{3}", "*ö*", "two words", "word2")[number]
    return {name: value for name, value in row.items() if name in table.columns}


def _value(column: Column[Any], number: int) -> Any:
    if column.nullable and number % 3 == 0:
        return None
    kind = column.type
    if isinstance(kind, JSON):
        return {"nested": [number, {"words": "naïve “quotes”", "sha256": f"{number:064x}"}], "empty": []}
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Float) or "DOUBLE" in str(kind).upper():
        return NOON + number
    if isinstance(kind, BigInteger):
        return SNOWFLAKE + number
    if isinstance(kind, Integer):
        return number + 1
    length = getattr(kind, "length", None) or 200
    if column.name in ("job_id", "id"):
        return f"{number:016d}"
    return f"{column.name[: length - 3]}ü{number}"[:length]
