"""Which processes share this database, told by their heartbeats; a process without a row is dead."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import and_, delete, func, insert, literal, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import postgres
from bot.store.data_folder import refuse_another, share
from bot.store.database import Database
from bot.store.schema import processes

log = logging.getLogger(__name__)

BEAT: Final = 10.0  # seconds between two heartbeats
DEAD: Final = 30.0  # seconds without one after which a process is dead, by the database's clock


class Processes:
    """The processes table, with the row of this process in it."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def join(self, folder: Path | None = None) -> None:
        """From now on this process is one of them. With SQLite it is the only one: the file's lock says so.

        Raises ConfigError where `folder`, with the pictures, is not the one that they share.
        """
        async with self._database.write() as connection:
            if self._database.is_sqlite:
                await connection.execute(delete(processes))
            elif folder is not None:
                await share(connection, folder, await self._others(connection))
            await self._seen(connection)

    async def check(self, folder: Path) -> None:
        """Raise ConfigError where a process with this data folder could not join."""
        if not self._database.is_sqlite:
            async with self._database.read() as connection:
                await refuse_another(connection, folder, await self._others(connection))

    async def adopt(self, folder: Path) -> None:
        """This is the data folder from now on, since the former one is lost; raises ConfigError where others live."""
        if not self._database.is_sqlite:
            async with self._database.write() as connection:
                await share(connection, folder, await self._others(connection), lost=True)

    async def beat(self) -> None:
        """This process lives; those that were not seen for DEAD seconds do not any more."""
        late = processes.c.seen_at < self._now() - DEAD
        async with self._database.write() as connection:
            await self._seen(connection)  # first: whatever was thought of this one, it is here
            gone = (await connection.execute(select(processes).where(late))).all()
            await connection.execute(delete(processes).where(processes.c.id.in_([row.id for row in gone])))
        for row in gone:
            log.warning("The process %s at %s is gone; its jobs are taken over", row.id, row.place)

    async def leave(self) -> None:
        """This process ends; whatever it still answers for is free for the others."""
        try:
            async with self._database.write() as connection:
                await connection.execute(delete(processes).where(processes.c.id == self._database.process))
        except (SQLAlchemyError, OSError) as error:  # the others notice by themselves
            log.warning("The others could not be told that this process ends", exc_info=error)

    async def others(self) -> int:
        """How many more processes live."""
        async with self._database.read() as connection:
            return await self._others(connection)

    async def eldest(self) -> bool:
        """Whether this process is the one that does what must not be done by several."""
        living = select(processes.c.id).where(processes.c.seen_at >= self._now() - DEAD)
        async with self._database.read() as connection:
            first = (await connection.execute(living.order_by(processes.c.started_at, processes.c.id).limit(1))).first()
        return first is not None and first.id == self._database.process

    async def _others(self, connection: AsyncConnection) -> int:
        living = and_(processes.c.id != self._database.process, processes.c.seen_at >= self._now() - DEAD)
        return int((await connection.execute(select(func.count()).select_from(processes).where(living))).scalar_one())

    async def _seen(self, connection: AsyncConnection) -> None:
        own = processes.c.id == self._database.process
        changed = await connection.execute(update(processes).where(own).values(seen_at=self._now()))
        if not changed.rowcount:
            place = f"{socket.gethostname()[:100]}:{os.getpid()}"
            values = {"id": self._database.process, "place": place, "started_at": self._now(), "seen_at": self._now()}
            await connection.execute(insert(processes).values(values))

    def _now(self) -> Any:
        return literal(self._clock()) if self._database.is_sqlite else postgres.NOW
