"""Finished pictures: rows that say who approved what, and the approved bytes beside them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.files import FileStore
from bot.store.schema import pictures
from bot.store.withdrawals import ORIGINAL
from generation.job import Picture, Result
from generation.safety.approved import Approved
from generation.safety.held import Held
from generation.safety.level import Level

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
    level: Level = Level.NEUTRAL  # the most that any checker saw
    held: bool = False  # withheld, but its file is kept so that a moderator may let it through
    evidence: bool = False  # there is a blurred likeness of it for moderators
    seen: tuple[str, ...] = ()  # the checkers' reasons for withholding it, for moderators


async def keep_pictures(connection: AsyncConnection, result: Result) -> None:
    """Write the rows of a result whose bytes are already on disk; part of the transaction that ends the painting."""
    await connection.execute(delete(pictures).where(pictures.c.job_id == result.job_id))
    places = [*result.pictures]
    if result.grid is not None:
        places.append(Picture(index=GRID, approved=result.grid, level=result.grid.level))
    for picture in places:
        values = {"job_id": result.job_id, "place": picture.index, "withheld": picture.withheld, "level": picture.level}
        values |= {"checked_by": [], "held": _file_values(picture.held), "evidence": _file_values(picture.evidence)}
        if picture.approved is not None:
            values |= _file_values(picture.approved) or {}
        await connection.execute(insert(pictures).values(values))


def _file_values(file: Approved | Held | None) -> dict[str, Any] | None:
    """All of a file but its bytes."""
    if file is None:
        return None
    values = {
        "sha256": hashlib.sha256(file.data).hexdigest(),
        "media_type": file.media_type,
        "width": file.width,
        "height": file.height,
        "level": int(file.level),
        "checked_by": list(file.checked_by),
    }
    return values | {"seen": list(file.seen)} if isinstance(file, Held) else values


class PictureStore:
    """Approved pictures, found again by job and index."""

    def __init__(self, database: Database, files: FileStore, held: FileStore) -> None:
        self._database = database
        self._files = files
        self._held = held  # apart from what may be shown

    async def keep_bytes(self, result: Result) -> None:
        """Put the approved files on disk; to be done before the rows are written."""
        for picture in result.pictures:
            for approved in (picture.approved, picture.evidence):
                if approved is not None:
                    await self._files.put(approved.data)
            if picture.held is not None:
                await self._held.put(picture.held.data)
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
                level=Level(row.level),
                held=row.held is not None,
                evidence=row.evidence is not None,
                seen=tuple(row.held["seen"]) if row.held else (),
            )
            for row in rows
        ]

    async def load(self, job_id: str, index: int) -> Approved | None:
        """The approved picture, its bytes proven to be those that were approved; None when withheld or gone."""
        row = await self._row(job_id, index)
        return await self._reread(row._asdict()) if row is not None and row.sha256 is not None else None

    async def load_evidence(self, job_id: str, index: int) -> Approved | None:
        """The blurred likeness of a withheld picture, for moderators; None when there is none."""
        row = await self._row(job_id, index)
        return await self._reread(row.evidence) if row is not None and row.evidence is not None else None

    async def load_likeness(self, job_id: str, index: int) -> Approved | None:
        """As above, and None where the evidence is the picture itself, which a moderator removed."""
        row = await self._row(job_id, index)
        return await self._reread(row.evidence) if row is not None and not _removed(row) and row.evidence else None

    async def load_removed(self, job_id: str, index: int) -> Approved | None:
        """The picture itself that a moderator removed, kept for an appeal; None when there is none."""
        row = await self._row(job_id, index)
        return await self._reread(row.evidence) if row is not None and _removed(row) else None

    async def let_through(self, job_id: str, index: int, by: str) -> Approved | None:
        """Approve a held picture on a moderator's word (`by` says whose); None when it is not held any more."""
        row = await self._row(job_id, index)
        if row is None or row.held is None:
            return None
        data = await self._held.get(row.held["sha256"])
        if data is None:
            return None
        told = row.held
        held = Held(
            data=data,
            media_type=told["media_type"],
            width=told["width"],
            height=told["height"],
            level=Level(told["level"]),
            seen=tuple(told["seen"]),
            checked_by=tuple(told["checked_by"]),
        )
        approved = await asyncio.to_thread(Approved.reviewed, held, by=by)
        await self._files.put(approved.data)
        values = (_file_values(approved) or {}) | {"withheld": "", "held": None}
        async with self._database.write() as connection:
            await connection.execute(update(pictures).where(_here(job_id, index)).values(values))
        await self._remove_held(row.held["sha256"])
        return approved

    async def discard(self, job_id: str, index: int) -> None:
        """Forget a held picture's bytes for good; its blurred likeness stays until it is swept."""
        row = await self._row(job_id, index)
        if row is None or row.held is None:
            return
        async with self._database.write() as connection:
            await connection.execute(update(pictures).where(_here(job_id, index)).values(held=None))
        await self._remove_held(row.held["sha256"])

    async def _remove_held(self, sha256: str) -> None:
        """Unless another picture that is still held has the very same bytes."""
        same = select(pictures.c.job_id).where(pictures.c.held["sha256"].as_string() == sha256).limit(1)
        async with self._database.read() as connection:
            needed = (await connection.execute(same)).first() is not None
        if not needed:
            await self._held.remove(sha256)

    async def _row(self, job_id: str, index: int) -> Row[Any] | None:
        async with self._database.read() as connection:
            return (await connection.execute(select(pictures).where(_here(job_id, index)))).first()

    async def _reread(self, told: Mapping[str, Any]) -> Approved | None:
        data = await self._files.get(told["sha256"])
        if data is None:
            return None
        return await asyncio.to_thread(_approved, told, data)  # hashing megabytes takes milliseconds


def _approved(told: Mapping[str, Any], data: bytes) -> Approved:
    return Approved(
        data=data,
        sha256=told["sha256"],
        media_type=told["media_type"],
        width=told["width"],
        height=told["height"],
        checked_by=tuple(told["checked_by"]),
        level=Level(told["level"]),
    )


def _removed(row: Row[Any]) -> bool:
    return bool(row.evidence and row.evidence.get(ORIGINAL))


def _here(job_id: str, index: int) -> Any:
    return and_(pictures.c.job_id == job_id, pictures.c.place == index)
