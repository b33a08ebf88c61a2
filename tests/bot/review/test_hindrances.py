"""A permission is taken from the bot while it runs: moderators hear of it once, and members get their outcome."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from bot.playground.ids import ART_ADULTS_ID
from bot.playground.permissions import Permission
from bot.review import hindrances
from bot.review.hindrances import NAMES, NOTE, told_text
from tests.bot.crashes import FORGOTTEN, WIDE
from tests.bot.review.test_queue import MODERATOR, MODS, watched
from tests.bot.town import ADA, ART, Bot, Town, labels, open_bot, open_both, open_town
from tests.painter import Painter

POST = f"/channels/{ART}/messages"


async def denied(town: Town, bot: Bot, permissions: int, channel: int = ART) -> None:
    """The bot may not do this there any more, and has heard of it."""
    await town.breaks("deny", channel_id=str(channel), permissions=int(permissions))

    async def heard() -> bool:
        there: Any = bot.client.get_channel(channel)
        return bool(there.overwrites_for(there.guild.me).pair()[1].value == int(permissions))

    await town.until(heard)


async def told(town: Town) -> list[str]:
    """What moderators were told of permissions."""
    seen = await town.messages(MODERATOR, MODS)
    return [message["content"] for message in seen if "I lack" in message["content"]]


async def painted(town: Town, bot: Bot, number: int = 1, channel: int = ART) -> list[dict[str, Any]]:
    """So many more pictures, shown in whatever way is open."""
    before = len(await town.results(channel))
    for _ in range(number):
        await town.invoke(ADA, "dream", channel=channel, prompt="a boat")
    await town.result(before + number, channel=channel)

    async def all_shown() -> bool:
        return bot.client.delivery.unshown == 0

    await town.until(all_shown)
    return await town.results(channel)


async def test_moderators_are_told_once_of_each_cause_and_members_get_their_pictures(tmp_path: Path) -> None:
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        await watched(town)
        expected: list[str] = []
        for name in ("read_message_history", "attach_files", "send_messages", "view_channel"):
            await denied(town, bot, Permission[name.upper()])
            shown = await painted(town, bot, 2)
            assert all("V1" in labels(message) for message in shown)
            await bot.client.hindrances.close()
            expected.append(told_text(ART, [name]))
            assert f"In <#{ART}> I lack the permission **{NAMES[name]}**. Please" in expected[-1]
            assert await told(town) == expected
        await denied(town, bot, Permission.EMBED_LINKS, ART_ADULTS_ID)
        await painted(town, bot, channel=ART_ADULTS_ID)
        await town.told(MODERATOR, f"In <#{ART_ADULTS_ID}>", MODS)
        assert await told(town) == [*expected, told_text(ART_ADULTS_ID, ["embed_links"])]


async def test_what_discord_alone_knows_is_told_too(tmp_path: Path) -> None:
    """The permission went while the picture was painted, and the bot has not heard of it."""
    painter = Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        await watched(town)
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="a boat")
        await town.told(ADA, "step 1 of 20")
        await town.breaks("deny", channel_id=str(ART), permissions=int(Permission.SEND_MESSAGES), unheard=True)
        painter.hold.set()
        await town.result()
        await town.told(MODERATOR, "I lack", MODS)
        assert await told(town) == [told_text(ART, ["unknown"])]

        await town.breaks("deny", channel_id=str(ART), permissions=0, unheard=True)
        there: Any = bot.client.get_channel(ART)
        await bot.client.on_member_update(there.guild.me, there.guild.me)  # its role is there again
        [_, posted] = await painted(town, bot)
        assert posted["type"] == 0, "in the channel, not in the answer to the command"


async def test_it_is_told_again_only_after_it_worked_and_a_day_went_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        await watched(town)

        async def taken_and_given_back(times: int) -> None:
            await denied(town, bot, Permission.ATTACH_FILES)
            await painted(town, bot)
            await bot.client.hindrances.close()
            assert len(await told(town)) == times
            await denied(town, bot, 0)
            await painted(town, bot)
            await town.passes(FORGOTTEN)  # it is not Discord's memory of nonces that keeps it single

        await taken_and_given_back(1)
        await taken_and_given_back(1)
        monkeypatch.setattr(hindrances, "DAY", 0.001)
        await taken_and_given_back(2)


async def test_a_restart_on_the_same_day_says_nothing_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_town(tmp_path) as town:
        for start in range(2):
            async with open_bot(town, tmp_path, limits=WIDE) as bot:
                if not start:
                    await watched(town)
                    await denied(town, bot, Permission.SEND_MESSAGES)
                await painted(town, bot)
                await bot.client.hindrances.close()
                assert len(await told(town)) == 1
                assert str(ART) in await bot.house.desk.notes.get(NOTE)
        monkeypatch.setattr(hindrances, "DAY", 0.001)
        async with open_bot(town, tmp_path, limits=WIDE) as bot:
            await town.until(lambda: _nothing_noted(bot))  # no list of channels is kept for ever


async def _nothing_noted(bot: Bot) -> bool:
    return await bot.house.desk.notes.get(NOTE) == "{}"


@pytest.mark.parametrize("channel_is_chosen", [True, False])
async def test_where_moderators_cannot_be_told_the_log_has_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, channel_is_chosen: bool
) -> None:
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        if channel_is_chosen:
            await watched(town)
            await denied(town, bot, Permission.SEND_MESSAGES, MODS)
        await denied(town, bot, Permission.SEND_MESSAGES)
        with caplog.at_level(logging.WARNING, "bot.review.hindrances"):
            await painted(town, bot, 3)
            await bot.client.hindrances.close()
        warnings = [record.getMessage() for record in caplog.records if f"in channel {ART} the bot" in record.message]
        assert len(warnings) == 1
        assert "lacks Send Messages; moderators were not told" in warnings[0]
        assert await told(town) == []


async def test_a_moderators_channel_that_is_closed_is_a_line_in_the_log_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    painter = Painter()
    painter.kept_back = {0}
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        await watched(town)
        await denied(town, bot, Permission.SEND_MESSAGES, MODS)
        with caplog.at_level(logging.WARNING, "bot.review.hindrances"):
            for _ in range(2):
                await town.invoke(ADA, "dream", prompt="a boat")
            await town.until(lambda: bot.has(blocked=2))
            await town.until(lambda: _warned(caplog))
            await bot.client.hindrances.close()
        assert len([each for each in caplog.records if f"in channel {MODS} the bot" in each.message]) == 1


async def _warned(caplog: pytest.LogCaptureFixture) -> bool:
    return any("moderators were not told" in record.message for record in caplog.records)
