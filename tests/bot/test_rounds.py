"""The hourly round: when it is due, what it says when it fails, and that it ends with the bot."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from bot.config import Config
from bot.rounds import Rounds
from bot.store.backups import backups_in
from bot.store.database import Database
from bot.troubles import Trouble, Troubles

NOON = time.time()  # files get the times of this machine, and none may be from the future


def _rounds(folder: Path, troubles: Troubles, now: list[float], **settings: object) -> Rounds:
    config = Config(data_dir=folder, **settings)  # type: ignore[arg-type]
    return Rounds(config, troubles, lambda: True, lambda: now[0], first=0.0, look=0.02)


async def _made(folder: Path, count: int) -> None:
    async with asyncio.timeout(15):
        while len(backups_in(folder / "backups")) != count:
            await asyncio.sleep(0.02)


async def test_a_backup_every_hour_and_a_restart_makes_no_more(tmp_path: Path) -> None:
    now = [NOON]
    async with Database(Config(data_dir=tmp_path).database, tmp_path):
        for _ in range(2):
            async with _rounds(tmp_path, Troubles(), now):
                await _made(tmp_path, 1)
                _dated(tmp_path, now[0])
                await asyncio.sleep(0.2)
            assert len(backups_in(tmp_path / "backups")) == 1
        for number in (2, 3):
            now[0] += 3600.0
            async with _rounds(tmp_path, Troubles(), now, backups={"keep": 3}):
                await _made(tmp_path, number)
                _dated(tmp_path, now[0])
        now[0] += 3600.0
        oldest = min(backups_in(tmp_path / "backups"), key=lambda each: each.made_at).path
        async with _rounds(tmp_path, Troubles(), now, backups={"keep": 3}):
            async with asyncio.timeout(15):
                while oldest.exists():
                    await asyncio.sleep(0.02)
        assert len(backups_in(tmp_path / "backups")) == 3


def _dated(folder: Path, moment: float) -> None:
    """The newest copy as if the file system had the test's clock."""
    newest = backups_in(folder / "backups")[0].path
    os.utime(newest, (moment, moment))


@pytest.mark.parametrize("settings", [{"backups": {"every_hours": 0}}, {"database_url": "postgresql+asyncpg://x@y/z"}])
async def test_whoever_wants_none_gets_none(tmp_path: Path, settings: dict[str, object]) -> None:
    async with Database(Config(data_dir=tmp_path).database, tmp_path):
        async with _rounds(tmp_path, Troubles(), [NOON], **settings):
            await asyncio.sleep(0.2)
        assert backups_in(tmp_path / "backups") == []


async def test_a_failure_is_said_once_and_shown_until_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    troubles = Troubles()
    (tmp_path / "backups").write_text("in the way")
    async with Database(Config(data_dir=tmp_path).database, tmp_path), _rounds(tmp_path, troubles, [NOON]):
        async with asyncio.timeout(10):
            while Trouble.BACKUP not in troubles.now:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert not troubles.grave
        assert len([each for each in caplog.records if "No backup could be made" in each.message]) == 1
        (tmp_path / "backups").unlink()
        await _made(tmp_path, 1)
        async with asyncio.timeout(10):
            while troubles.now:
                await asyncio.sleep(0.02)


async def test_damage_that_is_found_beside_the_work_is_grave_and_costs_no_good_backup(tmp_path: Path) -> None:
    troubles, now = Troubles(), [NOON]
    config = Config(data_dir=tmp_path)
    async with Database(config.database, tmp_path):
        rounds = _rounds(tmp_path, troubles, now, backups={"keep": 1})
        await rounds.one()
        [good] = backups_in(tmp_path / "backups")
        damaged = tmp_path / "damaged"
        damaged.mkdir()
    (damaged / "atelier.sqlite").write_bytes((tmp_path / "atelier.sqlite").read_bytes())
    (tmp_path / "backups").rename(damaged / "backups")
    with (damaged / "atelier.sqlite").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(os.urandom(4096))
    rounds = _rounds(damaged, troubles, [NOON + 7200.0], backups={"keep": 1})
    await rounds.one()
    assert Trouble.DAMAGE in troubles.now
    assert troubles.grave
    assert [each.path.name for each in backups_in(damaged / "backups")] == [good.path.name]
