"""Pauses and notices on the real bot: nothing is painted, everything is kept, and everybody reads why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.playground.ids import OLIVIA_ID
from bot.standstill import RESTARTING
from bot.store.audit import Act
from cogs.about import about_text
from generation.job import JobState
from tests.bot.town import ADA, BEN, MODERATOR, open_bot, open_town
from tests.house import open_house
from tests.orders import GUILD, an_order
from tests.painter import Painter

OWNER = OLIVIA_ID


async def states(house: Any) -> dict[str, int]:
    counts: dict[str, int] = await house.desk.jobs.counts()
    return counts


async def test_a_paused_server_takes_orders_and_paints_them_afterwards(tmp_path: Path) -> None:
    painter = Painter()
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path, painter) as bot:
            await town.invoke(MODERATOR, "pause", reason="movie night")
            await town.told(MODERATOR, "Painting is paused in this server: movie night.")
            await town.invoke(ADA, "dream", prompt="a red house")
            waiting = await town.told(
                ADA, "Painting is paused in this server: movie night. Places in the line are kept."
            )
            assert "Next in the line" in waiting["content"]
            assert "about" not in waiting["content"]  # nobody knows how long it takes
            for command in ("queue", "quota", "about"):
                await town.invoke(BEN, command)
                await town.until(lambda: _last_says(town, BEN, "movie night"))
            assert not painter.painted
        async with open_bot(town, tmp_path, painter) as bot:  # a restart is no reason to forget
            assert await bot.has(accepted=1)
            await town.invoke(MODERATOR, "resume")
            await town.told(MODERATOR, "Painting goes on.")
            await town.result()
            guild_id = next(iter(bot.client.guilds)).id
            log = [entry.reason for entry in await bot.house.desk.audit.entries(guild_id)]
            assert log[:2] == ["painting: goes on", "painting: paused movie night"]


async def _last_says(town: Any, person: int, words: str) -> bool:
    return any(words in message["content"] for message in (await town.messages(person))[-1:])


async def test_only_the_owner_holds_up_everybody_and_speaks_to_everybody(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town, open_bot(town, tmp_path) as bot:
        await town.invoke(MODERATOR, "pause", everywhere=True)
        await town.told(MODERATOR, "Only the owner of this bot can do that.")
        assert bot.house.studio.standstill.house is None

        await town.invoke(OWNER, "pause", everywhere=True, reason="new graphics card", minutes=60)
        await town.told(OWNER, "Painting is paused for everybody: new graphics card.")
        assert bot.client.activity is None or bot.client.activity.name == "Painting is paused"
        await town.invoke(OWNER, "notice", text="The bot moves on Sunday.")
        await town.told(OWNER, "📣 The bot moves on Sunday.")
        await town.invoke(ADA, "dream", prompt="a red house")
        waiting = await town.told(ADA, "📣 The bot moves on Sunday.")
        assert "It goes on <t:" in waiting["content"]
        assert "new graphics card" in about_text(bot.house.studio)

        await town.invoke(OWNER, "notice")
        await town.told(OWNER, "The notice is removed.")
        await town.invoke(OWNER, "resume", everywhere=True)
        await town.result()
        acts = [entry.action for entry in await bot.house.desk.audit.entries(None)]
        assert acts == [Act.HOUSE_RESUMED, Act.NOTICE, Act.NOTICE, Act.HOUSE_PAUSED]


async def test_a_pause_ends_by_itself_and_only_its_own_server_waits(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        told: list[str] = []
        house.studio.standstill.changed.append(lambda: told.append(house.studio.standstill.why(GUILD)))
        await house.studio.standstill.pause(GUILD, 1, "", minutes=1.5 / 60)
        kept = await house.studio.submit(an_order(1))
        other = await house.studio.submit(an_order(2, guild_id=GUILD + 1))
        async with asyncio.timeout(5):
            while (await house.studio.standing(other.job_id)).state is JobState.ACCEPTED:
                await asyncio.sleep(0.01)
        standing = await house.studio.standing(kept.job_id)
        assert (standing.state, standing.seconds) == (JobState.ACCEPTED, None)
        assert "paused in this server" in standing.words

        async with asyncio.timeout(8):
            while len(house.painter.painted) < 2:
                await asyncio.sleep(0.02)
        assert [bool(words) for words in told] == [True, False]


async def test_another_process_hears_of_it_and_a_stopping_one_says_so(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.desk.house_words.set("notice", "said elsewhere", Act.NOTICE, 1)
        async with asyncio.timeout(10):
            while house.studio.standstill.notice != "said elsewhere":
                await asyncio.sleep(0.05)
        await house.studio.close(grace=0.0)
        kept = await house.studio.submit(an_order(1))
        assert RESTARTING in (await house.studio.standing(kept.job_id)).words
        assert not house.painter.painted


async def test_a_worker_in_trouble_is_a_reason_too(tmp_path: Path) -> None:
    painter = Painter()
    async with open_house(tmp_path, painter) as house:
        assert house.studio.standstill.why(GUILD) == ""
        painter.trouble = "Painting rests for a minute."
        assert "Painting rests for a minute." in house.studio.standstill.why(GUILD)
