"""Files too large for a place: encoded again, then split, never dropped; and recognised later all the same."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import aiohttp

from generation.job import JobState
from tests.bot.crashes import POST
from tests.bot.town import ADA, BEN, Town, labels, open_both
from tests.gated import GatedPainter, Scripted


async def test_a_sheet_too_large_is_encoded_again_and_recognised_later(tmp_path: Path) -> None:
    async with open_both(tmp_path, GatedPainter(Scripted())) as (town, bot):
        await town.invoke(ADA, "dream", prompt="heavy", count=4, seed=2)
        [sheet] = (await town.result())["attachments"]
        bot.client.courier.size_limit = lambda _: sheet["size"] - 1  # type: ignore[method-assign]
        await town.invoke(ADA, "dream", prompt="heavier", count=4, seed=2)
        [smaller] = (await town.result(2))["attachments"]

        assert smaller["size"] < sheet["size"]
        assert (smaller["width"], smaller["height"]) == (sheet["width"], sheet["height"])
        digest = await _digest(town, smaller)
        assert digest != await _digest(town, sheet)
        assert await bot.house.desk.fingerprints.of_file(digest) is not None


async def test_a_sheet_that_would_have_to_shrink_is_split_in_one_message(tmp_path: Path) -> None:
    async with open_both(tmp_path, GatedPainter(Scripted())) as (town, bot):
        await town.invoke(ADA, "dream", prompt="heavy", count=4, seed=2)
        await town.result()
        bot.client.courier.size_limit = lambda _: 1500  # type: ignore[method-assign]
        await town.invoke(ADA, "dream", prompt="heavier", count=4, seed=2)
        result = await town.result(2)

        assert [file["width"] for file in result["attachments"]] == [32] * 4
        assert all(file["size"] <= 1500 for file in result["attachments"])
        assert labels(result)[:5] == ["U1", "U2", "U3", "U4", "V1"]
        await town.click(BEN, result, "U3")
        single = await town.told(BEN, "Picture 3")
        assert single["attachments"][0]["size"] <= 1500


async def test_what_discord_finds_too_large_is_sent_smaller(tmp_path: Path) -> None:
    async with open_both(tmp_path, GatedPainter(Scripted())) as (town, bot):
        await town.breaks("status", method="POST", path=POST, status=413, count=1)
        await town.invoke(ADA, "dream", prompt="heavy", count=4, seed=2)
        [file] = (await town.result())["attachments"]
        [job] = await town.until(lambda: bot.house.desk.jobs.in_state(JobState.POSTED))
        sheet = await bot.house.desk.pictures.load(job.id, -1)

        assert sheet is not None
        assert file["size"] <= len(sheet.data) // 2
        posts = [each for each in await town.requests() if each["method"] == "POST" and each["path"] == POST]
        assert len(posts) == 2


async def test_where_no_file_is_taken_the_author_is_told_kindly(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.breaks("status", method="POST", path=POST, status=413)
        await town.invoke(ADA, "dream", prompt="heavy")
        told = await town.told(ADA, "larger than Discord takes here")

        assert labels(told) == ["Try again", "Edit"]


async def _digest(town: Town, attachment: dict[str, Any]) -> str:
    async with aiohttp.ClientSession() as http, http.get(attachment["url"]) as response:
        return hashlib.sha256(await response.read()).hexdigest()
