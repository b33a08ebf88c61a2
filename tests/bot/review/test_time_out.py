"""Who may have whom timed out, and which time-outs an appeal ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.playground import permissions
from bot.playground.ids import GUILD_ID
from tests.bot.review.test_queue import MODERATOR, MODS, OWNER, case_message, watched, withheld, withholding
from tests.bot.town import ADA, EPHEMERAL, Bot, Town, open_both


async def test_time_out_needs_the_right_to_time_members_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = permissions.MODERATORS & ~permissions.Permission.MODERATE_MEMBERS
    monkeypatch.setattr(permissions, "MODERATORS", without)
    async with open_both(tmp_path, withholding(0)) as (town, _):
        case = await withheld(town)
        await town.click(MODERATOR, case, "Time out")
        refused = await town.told(MODERATOR, "Only people who may time members out", MODS)
        assert refused["flags"] & EPHEMERAL
        assert await town.forms(MODERATOR) == []
        await town.click(MODERATOR, case, "Warn")
        await town.submit(MODERATOR)
        await case_message(town, words="removed, with a warning")
        assert not [r for r in await town.requests() if r["method"] == "PATCH" and "/members/" in r["path"]]


async def test_nobody_is_timed_out_by_somebody_who_stands_no_higher(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await watched(town)
        for number, author in enumerate((OWNER, MODERATOR), start=1):
            await town.invoke(author, "dream", prompt="a tree")
            case = await case_message(town, number)
            await town.click(MODERATOR, case, "Time out")
            await town.submit(MODERATOR)
            await town.until(lambda number=number: _refusals(town, number))
            assert (await bot.house.desk.cases.get(number)).open
        assert not [r for r in await town.requests() if r["method"] == "PATCH" and "/members/" in r["path"]]
        assert await bot.house.desk.strikes.of(GUILD_ID, MODERATOR) == []


async def test_whose_roles_cannot_be_seen_is_not_timed_out(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        case = await withheld(town)
        await town.breaks("status", method="GET", path=f"/guilds/{GUILD_ID}/members/{ADA}", status=404)
        await town.click(MODERATOR, case, "Time out")
        await town.submit(MODERATOR)
        await town.told(MODERATOR, "I cannot see this member's roles", MODS)
        assert (await bot.house.desk.cases.get(1)).open


async def _refusals(town: Town, number: int) -> bool:
    told = [m for m in await town.messages(MODERATOR, MODS) if "whose highest role is below yours" in m["content"]]
    return len(told) == number


async def appealed(town: Town, bot: Bot, by_hand: timedelta | None = None) -> None:
    """A time-out of Ada's by the moderator, another one by hand if given, and an appeal that the owner grants."""
    case = await withheld(town)
    await town.click(MODERATOR, case, "Time out")
    await town.submit(MODERATOR, hours="2")
    await town.told(ADA, "gave you a warning")
    assert await until(bot) is not None
    if by_hand is not None:
        moment = datetime.now(UTC) + by_hand
        await bot.client.courier.time_out(GUILD_ID, ADA, moment, "by hand")
    await bot.house.desk.cases.appeal(1, ADA, "please")
    await bot.client.review.recover()
    await town.click(OWNER, await case_message(town, words="**appeal**"), "Overturn")


async def until(bot: Bot) -> float | None:
    return await bot.client.courier.timed_out_until(GUILD_ID, ADA)


async def test_a_granted_appeal_ends_the_time_out_of_its_case(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await appealed(town, bot)
        assert "left it alone" not in (await case_message(town, words="appeal granted"))["content"]
        assert await until(bot) is None


async def test_a_granted_appeal_leaves_a_time_out_that_somebody_else_set(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await appealed(town, bot, timedelta(hours=5))
        await case_message(town, words="not the one of this case, so I left it alone")
        assert await until(bot) is not None


async def test_a_time_out_that_cannot_be_looked_up_is_left_to_moderators(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        case = await withheld(town)
        await town.click(MODERATOR, case, "Time out")
        await town.submit(MODERATOR, hours="2")
        await town.told(ADA, "gave you a warning")
        await bot.house.desk.cases.appeal(1, ADA, "please")
        await bot.client.review.recover()
        appeal = await case_message(town, words="**appeal**")
        await town.breaks("status", method="GET", path=f"/guilds/{GUILD_ID}/members/{ADA}", status=404)
        await town.click(OWNER, appeal, "Overturn")
        await case_message(town, words="please end it by hand")
        await town.mends()
        assert await until(bot) is not None
