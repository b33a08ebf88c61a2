"""A data folder that turns read-only while the bot works: as after an error of the disk, or a wrong command."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from bot.store.files import FileStore
from bot.store.integrity import damage_in
from bot.troubles import Trouble
from generation.errors import NotNow
from generation.job import JobState
from tests.house import House, open_house
from tests.orders import an_order
from tests.painter import Painter
from tests.small_disk import a_failing_disk, a_small_disk, unchangeable


async def _settled(house: House, count: int) -> None:
    async with asyncio.timeout(20):
        while len(house.settled) < count:
            await asyncio.sleep(0.02)


async def _in_trouble(house: House) -> None:
    async with asyncio.timeout(20):
        while Trouble.DISK not in house.desk.troubles.now:
            await asyncio.sleep(0.02)


async def test_a_folder_that_may_not_be_written_any_more_is_told_once_and_keeps_the_picture_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    painter = Painter()
    with a_small_disk(tmp_path / "house", 8) as disk:
        async with open_house(disk.folder, painter) as house:
            await house.studio.submit(an_order(1))
            await _settled(house, 1)
            with unchangeable(disk.folder / "pictures"):
                await house.studio.submit(an_order(2))
                await _in_trouble(house)
                await asyncio.sleep(2.5)  # the folder above can be written all the time: that is no proof
                with pytest.raises(NotNow, match="nothing was charged"):
                    await house.studio.submit(an_order(3))
                assert len(house.settled) == 1
            await _settled(house, 2)
            assert [commission.state for commission in house.settled] == [JobState.RENDERED] * 2
            assert len(painter.painted) == 2
            assert not house.desk.troubles.now
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


async def test_a_disk_that_turns_read_only_at_work_loses_nothing(tmp_path: Path) -> None:
    painter = Painter()
    with a_failing_disk(tmp_path / "house") as disk:
        async with open_house(disk.folder, painter) as house:
            await house.studio.submit(an_order(1))
            await _settled(house, 1)
            painter.hold.clear()
            painting = (await house.studio.submit(an_order(2))).job_id
            waiting = (await house.studio.submit(an_order(3))).job_id
            async with asyncio.timeout(10):
                while painting not in house.studio._dispatcher.running:
                    await asyncio.sleep(0.02)
            disk.fail()
            painter.hold.set()
            await _in_trouble(house)
            with pytest.raises(NotNow, match="nothing was charged"):
                await house.studio.submit(an_order(4))
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 20.0  # it can be stopped meanwhile
        assert len(house.settled) == 1
        disk.unmount()
        disk.mount()
        async with open_house(disk.folder, Painter()) as house:
            await _settled(house, 2)
            assert {commission.id for commission in house.settled} == {painting, waiting}
        assert damage_in(disk.folder / "atelier.sqlite", full=True) is None


@pytest.mark.parametrize("left", [b"", b"spoilt"])
async def test_a_file_that_the_disk_has_spoilt_is_written_anew(tmp_path: Path, left: bytes) -> None:
    store = FileStore(tmp_path)
    name = await store.put(b"a picture")
    (tmp_path / name[:2] / name).write_bytes(left)
    assert await store.get(name) is None
    assert await store.put(b"a picture") == name  # asked for again with the same seed
    assert await store.get(name) == b"a picture"
