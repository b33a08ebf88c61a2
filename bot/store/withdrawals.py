"""Pictures that were shown and were taken back by a moderator: out of reach for members, kept for an appeal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, and_, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.files import FileStore
from bot.store.schema import pictures

ORIGINAL = "original"  # marks evidence that is the picture itself, not a blurred likeness
REMOVED = "A moderator removed this picture."


class Withdrawals:
    """Moves approved pictures between what is shown and what is evidence."""

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files

    async def withdraw(self, job_id: str) -> None:
        """Nothing of this job can be shown any more; its approved pictures become evidence. Twice changes nothing."""
        shown = and_(pictures.c.job_id == job_id, pictures.c.sha256.is_not(None))
        async with self._database.write() as connection:
            for row in (await connection.execute(select(pictures).where(shown))).all():
                evidence = {
                    "sha256": row.sha256,
                    "media_type": row.media_type,
                    "width": row.width,
                    "height": row.height,
                    "level": row.level,
                    "checked_by": row.checked_by,
                    ORIGINAL: True,
                }
                await _set(connection, row, {"sha256": None, "withheld": REMOVED, "evidence": evidence})

    async def reinstate(self, job_id: str) -> bool:
        """Undo `withdraw`; False when there is nothing left to show."""
        async with self._database.write() as connection:
            found = [row for row in await _of(connection, job_id) if _is_original(row)]
            for row in found:
                values = {"sha256": row.evidence["sha256"], "withheld": "", "evidence": null()}
                await _set(connection, row, values)
        return bool(found)

    async def forget(self, job_id: str) -> None:
        """Delete what was withdrawn for good, files included unless another picture has the very same bytes."""
        async with self._database.write() as connection:
            found = [row for row in await _of(connection, job_id) if _is_original(row)]
            for row in found:
                await _set(connection, row, {"evidence": null()})
            unused = await _unused(connection, {row.evidence["sha256"] for row in found})
        for sha256 in unused:
            await self._files.remove(sha256)


async def _of(connection: AsyncConnection, job_id: str) -> list[Row[Any]]:
    return [*(await connection.execute(select(pictures).where(pictures.c.job_id == job_id))).all()]


def _is_original(row: Row[Any]) -> bool:
    return bool(row.evidence and row.evidence.get(ORIGINAL))


async def _set(connection: AsyncConnection, row: Row[Any], values: dict[str, Any]) -> None:
    here = and_(pictures.c.job_id == row.job_id, pictures.c.place == row.place)
    await connection.execute(update(pictures).where(here).values(values))


async def _unused(connection: AsyncConnection, digests: Iterable[str]) -> list[str]:
    unused = []
    for sha256 in digests:
        kept = pictures.c.evidence["sha256"].as_string() == sha256  # of another case, say
        needed = select(pictures.c.job_id).where(or_(pictures.c.sha256 == sha256, kept)).limit(1)
        if (await connection.execute(needed)).first() is None:
            unused.append(sha256)
    return unused
