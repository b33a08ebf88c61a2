"""What the bot's database says of its jobs, read beside the running bot."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.outcome import NOTICE, RESULT
from bot.store.database import Database
from bot.store.schema import jobs, metadata, outbox
from generation.errors import ConfigError
from generation.job import ENDED, JobState


@dataclass(frozen=True, slots=True)
class Entry:
    """One job as it is written down."""

    id: str
    state: JobState
    prompt: str
    reason: str
    attempt: int
    interaction_id: int
    author_id: int
    private: bool
    told_in: int | None  # the message of its outcome: None while it was not sent, 0 where there was no way

    @property
    def settled(self) -> bool:
        """Whether it has ended and its author was told."""
        return self.state in ENDED and self.told_in is not None


class Books:
    """The database of a soak."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self._url = url
        self._data_dir = data_dir

    async def entries(self) -> dict[str, Entry]:
        """Every job by its id; none while there is no table yet."""
        names = ("id", "state", "request", "reason", "attempt", "interaction_id", "author_id", "private")
        columns = [jobs.c[name] for name in names]
        async with Database(self._url, self._data_dir, looking=True) as database, database.read() as connection:
            rows = (await connection.execute(select(*columns))).all()
            outcome = outbox.c.kind.in_((RESULT, NOTICE))
            sent = select(outbox.c.job_id, outbox.c.message_id).where(outcome, outbox.c.sent_at.is_not(None))
            told = {job_id: message_id or 0 for job_id, message_id in await connection.execute(sent)}
        return {
            row.id: Entry(
                id=row.id,
                state=JobState(row.state),
                prompt=row.request["prompt"],
                reason=row.reason,
                attempt=row.attempt,
                interaction_id=row.interaction_id,
                author_id=row.author_id,
                private=row.private,
                told_in=told.get(row.id),
            )
            for row in rows
        }

    async def faults(self) -> list[str]:
        """What the database itself finds wrong: SQLite's own check, or every row of every table read."""
        async with Database(self._url, self._data_dir, looking=True) as database, database.read() as connection:
            if database.is_sqlite:
                found = (await connection.execute(text("PRAGMA integrity_check"))).scalars().all()
                return [] if list(found) == ["ok"] else [str(each) for each in found]
            try:
                for table in metadata.sorted_tables:
                    (await connection.execute(select(table))).all()
            except SQLAlchemyError as error:
                return [str(error)]
        return []


@asynccontextmanager
async def scratch_database(server: str) -> AsyncIterator[str]:
    """The URL of a new PostgreSQL database on the server of that URL; it is dropped in the end."""
    url = make_url(server)
    if url.get_backend_name() != "postgresql":
        raise ConfigError("A soak on PostgreSQL needs the URL of a PostgreSQL server.")
    name = f"soak_{secrets.token_hex(6)}"
    await _on_server(url, f'CREATE DATABASE "{name}"')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        await _on_server(url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _on_server(url: URL, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    except (SQLAlchemyError, OSError) as error:
        raise ConfigError(f"The PostgreSQL server did not do as asked ({type(error).__name__}).") from error
    finally:
        await engine.dispose()
