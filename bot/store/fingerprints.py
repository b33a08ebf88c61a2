"""What every picture made here can be recognised by, long after its job is forgotten; whose it was is not kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import PurePath
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.schema import fingerprints
from generation.job import Result
from generation.provenance.payload import Payload
from generation.provenance.phash import distance
from generation.safety.approved import Approved
from generation.safety.held import Held

BAND = 16  # bits; four bands make a hash
REACH = 1  # bits that may differ within a band looked up
FARTHEST = 7  # of 64 bits: if no more differ, then in some band no more than REACH do
_FLIPS = tuple(sum(1 << bit for bit in bits) for count in range(REACH + 1) for bits in combinations(range(BAND), count))
_BANDS = (fingerprints.c.band0, fingerprints.c.band1, fingerprints.c.band2, fingerprints.c.band3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """One picture that was made here."""

    sha256: str  # of its file
    manifest: str  # name of the C2PA manifest inside; empty when it could not be signed
    job_id: str
    model: str
    made_at: float  # epoch seconds
    phash: int | None  # see generation.provenance.phash


async def keep_fingerprints(connection: AsyncConnection, result: Result, now: float) -> None:
    """Remember the files of a result, those kept back for review too; part of the transaction that keeps them."""
    files: list[Approved | Held | None] = [result.grid]
    for picture in result.pictures:
        files += [picture.approved, picture.held]
    model = PurePath(str(result.recipe.get("model", ""))).name
    rows = [_values(file, result.job_id, model, now) for file in files if file is not None]
    if not rows:
        return
    # The same bytes come again when a picture could not be signed and is painted anew: the first time counts.
    digests = [row["sha256"] for row in rows]
    known = await connection.execute(select(fingerprints.c.sha256).where(fingerprints.c.sha256.in_(digests)))
    there = {row.sha256 for row in known}
    fresh = {row["sha256"]: row for row in rows if row["sha256"] not in there}
    if fresh:
        await connection.execute(insert(fingerprints), list(fresh.values()))


class Fingerprints:
    """The fingerprints table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_file(self, sha256: str) -> Fingerprint | None:
        """The picture with exactly these bytes."""
        return await self._one(fingerprints.c.sha256 == sha256)

    async def of_manifest(self, manifest: str) -> Fingerprint | None:
        """The picture that was signed with this manifest."""
        return await self._one(fingerprints.c.manifest == manifest) if manifest else None

    async def of_watermark(self, payload: Payload) -> Fingerprint | None:
        """The picture whose manifest a watermark names; None when there is none, or when two begin alike."""
        query = select(fingerprints).where(fingerprints.c.manifest.between(*payload.manifests())).limit(2)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return _fingerprint(found[0]) if len(found) == 1 else None

    async def nearest(self, phash: int, *, within: int) -> tuple[Fingerprint, int] | None:
        """The picture that looks most like it, the latest of several, with its distance, at most `within` bits.

        Found by multi-index hashing: hashes that differ in at most `FARTHEST` bits agree in one of their four bands
        but for one bit, and each band has an index.
        """
        assert within <= FARTHEST, within
        near = [
            column.in_([band ^ flip for flip in _FLIPS]) for column, band in zip(_BANDS, _split(phash), strict=True)
        ]
        query = select(fingerprints).where(or_(*near))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = [(row, distance(_joined(row), phash)) for row in rows]
        best = min(found, key=lambda pair: (pair[1], -pair[0].made_at), default=None)
        return (_fingerprint(best[0]), best[1]) if best is not None and best[1] <= within else None

    async def keep(self, file: Approved, job_id: str, model: str, now: float) -> None:
        """Remember one more file of a job, before anybody sees it: a picture is recognised in every encoding."""
        values = _values(file, job_id, PurePath(model).name, now)
        known = select(fingerprints.c.sha256).where(fingerprints.c.sha256 == file.sha256)
        async with self._database.write() as connection:
            if (await connection.execute(known)).first() is None:
                await connection.execute(insert(fingerprints).values(values))

    async def delete_older_than(self, moment: float) -> int:
        """Forget what was made before `moment` (epoch seconds); returns how many pictures that were."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(fingerprints).where(fingerprints.c.made_at < moment))
        return int(gone.rowcount)

    async def _one(self, condition: Any) -> Fingerprint | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(fingerprints).where(condition).limit(1))).first()
        return _fingerprint(row) if row is not None else None


def _values(file: Approved | Held, job_id: str, model: str, now: float) -> dict[str, Any]:
    mark = file.mark
    sha256 = file.sha256 if isinstance(file, Approved) else hashlib.sha256(file.data).hexdigest()
    bands: Iterable[int | None] = (None,) * 4 if mark.phash is None else _split(mark.phash)
    values = {"sha256": sha256, "manifest": mark.manifest, "job_id": job_id, "model": model[:100], "made_at": now}
    return values | {column.name: band for column, band in zip(_BANDS, bands, strict=True)}


def _split(phash: int) -> list[int]:
    return [phash >> shift & 0xFFFF for shift in range(0, 64, BAND)]


def _joined(row: Row[Any]) -> int:
    return int(row.band0 | row.band1 << 16 | row.band2 << 32 | row.band3 << 48)


def _fingerprint(row: Row[Any]) -> Fingerprint:
    return Fingerprint(
        sha256=row.sha256,
        manifest=row.manifest,
        job_id=row.job_id,
        model=row.model,
        made_at=row.made_at,
        phash=None if row.band0 is None else _joined(row),
    )
