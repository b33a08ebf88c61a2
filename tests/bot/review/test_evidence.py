"""What moderators are shown of a reported picture: never more than where they look may show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.playground.ids import ART_ADULTS_ID, CLEO_ID, GUILD_ID
from tests.bot.review.test_queue import MODERATOR, MODS, case_message, watched, withheld, withholding
from tests.bot.review.test_reports import by_menu
from tests.bot.town import ADA, ART, BEN, EPHEMERAL, Town, open_both


async def test_a_harmless_picture_is_not_shown_again_where_everybody_reads(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await bot.client.review.rules.change(GUILD_ID, MODERATOR, channel=ART)
        await town.invoke(ADA, "dream", prompt="odd")
        await by_menu(town, BEN, await town.result())
        case = await town.told(MODERATOR, "**Case 1**")
        assert "Everybody can read this channel" in case["content"]
        assert case["attachments"] == []
        shown = await opened(town, 1, ART)
        assert shown["attachments"][0]["filename"].startswith("SPOILER_")
        assert shown["attachments"][0]["width"] == 32


async def test_what_was_kept_back_once_is_shown_blurred_for_ever(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, _):
        await town.click(MODERATOR, await withheld(town), "Approve")
        await by_menu(town, BEN, await town.result())
        case = await case_message(town, 2)
        assert case["attachments"][0]["filename"].startswith("SPOILER_")
        assert case["attachments"][0]["width"] == 8


async def test_an_explicit_picture_without_a_likeness_is_not_shown_but_linked(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await watched(town)
        await town.invoke(ADA, "dream", prompt="odd")
        result = await town.result()
        async with bot.house.desk.cases._database.write() as connection:
            await connection.execute(text("UPDATE pictures SET level = 3"))
        await by_menu(town, BEN, result)
        case = await case_message(town)
        assert case["attachments"] == []
        link = f"https://discord.com/channels/{GUILD_ID}/{ART}/{result['id']}"
        assert f"too explicit for this channel. Open the message to judge it: {link}" in case["content"]

        await by_menu(town, CLEO_ID, result)
        hidden = await case_message(town, words="Reported by 2 members, hidden")
        assert "https://" not in hidden["content"]
        assert "/review open shows it to you alone in an age-restricted channel" in hidden["content"]
        assert (await opened(town, 1, MODS))["attachments"] == []
        shown = await opened(town, 1, ART_ADULTS_ID)
        assert shown["attachments"][0]["filename"].startswith("SPOILER_")
        assert shown["attachments"][0]["width"] == 32


async def test_where_no_channel_was_chosen_a_case_is_shown_to_one_moderator_alone(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(ADA, "dream", prompt="odd")
        await by_menu(town, BEN, await town.result())
        await town.told(BEN, "The report is kept")
        assert len((await opened(town, 1, ART))["attachments"]) == 1
        await watched(town)
        assert len((await case_message(town))["attachments"]) == 1


async def opened(town: Town, number: int, channel: int) -> dict[str, Any]:
    """The case as one moderator alone sees it in a channel."""
    await town.invoke(MODERATOR, "review open", channel=channel, case=number)

    async def look() -> dict[str, Any] | None:
        found = [m for m in await town.messages(MODERATOR, channel) if m["flags"] & EPHEMERAL]
        return next((m for m in found if m["content"].startswith(f"**Case {number}**")), None)

    found: dict[str, Any] = await town.until(look)
    return found
