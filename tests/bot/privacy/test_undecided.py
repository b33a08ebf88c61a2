"""Having one's data deleted ends no case: the ruling is carried out in full, and then the rest goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bot.playground.ids import GUILD_ID
from bot.privacy.sweeper import Sweeper
from bot.store.ageing import delete_jobs
from bot.store.register import REGISTER
from bot.store.schema import audit, cases, jobs, outbox, pictures, strikes
from bot.store.undecided import count_decided
from tests.bot.review.test_queue import MODERATOR, case_message, watched
from tests.bot.review.test_reports import by_button
from tests.bot.town import ADA, BEN, Bot, Town, labels, open_both

DELETE = "Delete my data"


async def _reported_and_deleted(town: Town) -> dict[str, Any]:
    """The result of Ada's that Ben has reported; Ada has had her data deleted then, another request included."""
    await watched(town)
    await town.invoke(ADA, "dream", prompt="odd")
    result = await town.result()
    await town.invoke(ADA, "dream", prompt="harmless")
    await town.result(2)
    await by_button(town, BEN, result, "It looks wrong")
    await case_message(town, words="Reported by 1 member")
    await town.invoke(ADA, "privacy delete")
    await town.click(ADA, await town.told(ADA, "Delete everything that is kept about you"), DELETE)
    said = await town.told(ADA, "Done:")
    assert "1 request deleted" in said["content"]
    assert "1 request whose picture moderators are looking at is deleted once they have decided" in said["content"]
    return result


async def _sweep(bot: Bot, folder: Path) -> dict[str, int]:
    database = bot.house.desk.jobs._database
    sweeper = Sweeper(database, folder / "house", bot.house.studio.config.privacy, pause=0.0)
    return {each.what: each.count for each in await sweeper.sweep()}


async def _count(bot: Bot, table: Any) -> int:
    async with bot.house.desk.jobs._database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def _names_left(bot: Bot) -> set[str]:
    found = set()
    async with bot.house.desk.jobs._database.read() as connection:
        for kept in REGISTER:
            for column in kept.about:
                if (await connection.execute(select(column).where(column == ADA).limit(1))).first() is not None:
                    found.add(kept.table.name)
    return found


async def test_a_warning_is_carried_out_although_its_member_had_everything_deleted(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        result = await _reported_and_deleted(town)
        assert await _sweep(bot, tmp_path) == {}, "it waits for the moderators"
        assert [await _count(bot, table) for table in (jobs, outbox)] == [1, 1]

        await town.click(MODERATOR, await case_message(town), "Warn")
        await town.submit(MODERATOR, reason="no")

        async def done() -> bool:
            shown = [message["id"] for message in await town.messages()]
            return result["id"] not in shown and await count_decided(bot.house.desk.jobs._database) == 1

        await town.until(done)
        assert labels(await case_message(town, words="Decided")) == []
        assert len(await bot.house.desk.strikes.of(GUILD_ID, ADA)) == 1

        await _sweep(bot, tmp_path)
        assert [await _count(bot, table) for table in (jobs, outbox, pictures)] == [0, 0, 0]
        assert await _names_left(bot) == {strikes.name}, "a warning stays, the name on everything else is gone"
        assert await _count(bot, cases) == 1
        assert await _count(bot, audit) > 0


async def test_an_approved_picture_stays_in_its_channel_and_nothing_is_kept(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        result = await _reported_and_deleted(town)
        await town.click(MODERATOR, await case_message(town), "Approve")

        async def done() -> bool:
            return await count_decided(bot.house.desk.jobs._database) == 1

        await town.until(done)
        await _sweep(bot, tmp_path)
        assert result["id"] in [message["id"] for message in await town.messages()]
        assert await _names_left(bot) == set()


async def test_a_case_whose_job_is_gone_is_still_closed(tmp_path: Path) -> None:
    """A time-out needs no more than the case, and neither does the message that moderators see."""
    async with open_both(tmp_path) as (town, bot):
        await watched(town)
        await town.invoke(ADA, "dream", prompt="odd")
        await by_button(town, BEN, await town.result(), "It looks wrong")
        case = await case_message(town, words="Reported by 1 member")
        async with bot.house.desk.jobs._database.write() as connection:
            await delete_jobs(connection, [(await bot.house.desk.cases.get(1)).job_id])
        await town.click(MODERATOR, case, "Time out")
        await town.submit(MODERATOR, reason="no")

        async def closed() -> bool:  # before the ruling it may be drawn once more, with its buttons
            return labels(await case_message(town, words="is not kept any more")) == []

        await town.until(closed)
        asked = [f"{each['method']} {each['path']}" for each in await town.requests()]
        assert [each for each in asked if each.startswith("PATCH") and each.endswith(f"members/{ADA}")]
