"""The proof: rows and files of every age in every table and folder, one round, and nothing older is left anywhere."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Table, func, insert, select, update

from bot.privacy.sweeper import Sweeper, Swept
from bot.sections import Privacy
from bot.store.database import Database
from bot.store.files import FileStore
from bot.store.register import REGISTER, Kept
from bot.store.rows import commission_of
from bot.store.schema import bans, jobs, outbox, pending_orders, pictures, reports, strikes
from generation.job import JobState
from tests.bot.privacy.filling import fill

DAY, HOUR = 86_400.0, 3_600.0
NOW = float(round(time.time()))
PRIVACY = Privacy()
JOBS = next(kept for kept in REGISTER if kept.table is jobs)
AGED = [kept for kept in REGISTER if kept.since is not None and kept.kind.seconds(PRIVACY) is not None]


@pytest.fixture
async def database(tmp_path: Path, database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, tmp_path) as database:
        yield database


def sweeper(database: Database, folder: Path, privacy: Privacy = PRIVACY, now: float = NOW) -> Sweeper:
    return Sweeper(database, folder, privacy, lambda: now, pause=0.0)


def every_byte(folder: Path) -> bytes:
    """All that is in the database's files, journal and free pages included."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("a.sqlite*")))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nothing_older_remains_in_any_table_nor_in_any_byte(database: Database, tmp_path: Path) -> None:
    old = []
    for kept in AGED:
        limit = kept.kind.seconds(PRIVACY) or 0.0
        for number in range(150):  # more than one batch
            old.append(await fill(database, kept, NOW - limit - 1 - number * HOUR))
        await fill(database, kept, NOW - limit + 60)
        await fill(database, kept, NOW)
    before = every_byte(tmp_path)
    assert {kept.table.name for kept in AGED} >= {"jobs", "members", "reports", "pending_orders", "carried"}
    assert sum(mark.encode() in before for mark in old) >= 4 * 150, "the marks can be found while they are there"

    await sweeper(database, tmp_path).sweep()

    async with database.read() as connection:
        for kept in AGED:
            late = kept.since < NOW - (kept.kind.seconds(PRIVACY) or 0.0)
            count = await connection.execute(select(func.count()).select_from(kept.table).where(late))
            assert count.scalar_one() == 0, kept.table.name
            assert (await connection.execute(select(func.count()).select_from(kept.table))).scalar_one() == 2
    left = every_byte(tmp_path)
    assert [mark for mark in old if mark.encode() in left] == []
    assert await sweeper(database, tmp_path).sweep() == [], "a second round finds nothing"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_words_and_keys_go_before_their_row(database: Database, tmp_path: Path) -> None:
    old = await fill(database, JOBS, NOW - 31 * DAY)
    used = await fill(database, JOBS, NOW - 31 * DAY, used_at=NOW - DAY)
    fresh = await fill(database, JOBS, NOW - DAY)
    live = await fill(database, JOBS, NOW - 31 * DAY, state=JobState.ACCEPTED, ended_at=None)
    await sweeper(database, tmp_path).sweep()

    left = every_byte(tmp_path).decode("latin-1")
    assert f"words {old}" not in left
    assert f"recipe {old}" not in left
    assert f"reason {old}" not in left
    assert f"press {old}" not in left
    assert all(f"words {mark}" in left for mark in (used, fresh, live))
    assert not any(f"token {mark}" in left for mark in (old, used, fresh, live))
    async with database.read() as connection:
        rows = (await connection.execute(select(jobs).order_by(jobs.c.id))).all()
    commissions = [commission_of(row) for row in rows]
    assert [commission.erased for commission in commissions] == [True, False, False, False]
    assert len(rows[0].request["erased"]) == 64


async def test_the_hash_of_words_needs_the_key(database: Database, tmp_path: Path) -> None:
    for _ in range(2):
        await fill(database, JOBS, NOW - 31 * DAY, request={"prompt": "same", "count": 2})
    await sweeper(database, tmp_path).sweep()
    async with database.read() as connection:
        found = [row.request["erased"] for row in await connection.execute(select(jobs))]
    assert found[0] == found[1]
    (tmp_path / "other").mkdir()
    key = tmp_path / "pseudonyms.key"
    assert key.stat().st_mode & 0o077 == 0
    assert Sweeper(database, tmp_path / "other", PRIVACY)._fingerprint({"prompt": "same", "count": 2}) != found[0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_owner_may_keep_words_for_ever(database: Database, tmp_path: Path) -> None:
    mark = await fill(database, JOBS, NOW - 700 * DAY)
    await sweeper(database, tmp_path, Privacy(prompts_days=0)).sweep()
    assert f"words {mark}".encode() in every_byte(tmp_path)


# -- files ------------------------------------------------------------------------------------------------------------


class Shelf:
    """A folder of files whose ages a test decides."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self.store = FileStore(self._folder)

    async def put(self, data: bytes, age: float) -> str:
        digest = await self.store.put(data)
        path = self._folder / digest[:2] / digest
        os.utime(path, (NOW - age, NOW - age))
        return digest

    async def has(self, digest: str) -> bool:
        return await self.store.get(digest) is not None


async def a_picture(database: Database, digest: str | None, age: float, **given: object) -> str:
    """A job of that age with one picture; returns its id."""
    state = given.pop("state", JobState.POSTED)
    request = given.pop("request", None)
    changes = {"state": state} | ({"request": request} if request else {})
    if state is not JobState.POSTED:
        changes["ended_at"] = None
    number = int((await fill(database, JOBS, NOW - age, **changes))[2:])
    values = {"place": 0, "sha256": digest, "checked_by": [], "withheld": "", "level": 0, **given}
    async with database.write() as connection:
        await connection.execute(insert(pictures).values(job_id=f"{number:016d}", **values))
    return f"{number:016d}"


async def test_files_go_with_the_last_request_that_needs_them(database: Database, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "pictures")
    old, shared, waiting, reported, orphan, new = [
        await shelf.put(name.encode(), 30 * DAY) for name in ("old", "shared", "waiting", "reported", "orphan", "new")
    ]
    await shelf.put(b"new", 10 * 60)  # its row is on its way
    await a_picture(database, old, 8 * DAY)
    await a_picture(database, shared, 8 * DAY)
    await a_picture(database, shared, DAY)
    await a_picture(database, waiting, 8 * DAY, state=JobState.RENDERED)
    job_id = await a_picture(database, reported, 8 * DAY)
    kept = next(kept for kept in REGISTER if kept.table is reports)
    await fill(database, kept, NOW - DAY, job_id=job_id)
    half = next((tmp_path / "pictures").iterdir()) / ".new-half"
    half.write_bytes(b"half")
    os.utime(half, (NOW - DAY, NOW - DAY))

    dry = await sweeper(database, tmp_path).sweep(dry=True)
    assert Swept("files of pictures", 2) in dry
    assert await shelf.has(old)
    assert half.exists()
    await sweeper(database, tmp_path).sweep()

    gone = [digest for digest in (old, shared, waiting, reported, orphan, new) if not await shelf.has(digest)]
    assert gone == [old, orphan]
    assert not half.exists()
    async with database.read() as connection:  # the row stays: its picture can be painted again from its recipe
        assert (await connection.execute(select(pictures).where(pictures.c.sha256 == old))).first() is not None

    async with database.write() as connection:  # the report is decided and forgotten, the younger request grows old
        await connection.execute(update(reports).values(reported_at=NOW - 15 * DAY))
        await connection.execute(update(jobs).values(ended_at=NOW - 8 * DAY, state=JobState.POSTED))
    await sweeper(database, tmp_path).sweep()
    assert not [digest for digest in (shared, waiting, reported) if await shelf.has(digest)]


async def test_withheld_pictures_and_their_likenesses(database: Database, tmp_path: Path) -> None:
    held, shown = Shelf(tmp_path, "held"), Shelf(tmp_path, "pictures")
    files = {}
    for name, age in (("late", 15 * DAY), ("open", 10 * DAY)):
        files[name] = await held.put(name.encode(), 20 * DAY), await shown.put(b"blurred " + name.encode(), 20 * DAY)
        told = {"held": {"sha256": files[name][0], "seen": []}, "evidence": {"sha256": files[name][1]}}
        await a_picture(database, None, age, **told)
    decided = await held.put(b"decided", 20 * DAY)

    await sweeper(database, tmp_path).sweep()

    assert [await held.has(files[name][0]) for name in files] == [False, True]
    assert [await shown.has(files[name][1]) for name in files] == [False, True]
    assert not await held.has(decided)


async def test_uploads_stay_an_hour_after_the_job(database: Database, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "uploads")
    late, soon, waiting, asked, again = [
        await shelf.put(name.encode(), 2 * HOUR) for name in ("late", "soon", "waiting", "asked", "again")
    ]
    await a_picture(database, None, 2 * HOUR, request={"prompt": "x", "image": late})
    await a_picture(database, None, 0.5 * HOUR, request={"prompt": "x", "image": soon})
    await a_picture(database, None, 9 * HOUR, request={"prompt": "x", "image": waiting}, state=JobState.RUNNING)
    kept = next(kept for kept in REGISTER if kept.table is pending_orders)
    await fill(database, kept, NOW - 60, order={"request": {"image": asked}})
    assert await shelf.store.put(b"again") == again  # uploaded once more just now

    await sweeper(database, tmp_path, now=NOW).sweep()
    present = [digest for digest in (late, soon, waiting, asked, again) if await shelf.has(digest)]
    assert present == [soon, waiting, asked, again]
    assert time.time() - os.stat(tmp_path / "uploads" / again[:2] / again).st_mtime < HOUR


async def test_rows_without_a_job_go(database: Database, tmp_path: Path) -> None:
    for table in (outbox, pictures):
        kept: Kept = next(kept for kept in REGISTER if kept.table is table)
        await fill(database, kept, NOW, job_id="0" * 16)
    swept = await sweeper(database, tmp_path).sweep()
    assert {each.what: each.count for each in swept} == {
        "outbox of requests that are gone": 1,
        "pictures of requests that are gone": 1,
    }


async def test_bans_and_warnings_count_from_their_end(database: Database, tmp_path: Path) -> None:
    def kept(table: Table) -> Kept:
        return next(kept for kept in REGISTER if kept.table is table)

    limit = PRIVACY.moderation_days * DAY
    given = NOW - 2 * limit
    over, lifted = {"until": NOW - limit - 1, "lifted_at": None}, {"until": None, "lifted_at": NOW - limit - 1}
    recent, endless = {"until": NOW - limit + 60, "lifted_at": None}, {"until": None, "lifted_at": None}
    for end in (over, lifted, recent, endless):
        await fill(database, kept(bans), given, **end)
    for expires_at in (NOW - limit - 1, NOW - limit + 60, NOW + DAY):
        await fill(database, kept(strikes), given, given_at=given, expires_at=expires_at)
    await sweeper(database, tmp_path).sweep()
    async with database.read() as connection:
        left = {(row.until, row.lifted_at) for row in await connection.execute(select(bans))}
        assert left == {(recent["until"], None), (None, None)}
        found = {row.expires_at for row in await connection.execute(select(strikes))}
        assert found == {NOW - limit + 60, NOW + DAY}
