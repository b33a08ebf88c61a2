"""/queue, /cancel, /quota, /help, /about and /filter in the local Discord."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.playground.ids import GUILD_ID
from tests.bot.town import ADA, BEN, EPHEMERAL, MODERATOR, open_both
from tests.painter import Painter


async def test_the_line_the_quota_and_leaving(tmp_path: Path) -> None:
    painter = Painter()
    tiers = {"member": {"burst": 20}, "booster": {"roles": ["Boosters"], "burst": 40, "per_hour": 240}}
    async with open_both(tmp_path, painter, limits=tiers) as (town, bot):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="first")
        await town.told(ADA, "step 1 of 20")
        await town.invoke(BEN, "dream", prompt="second")
        await town.told(BEN, "Number 2 in the line")

        await town.invoke(BEN, "queue")
        line = await town.told(BEN, "- number 2: **yours**, second")
        assert f"- painting now: <@{ADA}>, first" in line["content"]
        assert line["flags"] & EPHEMERAL
        await town.invoke(BEN, "quota")
        quota = await town.told(BEN, "You can paint about **39 more pictures** right now")  # a booster, by role
        assert "Your tier: booster." in quota["content"]
        assert "In the line: 1 of 3 requests at once." in quota["content"]
        await town.invoke(BEN, "cancel")
        await town.told(BEN, "1 request is cancelled.")
        await town.told(BEN, "Cancelled.\n-# second")
        await town.invoke(BEN, "cancel")
        await town.told(BEN, "You have nothing in the line.")
        painter.hold.set()
        await town.result()

        await town.until(lambda: bot.has(cancelled=1, posted=1))


async def test_a_newcomer_is_told_so_and_may_ask_for_less(tmp_path: Path) -> None:
    painter = Painter()
    tiers = {"member": {}, "newcomer": {"burst": 2, "waiting": 1, "account_days": 1e5}}  # everybody's account is young
    async with open_both(tmp_path, painter, limits=tiers) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "quota")
        quota = await town.told(ADA, "You can paint **2 pictures** right now, the most at once.")
        assert "You are new here" in quota["content"]
        assert "that ends by itself <t:" in quota["content"]
        await town.invoke(ADA, "dream", prompt="first")
        await town.told(ADA, "step 1 of 20")
        await town.invoke(ADA, "dream", prompt="second")
        await town.told(ADA, "You already have 1 request in the line")
        await town.invoke(MODERATOR, "quota")
        await town.told(MODERATOR, "**20 pictures**")  # whoever keeps order is no newcomer
        painter.hold.set()
        await town.result()


async def test_whoever_probes_the_filter_pauses_and_is_told_until_when(tmp_path: Path) -> None:
    async with open_both(tmp_path, probing={"refusals": 1}) as (town, bot):
        await bot.house.studio.rules.add(GUILD_ID, "dragon", MODERATOR)
        for prompt in ("dragon one", "dragon two"):
            await town.invoke(ADA, "dream", prompt=prompt)
        await town.told(ADA, "does not allow that prompt")
        await town.invoke(ADA, "dream", prompt="a red house")
        told = await town.told(ADA, "painting takes a short break for you. Try again <t:")
        assert told["flags"] & EPHEMERAL
        await town.invoke(BEN, "dream", prompt="a red house")
        await town.result()


async def test_help_and_about(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(ADA, "help")
        await town.told(ADA, "**/dream** paints a picture from words")
        await town.invoke(ADA, "about")
        about = await town.told(ADA, "licence: MIT")

        assert "by: test checker" in about["content"]
        assert "SHA-256 0000000000000000" in about["content"]


async def test_about_does_not_call_the_stand_in_a_checker(tmp_path: Path) -> None:
    painter = Painter()
    assert painter.status is not None
    painter.status = replace(painter.status, checkers=("test checker", "NOT CHECKED (local only)"))
    async with open_both(tmp_path, painter) as (town, _):
        await town.invoke(ADA, "about")
        about = await town.told(ADA, "licence: MIT")

        assert "by: test checker\n" in about["content"]
        assert "nothing checks what is painted from them" in about["content"]


async def test_moderators_keep_the_filter(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(MODERATOR, "filter add", rule="dragon*")
        offer = await town.told(MODERATOR, "dragon\\* would also stop:")
        await town.click(MODERATOR, offer, "Add anyway")
        await town.told(MODERATOR, "Added: dragon\\*")
        await town.invoke(MODERATOR, "filter list")
        listed = await town.told(MODERATOR, "One rule:\n```\ndragon*\n```")
        assert listed["flags"] & EPHEMERAL
        await town.invoke(MODERATOR, "filter test", prompt="two dragons")
        await town.told(MODERATOR, "Blocked by the rule dragon")
        await town.invoke(ADA, "dream", prompt="dragons")
        await town.told(ADA, "does not allow that prompt")
        await town.invoke(MODERATOR, "filter remove", rule="dragon*")
        await town.told(MODERATOR, "Removed: dragon\\*")
        await town.invoke(MODERATOR, "filter remove", rule="dragon*")
        await town.told(MODERATOR, "There is no rule")
        await town.invoke(MODERATOR, "filter add", rule="re:(")
        await town.told(MODERATOR, "RE2 cannot read this pattern")


async def test_nobody_else_reaches_the_filter(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        with pytest.raises(AssertionError, match="There is no command"):
            await town.invoke(ADA, "filter list")
