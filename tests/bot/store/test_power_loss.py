"""A power cut at any moment: the files as they were on the disk then still have every job that was acknowledged.

What a power cut leaves is what had been synced, and perhaps a part of what was being written after it. So the files are
copied at the moment of each acknowledgement, and the journal behind that moment is cut anywhere or filled with noise.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.store.database import Database
from bot.store.files import FileStore
from bot.store.integrity import damage_in
from bot.store.jobs import JobStore
from generation.job import JobState
from generation.limits import Allowance
from tests.house import open_house
from tests.orders import an_order

ALLOWANCE = Allowance(burst=2000, per_hour=120, daily=9000, waiting=3000)


def _cut(source: Path, target: Path, acknowledged: int, dice: random.Random) -> None:
    """The folder as a power cut leaves it: of the journal what was synced, and a random part of what came later."""
    target.mkdir()
    shutil.copy(source / "atelier.sqlite", target)
    journal = (source / "atelier.sqlite-wal").read_bytes()
    kept = dice.randint(acknowledged, len(journal))
    tail = bytearray(journal[:kept])
    if dice.random() < 0.5 and kept > acknowledged:  # blocks reach the disk in any order
        begin = dice.randint(acknowledged, kept - 1)
        tail[begin:kept] = dice.randbytes(kept - begin)
    (target / "atelier.sqlite-wal").write_bytes(tail)


@pytest.mark.parametrize("cuts", [12, pytest.param(200, marks=pytest.mark.slow)])
async def test_every_job_that_was_acknowledged_survives_a_power_cut(tmp_path: Path, cuts: int) -> None:
    dice, house = random.Random(3), tmp_path / "house"
    house.mkdir()
    moments: list[tuple[Path, set[str]]] = []
    acknowledged: set[str] = set()
    async with Database(f"sqlite+aiosqlite:///{house / 'atelier.sqlite'}", house) as database:
        store, journal = JobStore(database), house / "atelier.sqlite-wal"
        for number in range(cuts):
            asking = [store.enqueue(an_order(member), 1.0, ALLOWANCE, 10_000) for member in range(1, 4)]
            acknowledged |= {job_id for job_id, _ in await asyncio.gather(*asking)}
            safe, known = journal.stat().st_size, set(acknowledged)
            later = asyncio.gather(*(store.enqueue(an_order(9), 1.0, ALLOWANCE, 10_000) for _ in range(2)))
            await asyncio.sleep(dice.random() * 0.01)
            target = tmp_path / f"cut{number}"
            await asyncio.to_thread(_cut, house, target, min(safe, journal.stat().st_size), dice)
            moments.append((target, known))
            acknowledged |= {job_id for job_id, _ in await later}
    for folder, known in moments:
        async with Database(f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}", folder) as database:
            there = {each.id for each in await JobStore(database).in_state(JobState.ACCEPTED)}
        assert known <= there
        assert there <= acknowledged
        assert damage_in(folder / "atelier.sqlite", full=True) is None


async def test_every_connection_syncs_each_commit(tmp_path: Path) -> None:
    """What the tests above cut is the journal; whether the kernel was asked to keep it, only the setting says."""
    wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "busy_timeout": 5000}
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'atelier.sqlite'}", tmp_path) as database:

        def settings(connection: Connection) -> dict[str, object]:
            return {name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in wanted}

        async with database.write() as writing, database.read() as reading:  # two of the pool
            assert await writing.run_sync(settings) == wanted
            assert await reading.run_sync(settings) == wanted
        assert await database.transact(settings) == wanted
        assert await database.beside(settings) == wanted


async def test_a_row_names_only_files_that_were_on_the_disk_before(tmp_path: Path) -> None:
    """Order is what counts: the file's bytes, its name, the folder's name, and only then the row."""
    order: list[str] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        order.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    async with open_house(tmp_path) as house:
        os.fsync = watched  # type: ignore[assignment]
        try:
            rendered = house.desk.jobs.rendered

            async def row(*values: object, **more: object) -> bool:
                order.append("row")
                return await rendered(*values, **more)  # type: ignore[arg-type]

            house.desk.jobs.rendered = row  # type: ignore[method-assign,assignment]
            await house.studio.submit(an_order(1))
            async with asyncio.timeout(20):
                while not house.settled:
                    await asyncio.sleep(0.01)
        finally:
            os.fsync = sync
        [picture] = [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()]
    assert order.index("row") == len(order) - 1
    unfinished = [place for place, name in enumerate(order) if "/.new-" in name]
    assert unfinished == [order.index(str(picture.parent)) - 1]
    assert str(picture.parent.parent) in order


async def test_a_file_that_was_cut_off_is_lost_and_never_shown_in_part(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    digest = await store.put(os.urandom(5000))
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    os.truncate(path, 4096)
    assert await store.get(digest) is None
