"""A database that a measurement may fill: of the configured kind, but never the one that the bot uses."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.config import load
from generation.errors import ConfigError


@asynccontextmanager
async def scratch(config: Path | None) -> AsyncIterator[tuple[str, Path]]:
    """URL and data folder of an empty database, gone afterwards.

    With PostgreSQL it is a database of its own on the configured server, which its role must be allowed to make.
    """
    with tempfile.TemporaryDirectory(prefix="atelier-bench-") as name:
        folder = Path(name)
        url = make_url(load(config).database)
        if url.get_backend_name() == "sqlite":
            yield f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}", folder
            return
        database = f"atelier_bench_{secrets.token_hex(6)}"
        await _on_server(url, f'CREATE DATABASE "{database}"')
        try:
            yield url.set(database=database).render_as_string(hide_password=False), folder
        finally:
            await _on_server(url, f'DROP DATABASE "{database}" WITH (FORCE)')


async def _on_server(url: URL, statement: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        cause = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise ConfigError(
            f"A database for the measurement cannot be made on that server ({cause}); its role needs CREATEDB."
        ) from error
