"""A press whose acknowledgement got no answer is carried out all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.playground.ids import GUILD_ID
from tests.bot.town import ADA, BEN, EPHEMERAL, LOADING, MODERATOR, open_both
from tests.painter import Painter

CALLBACK = "/interactions/**"


@pytest.mark.parametrize("executed", [True, False])
async def test_a_job_is_cancelled_though_that_could_not_be_acknowledged(tmp_path: Path, executed: bool) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="unwanted")
        ticket = await town.told(ADA, "step 1 of 20")
        await town.breaks("disconnect", method="POST", path=CALLBACK, count=1, executed=executed)
        await town.click(ADA, ticket, "Cancel")
        await town.told(ADA, "Cancelled.")

        assert await bot.has(cancelled=1)


async def test_an_order_whose_acknowledgement_got_no_answer_is_painted(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree")
        result = await town.result()
        await town.breaks("disconnect", method="POST", path=CALLBACK, count=1, executed=True)
        await town.click(BEN, result, "V1")
        await town.result(2)

        await town.until(lambda: bot.has(posted=2))
        assert len(await town.results()) == 2


@pytest.mark.parametrize("fault", [{"kind": "disconnect"}, {"kind": "status", "status": 502}])
async def test_a_wish_whose_acknowledgement_got_no_answer_is_painted(tmp_path: Path, fault: dict[str, Any]) -> None:
    """After a 502 discord.py answers once more, and hears that this was answered already."""
    async with open_both(tmp_path) as (town, bot):
        await town.breaks(**fault, method="POST", path=CALLBACK, count=1, executed=True)
        await town.invoke(ADA, "dream", prompt="a tree")
        await town.result()

        await town.until(lambda: bot.has(posted=1))
        assert not any(message["flags"] & LOADING for message in await town.messages(ADA))


async def test_a_wish_within_an_outage_is_painted_when_discord_is_back(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.breaks("disconnect", method="POST", path=CALLBACK, executed=True)
        await town.breaks("disconnect", method="GET", path="/webhooks/**")
        await town.invoke(ADA, "dream", prompt="a tree")
        await asyncio.sleep(2.0)
        await town.mends()
        await town.result()

        await town.until(lambda: bot.has(posted=1))
        assert not any(message["flags"] & LOADING for message in await town.messages(ADA))


async def test_a_refusal_after_such_an_acknowledgement_is_told(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a dragon")
        result = await town.result()
        await bot.house.studio.rules.add(GUILD_ID, "dragon", MODERATOR)
        await town.breaks("disconnect", method="POST", path=CALLBACK, count=1, executed=True)
        await town.click(BEN, result, "Again")
        assert (await town.told(BEN, "does not allow that prompt"))["flags"] & EPHEMERAL

        assert not any(message["flags"] & LOADING for message in await town.messages(BEN))


async def test_an_order_that_was_not_acknowledged_is_told_so(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree")
        result = await town.result()
        await town.breaks("disconnect", method="POST", path=CALLBACK, count=1)
        await town.click(BEN, result, "V1")
        await town.told(BEN, "Something went wrong on our side")

        assert await bot.has(posted=1)
