"""Finished pictures: rows that say who approved what, and the approved bytes beside them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.files import FileStore
from bot.store.schema import pictures
from generation.job import Result
from generation.safety.approved import Approved

GRID = -1  # index of the grid among a job's pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """What is known of one picture of a job without its bytes."""

    index: int  # 0 to 3; GRID for the grid
    sha256: str | None  # None: withheld
    media_type: str
    width: int
    height: int
    checked_by: tuple[str, ...]
    withheld: str  # the reason, a sentence


async def keep_pictures(connection: AsyncConnection, result: Result) -> None:
    """Write the rows of a result whose bytes are already on disk; part of the transaction that ends the painting."""
    await connection.execute(delete(pictures).where(pictures.c.job_id == result.job_id))
    shown = [(picture.index, picture.approved, picture.withheld) for picture in result.pictures]
    if result.grid is not None:
        shown.append((GRID, result.grid, ""))
    for index, approved, withheld in shown:
        values = {"job_id": result.job_id, "place": index, "checked_by": [], "withheld": withheld}
        if approved is not None:
            values |= {
                "sha256": approved.sha256,
                "media_type": approved.media_type,
                "width": approved.width,
                "height": approved.height,
                "checked_by": list(approved.checked_by),
            }
        await connection.execute(insert(pictures).values(values))


class PictureStore:
    """Approved pictures, found again by job and index."""

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files

    async def keep_bytes(self, result: Result) -> None:
        """Put the approved files on disk; to be done before the rows are written."""
        for picture in result.pictures:
            if picture.approved is not None:
                await self._files.put(picture.approved.data)
        if result.grid is not None:
            await self._files.put(result.grid.data)

    async def of(self, job_id: str) -> list[StoredPicture]:
        """All pictures of a job by index, the grid first when there is one."""
        query = select(pictures).where(pictures.c.job_id == job_id).order_by(pictures.c.place)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            StoredPicture(
                index=row.place,
                sha256=row.sha256,
                media_type=row.media_type or "",
                width=row.width or 0,
                height=row.height or 0,
                checked_by=tuple(row.checked_by),
                withheld=row.withheld,
            )
            for row in rows
        ]

    async def load(self, job_id: str, index: int) -> Approved | None:
        """The approved picture, its bytes proven to be those that were approved; None when withheld or gone."""
        stored = next((picture for picture in await self.of(job_id) if picture.index == index), None)
        if stored is None or stored.sha256 is None:
            return None
        data = await self._files.get(stored.sha256)
        if data is None:
            return None
        return await asyncio.to_thread(_reread, stored, data)  # hashing megabytes takes milliseconds


def _reread(stored: StoredPicture, data: bytes) -> Approved:
    return Approved(
        data=data,
        sha256=stored.sha256 or "",
        media_type=stored.media_type,
        width=stored.width,
        height=stored.height,
        checked_by=stored.checked_by,
    )
