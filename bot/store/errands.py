"""Errands: what was decided in the database and still has to be done in Discord; kept until it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.review.case import Task
from bot.store.database import Database
from bot.store.schema import errands


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to do for a case."""

    id: int
    case_id: int
    task: Task
    fresh: bool  # False: an earlier attempt may already have reached Discord


async def give_errands(connection: AsyncConnection, case_id: int, tasks: Iterable[Task]) -> None:
    """Write errands down inside the transaction that makes them necessary."""
    for task in tasks:
        await connection.execute(insert(errands).values(case_id=case_id, task=task, begun=0, note=""))


class ErrandStore:
    """The errands table."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, case_id: int) -> Errand | None:
        """The oldest errand of a case that is not done yet, its attempt written down; None when all are done."""
        waiting = select(errands).where(errands.c.case_id == case_id, errands.c.done_at.is_(None))
        async with self._database.write() as connection:
            row = (await connection.execute(waiting.order_by(errands.c.id).limit(1))).first()
            if row is None:
                return None
            counted = update(errands).where(errands.c.id == row.id).values(begun=row.begun + 1)
            await connection.execute(counted)
        return Errand(row.id, case_id, Task(row.task), fresh=row.begun == 0)

    async def done(self, errand: Errand, note: str = "") -> None:
        """It is done, or cannot be; `note` is a sentence for moderators."""
        values = {"done_at": self._clock(), "note": note}
        async with self._database.write() as connection:
            await connection.execute(update(errands).where(errands.c.id == errand.id).values(values))

    async def notes(self, case_id: int) -> list[str]:
        """What came of the errands of a case, as far as there is something to say."""
        said = select(errands.c.note).where(errands.c.case_id == case_id, errands.c.note != "").order_by(errands.c.id)
        async with self._database.read() as connection:
            return list(dict.fromkeys(row.note for row in await connection.execute(said)))

    async def waiting(self) -> list[int]:
        """Cases with something left to do, oldest first."""
        query = select(errands.c.case_id).where(errands.c.done_at.is_(None)).group_by(errands.c.case_id)
        async with self._database.read() as connection:
            return sorted(row.case_id for row in await connection.execute(query))
