"""A disk that takes no writes, for real: refused kindly, nothing half-written, nothing lost, and over by itself."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.disk import SENTENCE, cause_of
from bot.store.database import Database
from bot.store.integrity import damage_in
from bot.store.schema import jobs, members
from bot.troubles import Trouble
from generation.errors import ConfigError, NotNow
from generation.job import JobState
from tests.bot.town import ADA, BEN, open_both
from tests.house import House, open_house
from tests.orders import an_order
from tests.painter import Painter
from tests.small_disk import a_small_disk, no_writes


async def _until(look: object, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not look():  # type: ignore[operator]
            await asyncio.sleep(0.02)


def _complaints(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_what_was_painted_waits_for_room_and_nothing_is_half_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    painter = Painter()
    async with open_house(tmp_path, painter) as house:
        painter.hold.clear()
        job_id = (await house.studio.submit(an_order(1))).job_id
        await _until(lambda: painter.painted or house.studio._dispatcher.running)
        with no_writes():
            painter.hold.set()
            await _until(lambda: Trouble.DISK in house.desk.troubles.now)
            for member in (2, 3, 4):
                with pytest.raises(NotNow, match="nothing was charged"):
                    await house.studio.submit(an_order(member))
            await asyncio.sleep(2.5)  # a trial fails meanwhile
            assert house.desk.troubles.grave
            assert house.settled == []
        await _until(lambda: house.settled)
        [shown] = house.settled
        assert (shown.id, shown.state) == (job_id, JobState.RENDERED)
        assert len(painter.painted) == 1  # it was kept, not painted again
        assert not house.desk.troubles.now
        assert await _counts(house) == (1, 1)
        await house.studio.submit(an_order(2))
        await _until(lambda: len(house.settled) == 2)
    assert len(_complaints(caplog)) == 1
    assert damage_in(tmp_path / "atelier.sqlite", full=True) is None


async def test_a_request_at_the_moment_when_the_disk_fills_is_refused_and_free(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_house(tmp_path) as house:
        with no_writes():
            tries = [house.studio.submit(an_order(member)) for member in range(1, 9)]
            answers = await asyncio.gather(*tries, return_exceptions=True)
            assert all(isinstance(answer, Exception) for answer in answers)
            assert all(house.desk.disk.failed(answer) for answer in answers if isinstance(answer, Exception))
        assert await _counts(house) == (0, 0)
        await _until(house.desk.disk.working.is_set)
        await house.studio.submit(an_order(1))
        assert await _counts(house) == (1, 1)
    assert len(_complaints(caplog)) == 1


async def _counts(house: House) -> tuple[int, int]:
    async with house.desk.jobs._database.read() as connection:
        count = select(func.count())
        accounts = (await connection.execute(count.select_from(members))).scalar_one()
        return accounts, (await connection.execute(count.select_from(jobs))).scalar_one()


async def test_members_hear_one_kind_sentence_and_get_their_pictures_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    painter = Painter()
    with a_small_disk(tmp_path / "house", 8) as disk:
        async with open_both(tmp_path, painter) as (town, bot):
            painter.hold.clear()
            await town.invoke(ADA, "dream", prompt="painted while the disk fills")
            await town.until(lambda: bot.has(running=1))
            disk.fill()
            painter.hold.set()
            for prompt in ("one", "two", "three"):
                await town.invoke(BEN, "dream", prompt=prompt)
            told = await town.told(BEN, "not possible right now")
            assert told["content"] == SENTENCE
            await town.until(lambda: _true(bot.house.desk.troubles.grave))
            assert await town.results() == []
            disk.empty()
            result = await town.result(1)
            assert "painted while the disk fills" in result["content"] or result["attachments"]
            await town.until(lambda: bot.has(posted=1))
            await town.until(lambda: _true(bot.house.desk.disk.working.is_set()))
            await town.invoke(BEN, "dream", prompt="afterwards")
            await town.result(2)
            await town.until(lambda: bot.has(posted=2))
            assert not bot.house.desk.troubles.now
    assert len([record for record in _complaints(caplog) if record.name.startswith("bot")]) == 1


async def _true(value: bool) -> bool:
    return value


async def test_a_read_only_folder_at_the_start_is_one_sentence(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "house", 8) as disk:
        url = f"sqlite+aiosqlite:///{disk.folder / 'atelier.sqlite'}"
        async with Database(url, disk.folder):
            pass
        disk.read_only()
        with pytest.raises(ConfigError, match=r"cannot be written \(Read-only file system\)") as refused:
            async with Database(url, disk.folder):
                pass
        assert "\n" not in refused.value.sentence


def test_what_has_to_do_with_the_disk(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as full:
        full.execute("PRAGMA max_page_count=2")
        with pytest.raises(sqlite3.OperationalError) as caught:
            full.execute("CREATE TABLE a (b)")
            full.execute("INSERT INTO a VALUES (randomblob(100000))")
        assert cause_of(caught.value) == "database or disk is full"
    with closing(sqlite3.connect(f"file:{tmp_path / 'a.sqlite'}?mode=ro", uri=True)) as read_only:
        with pytest.raises(sqlite3.OperationalError) as caught:
            read_only.execute("CREATE TABLE c (d)")
        assert cause_of(caught.value) == "attempt to write a readonly database"
    for number in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO):
        assert cause_of(OSError(number, os.strerror(number))) == os.strerror(number)
    outer = RuntimeError("wrapped")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert cause_of(outer) == "No space left on device"
    assert cause_of(OSError(errno.ECONNRESET, "reset")) is None
    assert cause_of(sqlite3.OperationalError("database is locked")) is None


def test_a_log_that_cannot_be_written_hurts_nobody() -> None:
    words = "import logging; from bot.logs import set_up; set_up(20); log = logging.getLogger('bot')\n"
    words += "for number in range(1000): log.warning('line %d', number)\nprint('still here')"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", words], stdout=subprocess.PIPE, stderr=full, timeout=60, check=False
        )
    assert done.stdout == b"still here\n"
