"""Buttons and forms in the local Discord: what they do, who may, and what a forged or doubled press comes to."""

from __future__ import annotations

import asyncio
import copy
import logging
from pathlib import Path
from typing import Any

import pytest

from bot.card import Face
from bot.courier import Parcel
from bot.playground.ids import ART_ADULTS_ID, DM_IDS
from bot.press import Deed, Press
from generation.job import JobState
from tests.bot.town import ADA, ART, BEN, EPHEMERAL, MODERATOR, Town, labels, open_bot, open_both, open_town
from tests.painter import Painter


async def test_variations_of_a_picture_and_one_of_them_alone(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree")
        await town.click(BEN, await town.result(), "V1")
        variations = await town.result(2)

        assert "Variations of picture 1" in variations["content"]
        assert [user["id"] for user in variations["mentions"]] == [str(BEN)]
        assert labels(variations)[:8] == ["U1", "U2", "U3", "U4", "V1", "V2", "V3", "V4"]
        assert len({job.request.single(0).seed for job in bot.house.painter.painted}) == 1

        await town.click(ADA, variations, "U3")
        single = await town.told(ADA, "Picture 3")
        assert labels(single)[0] == "V3"
        await town.click(ADA, variations, "U3")
        assert single["id"] in (await town.told(ADA, "Picture 3 is here already"))["content"]


async def test_a_double_press_is_one_job(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree")
        result = await town.result()
        painter.hold.clear()
        await asyncio.gather(*(town.click(BEN, result, "V1") for _ in range(5)))
        said = await town.until(lambda: _said_four_times(town))
        painter.hold.set()
        await town.result(2)

        assert all(message["flags"] & EPHEMERAL for message in said)
        await town.until(lambda: bot.has(posted=2))
        assert len(await town.results()) == 2


async def test_twenty_presses_in_a_second_are_one_job_for_each_person(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree")
        result = await town.result()
        painter.hold.clear()
        await asyncio.gather(*(town.click(person, result, "V1") for person in (ADA, BEN) for _ in range(10)))
        await town.until(lambda: bot.has(posted=1, running=1, accepted=1))
        painter.hold.set()
        await town.result(3)

        await town.until(lambda: bot.has(posted=3))
        assert len(await town.results()) == 3


async def test_an_interaction_that_comes_twice_is_one_job(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        parsers = bot.client._connection.parsers
        once = parsers["INTERACTION_CREATE"]

        def twice(data: Any) -> None:
            once(copy.deepcopy(data))
            once(data)

        parsers["INTERACTION_CREATE"] = twice
        await town.invoke(ADA, "dream", prompt="a tree")
        result = await town.result()
        await town.click(BEN, result, "V1")
        await town.result(2)

        await town.until(lambda: bot.has(posted=2))
        assert len(await town.results()) == 2


async def _said_four_times(town: Town) -> list[dict[str, Any]]:
    said = [message for message in await town.messages(BEN) if message["content"] == "That is already in the line."]
    return said if len(said) == 4 else []


async def test_again_and_edit_and_run(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree", seed=7)
        result = await town.result()
        await town.click(ADA, result, "Again")
        assert "seed 7 " not in (await town.result(2))["content"]
        await town.click(BEN, result, "Edit")
        await town.submit(BEN, prompt="two trees", steps="5")
        edited = await town.result(3)

        assert "**two trees**" in edited["content"]
        assert "5 steps" in edited["content"]
        assert "seed 7" in edited["content"]
        assert bot.house.painter.painted[-1].request.negative == ""

        await town.click(BEN, result, "Edit")
        await town.submit(BEN, steps="a few")
        assert (await town.told(BEN, "Steps must be a whole number"))["flags"] & EPHEMERAL


async def test_the_recipe_is_told_to_the_asking_person(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(ADA, "dream", prompt="a tree", negative="leaves", seed=7)
        await town.click(BEN, await town.result(), "Recipe")
        recipe = await town.told(BEN, "```")

        assert recipe["flags"] & EPHEMERAL
        for words in ("prompt: a tree", "negative: leaves", "seed: 7", "checked by: test checker", "model sha256: 000"):
            assert words in recipe["content"]
        assert recipe["attachments"][0]["filename"].endswith(".json")


async def test_authors_and_moderators_delete_and_nobody_else(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(ADA, "dream", prompt="one")
        one = await town.result()
        await town.click(BEN, one, "Delete")
        assert (await town.told(BEN, "or a moderator, can delete it."))["flags"] & EPHEMERAL
        assert len(await town.results()) == 1
        await town.click(ADA, one, "Delete")
        await town.until(lambda: _none(town))

        await town.invoke(ADA, "dream", prompt="two")
        await town.click(MODERATOR, await town.result(), "Delete")
        await town.until(lambda: _none(town))


async def _none(town: Town) -> bool:
    return not await town.results()


async def test_a_report_is_kept_once_for_each_person(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(ADA, "dream", prompt="odd")
        result = await town.result()
        await town.click(BEN, result, "Report")
        await town.submit(BEN, reason="It looks wrong")
        assert (await town.told(BEN, "Thank you. The report is kept"))["flags"] & EPHEMERAL
        await town.click(BEN, result, "Report")
        await town.submit(BEN, reason="")
        await town.told(BEN, "You have reported this picture already")


async def test_forged_buttons_do_nothing(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        unknown = Face(Press(Deed.VARY, "0" * 16, 0), "Unknown")
        await bot.client.courier.to_channel(ART, Parcel(text="forged", rows=((unknown,),)), "forged")
        await town.click(ADA, await town.told(ADA, "forged"), "Unknown")

        assert (await town.told(ADA, "This picture is no longer known here."))["flags"] & EPHEMERAL
        assert await bot.has()


async def test_a_button_of_another_place_does_nothing_and_is_noted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_both(tmp_path) as (town, bot):
        caplog.set_level(logging.INFO, "bot.presses")
        await town.invoke(ADA, "dream", prompt="a tree")
        await town.result()
        [job] = await town.until(lambda: bot.house.desk.jobs.in_state(JobState.POSTED))
        for channel in (ART_ADULTS_ID, DM_IDS[BEN]):
            face = Face(Press(Deed.VARY, job.id, 0), "Elsewhere")
            await bot.client.courier.to_channel(
                channel, Parcel(text="forged", rows=((face,),)), f"forged{channel % 97}"
            )
            await town.click(BEN, await town.told(BEN, "forged", channel=channel), "Elsewhere")
            await town.told(BEN, "This picture is no longer known here.", channel=channel)

        assert await bot.has(posted=1)
        assert caplog.text.count("is not known where its button was pressed") == 2


async def test_filter_and_limits_hold_at_the_moment_of_the_press(tmp_path: Path) -> None:
    async with open_both(tmp_path, limits={"member": {"burst": 2, "per_hour": 1, "daily": 2}}) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a dragon")
        result = await town.result()
        await bot.house.studio.rules.add(int(bot.client.guilds[0].id), "dragon", MODERATOR)
        await town.click(ADA, result, "Again")
        assert (await town.told(ADA, "does not allow that prompt"))["flags"] & EPHEMERAL
        await bot.house.studio.rules.remove(int(bot.client.guilds[0].id), "dragon", 1)
        await town.click(ADA, result, "V1")
        await town.until(lambda: bot.has(posted=1))
        await town.told(ADA, "more than a whole day's limit")

        assert await bot.has(posted=1)


async def test_old_buttons_and_open_forms_survive_a_restart(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path):
            await town.invoke(ADA, "dream", prompt="a tree")
            result = await town.result()
            await town.click(ADA, result, "Edit")
            await town.until(lambda: town.forms(ADA))
        async with open_bot(town, tmp_path):
            await town.submit(ADA, prompt="a bush")
            assert "**a bush**" in (await town.result(2))["content"]
            await town.click(BEN, result, "V1")
            await town.result(3)
