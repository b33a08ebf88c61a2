"""/artist in the local Discord: the list, the form anybody may send, and what moderators decide."""

from __future__ import annotations

from pathlib import Path

from bot.moderation.artists import Artist
from bot.playground import ids
from tests.bot.town import ADA, BEN, EPHEMERAL, MODERATOR, open_bot, open_both, open_town


async def test_moderators_keep_the_list(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(MODERATOR, "artist add", name="Wilma Quandel")
        await town.told(MODERATOR, "On the list: Wilma Quandel")
        await town.invoke(MODERATOR, "artist list")
        await town.told(MODERATOR, "```\nWilma Quandel\n```")
        await town.invoke(ADA, "dream", prompt="a house by W. Quandel")
        told = await town.told(ADA, "Wilma Quandel has asked not to be imitated here.")
        assert told["flags"] & EPHEMERAL
        assert "nothing is held against you" in told["content"]
        await town.invoke(MODERATOR, "filter test", prompt="wilmaquandel")
        await town.told(MODERATOR, "(an artist who asked not to be imitated)")
        await town.invoke(MODERATOR, "artist add", name="Wilma Quandel", surname=True)
        await town.told(MODERATOR, "On the list: surname\\: Wilma Quandel")
        await town.invoke(ADA, "dream", prompt="a quandel")
        await town.told(ADA, "without that name")
        await town.invoke(MODERATOR, "artist remove", name="wilma quandel")
        await town.told(MODERATOR, "No longer on the list")
        await town.invoke(MODERATOR, "artist remove", name="wilma quandel")
        await town.told(MODERATOR, "is not on this server's list")
        await town.invoke(MODERATOR, "artist add", name="!!")
        await town.told(MODERATOR, "There is no name in this")
        await town.invoke(MODERATOR, "artist list")
        await town.told(MODERATOR, "Nobody is on this server's list yet")
        await town.invoke(ADA, "dream", prompt="a house by W. Quandel")
        await town.result()
        assert {job.request.prompt for job in bot.house.painter.painted} == {"a house by W. Quandel"}


async def test_anybody_may_ask_and_moderators_decide(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path):
            for name in ("Wilma Quandel", "Otto *Brixen*"):
                await town.invoke(ADA, "artist request")
                await town.submit(ADA, name=name, contact="https://quandel.example", relation="It is @everyone")
                assert (await town.told(ADA, f"The moderators read about {name[:4]}"))["flags"] & EPHEMERAL
            await town.invoke(MODERATOR, "artist requests")
            shown = await town.told(MODERATOR, "**1. Wilma Quandel**")
            assert f"<@{ADA}>" in shown["content"]
            assert "**2. Otto \\*Brixen\\***" in shown["content"]
            assert "@everyone" not in shown["content"]
        async with open_bot(town, tmp_path) as bot:  # the buttons outlive a restart
            await town.click(MODERATOR, shown, "Accept 1")
            after = await town.told(MODERATOR, "Accepted: Wilma Quandel is on the list now.")
            assert "**1. Otto" in after["content"]
            await town.click(MODERATOR, after, "Decline 1")
            done = await town.told(MODERATOR, "Declined: Otto")
            assert "No request is waiting." in done["content"]
            assert not done["components"]
            assert bot.house.studio.rules.artists(ids.GUILD_ID) == [Artist("Wilma Quandel")]
            await town.invoke(BEN, "dream", prompt="in the style of Wilma Quandel")
            await town.told(BEN, "has asked not to be imitated here")


async def test_a_request_is_decided_once(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await bot.house.desk.artists.ask(ids.GUILD_ID, "Wilma Quandel", "-", "-", ADA)
        await town.invoke(MODERATOR, "artist requests")
        first = await town.told(MODERATOR, "**1. Wilma Quandel**")
        await bot.house.desk.artists.decide(ids.GUILD_ID, 1, "declined", MODERATOR)
        await town.click(MODERATOR, first, "Accept 1")
        await town.told(MODERATOR, "That request was decided already.")
        assert bot.house.studio.rules.artists(ids.GUILD_ID) == []


async def test_requests_of_one_person_have_an_end_and_nobody_else_decides(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        for number in range(3):
            await bot.house.desk.artists.ask(ids.GUILD_ID, f"Wilma Quandel {number}", "-", "-", ADA)
        await town.invoke(ADA, "artist request")
        await town.submit(ADA, name="Otto Brixen", contact="-", relation="-")
        await town.told(ADA, "still with the moderators")
        for command in ("artist requests", "artist list"):
            await town.invoke(BEN, command)
            await town.told(BEN, "Only people who may manage this server can do that.")
        assert len(await bot.house.desk.artists.open_requests(ids.GUILD_ID)) == 3
