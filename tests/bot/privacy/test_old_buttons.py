"""Buttons under old pictures: painted again when the file is gone, a kind sentence when the words are."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from sqlalchemy import select, update

from bot.privacy.sweeper import Sweeper
from bot.sections import Privacy
from bot.store.schema import jobs
from tests.bot.town import ADA, BEN, MODERATOR, Bot, open_both
from tests.e2e.nasty_files import png

DAY = 86_400.0


async def _days_later(bot: Bot, days: float) -> None:
    """What a sweep does to a house in which everything happened that much earlier."""
    database = bot.house.desk.jobs._database
    folder = bot.house.studio.config.data_dir
    await Sweeper(database, folder, Privacy(), lambda: time.time() + days * DAY, pause=0.0).sweep()


async def test_one_of_a_set_is_painted_again_when_its_file_is_gone(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="four trees", count=4, seed=40)
        result = await town.result()
        await town.until(lambda: bot.has(posted=1))
        await _days_later(bot, 8)
        assert await bot.house.desk.pictures.load((await _job_id(bot)), 2) is None

        await town.click(BEN, result, "U3")
        again = await town.result(2)
        assert "Picture 3 of a set, painted again from its recipe" in again["content"]
        assert "seed 42" in again["content"]
        assert [user["id"] for user in again["mentions"]] == [str(BEN)]
        assert bot.house.painter.painted[-1].request.count == 1
        await town.click(BEN, result, "V1")
        assert "Variations of picture 1" in (await town.result(3))["content"]


async def test_a_picture_that_is_used_keeps_its_words_and_one_that_is_not_loses_them(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree")
        result = await town.result()
        await town.until(lambda: bot.has(posted=1))
        await _grows_older(bot, 25)
        await town.click(BEN, result, "Recipe")
        await town.told(BEN, "```")
        await _days_later(bot, 10)  # 35 days after the job, 10 after the last use
        await town.click(BEN, result, "Again")
        await town.result(2)
        await town.until(lambda: bot.has(posted=2))

        await _days_later(bot, 31)
        for label in ("V1", "Again", "Edit", "Recipe"):
            await town.click(BEN, result, label)
            told = await town.told(BEN, "were deleted for their age")
            assert "/dream" in told["content"]
        await town.click(BEN, result, "Report")
        await town.submit(BEN, reason="still possible")
        await town.told(BEN, "Thank you. The report")
        await town.click(ADA, result, "Delete")

        async def gone() -> bool:
            return all(m["id"] != result["id"] for m in await town.messages())

        await town.until(gone)


async def test_a_picture_that_its_author_deletes_loses_its_file(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        for number, prompt in enumerate(("mine", "moderated", "reported"), 1):
            await town.invoke(ADA, "dream", prompt=prompt, seed=number)
            await town.result(number)
        await town.until(lambda: bot.has(posted=3))
        mine, moderated, reported = await town.results()
        await town.click(BEN, reported, "Report")
        await town.submit(BEN, reason="look")
        await town.told(BEN, "Thank you. The report")
        await town.click(ADA, mine, "Delete")
        await town.click(MODERATOR, moderated, "Delete")
        await town.click(ADA, reported, "Delete")

        async def all_gone() -> bool:
            return await town.results() == []

        await town.until(all_gone)
        await town.until(lambda: _kept(bot, 2))
        await asyncio.sleep(0.3)
        assert len(_files(bot)) == 2  # those that moderators need


async def _kept(bot: Bot, number: int) -> bool:
    return len(_files(bot)) == number


def _files(bot: Bot) -> list[Path]:
    folder = bot.house.studio.config.data_dir / "pictures"
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_pictures_painted_from_an_upload_say_when_it_is_gone(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree", files={"image": ("a.png", png())})
        result = await town.result()
        await town.until(lambda: bot.has(posted=1))
        shutil.rmtree(bot.house.studio.config.data_dir / "uploads")
        await town.click(ADA, result, "Again")
        await town.told(ADA, "please upload it again")
        assert await bot.has(posted=1)


async def _job_id(bot: Bot) -> str:
    async with bot.house.desk.jobs._database.read() as connection:
        return str((await connection.execute(select(jobs.c.id))).scalar_one())


async def _grows_older(bot: Bot, days: float) -> None:
    async with bot.house.desk.jobs._database.write() as connection:
        older = {"accepted_at": jobs.c.accepted_at - days * DAY, "ended_at": jobs.c.ended_at - days * DAY}
        await connection.execute(update(jobs).values(**older))
