"""The folders with people's files, and which of their files something still needs; the others may go.

One file may belong to several requests, since files are kept by their content: it goes with the last of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.sections import Privacy
from bot.store.database import Database
from bot.store.files import FileStore
from bot.store.register import EVIDENCE, FILES, UPLOADS
from bot.store.schema import jobs, pending_orders, pictures, reports
from generation.job import ENDED

GRACE = 3600.0  # seconds for which a file without a row is left alone: its row may be on its way
SHELVES = ("pictures", "held", "uploads")


class Shelves:
    """Pictures, withheld pictures and uploads, by their digests."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._files = {name: FileStore(folder / name) for name in SHELVES}

    async def clear_unfinished(self, now: float) -> None:
        """Delete files that a crash left half-written."""
        for files in self._files.values():
            await files.clear_unfinished(now - GRACE)

    async def unneeded(self, shelf: str, privacy: Privacy, now: float) -> AsyncIterator[list[str]]:
        """Digests of files that nothing needs any more, in small groups."""
        async for digests in self._files[shelf].older_than(now - GRACE):
            if free := await self.free(shelf, digests, privacy, now):
                yield free

    async def free(self, shelf: str, digests: Collection[str], privacy: Privacy, now: float) -> list[str]:
        """Those of `digests` that no request needs any more."""
        queries = {"pictures": _pictures, "held": _held, "uploads": _uploads}[shelf](digests, privacy, now)
        needed: set[str] = set()
        async with self._database.read() as connection:
            for query in queries:
                needed |= await _column(connection, query)
        return [digest for digest in digests if digest not in needed]

    async def drop(self, job_id: str, now: float) -> int:
        """Delete the shown files of a request whose message its author deleted, unless others have them too.

        Of a reported picture they stay for the moderators; rows stay, so what is asked of it later is painted again.
        """
        own = select(pictures.c.sha256).where(pictures.c.job_id == job_id, pictures.c.sha256.is_not(None))
        others = select(pictures.c.sha256).where(pictures.c.sha256.in_(own), pictures.c.job_id != job_id)
        blurred = pictures.c.evidence["sha256"].as_string()
        evidence = select(blurred).where(pictures.c.evidence.is_not(None), blurred.in_(own))
        reported = select(reports.c.job_id).where(reports.c.job_id == job_id)
        async with self._database.read() as connection:
            if await _column(connection, reported):
                return 0
            digests = await _column(connection, own)
            digests -= await _column(connection, others) | await _column(connection, evidence)
        return await self.remove("pictures", digests, now + 1.0)

    async def remove(self, shelf: str, digests: Collection[str], before: float) -> int:
        """Delete files that were last kept before `before` (epoch seconds); returns how many are gone."""
        gone = [await self._files[shelf].remove_if_older(digest, before) for digest in digests]
        return gone.count(True)


def _pictures(digests: Collection[str], privacy: Privacy, now: float) -> list[Select[Any]]:
    reported = select(reports.c.job_id).where(reports.c.reported_at >= now - (EVIDENCE.seconds(privacy) or 0.0))
    young = jobs.c.ended_at >= now - (FILES.seconds(privacy) or 0.0)
    wanted = or_(jobs.c.state.not_in(ENDED), young, jobs.c.id.in_(reported))
    shown = select(pictures.c.sha256).join(jobs, jobs.c.id == pictures.c.job_id)
    blurred = pictures.c.evidence["sha256"].as_string()
    evidence = select(blurred).where(pictures.c.evidence.is_not(None), blurred.in_(digests))
    return [shown.where(pictures.c.sha256.in_(digests), wanted), evidence]


def _held(digests: Collection[str], _privacy: Privacy, _now: float) -> list[Select[Any]]:
    kept = pictures.c.held["sha256"].as_string()
    return [select(kept).where(pictures.c.held.is_not(None), kept.in_(digests))]


def _uploads(digests: Collection[str], privacy: Privacy, now: float) -> list[Select[Any]]:
    begun, waiting = jobs.c.request["image"].as_string(), pending_orders.c.order["request", "image"].as_string()
    young = or_(jobs.c.state.not_in(ENDED), jobs.c.ended_at >= now - (UPLOADS.seconds(privacy) or 0.0))
    return [select(begun).where(young, begun.in_(digests)), select(waiting).where(waiting.in_(digests))]


async def _column(connection: AsyncConnection, query: Select[Any]) -> set[str]:
    return {str(row[0]) for row in await connection.execute(query) if row[0] is not None}
