"""Refusals with reasons of Discord's own, and answers from something on the way: outcomes find another way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.courier import Parcel, Unavailable
from bot.order import Member
from bot.playground.ids import ART_ADULTS_ID, CLEO_ID, DM_IDS, GUILD_ID, OLIVIA_ID
from bot.restraint import CALM_BY_TOKEN
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.schema import pictures
from bot.whisper import COMING, whisper
from generation.job import Job, Progress, Result
from generation.safety.level import Level
from tests.bot.crashes import KINDS, POST, WIDE, a_process, quieten, settled
from tests.bot.town import ADA, ART, BEN, Town, open_both
from tests.painter import Painter

ARCHIVED = {"status": 400, "code": 50083}  # a thread that was archived and locked while its picture was painted
IN_CHANNEL, BY_TOKEN = f"/channels/{ART}/**", "/webhooks/**"


async def _closed_while_painting(town: Town, painter: Painter, **options: object) -> None:
    """A request whose channel is archived and locked in mid-painting."""
    painter.hold.clear()
    await town.invoke(ADA, "dream", prompt="shut", **options)
    await town.told(ADA, "step 1 of 20")
    for path in (IN_CHANNEL, BY_TOKEN):
        await town.breaks("status", path=path, **ARCHIVED)


async def test_a_result_for_an_archived_thread_goes_to_its_author(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        await _closed_while_painting(town, painter)
        painter.hold.set()
        await town.until(lambda: bot.has(posted=1))

        assert (await town.told(ADA, "AI-generated", channel=DM_IDS[ADA]))["attachments"]


async def test_a_failure_in_an_archived_thread_is_told_to_its_author(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        await _closed_while_painting(town, painter)
        await bot.house.studio.cancel_all(Member(id=ADA, guild_id=GUILD_ID))
        await town.told(ADA, "Cancelled.", channel=DM_IDS[ADA])

        assert await town.results() == []
        assert painter.painted == []


async def test_an_answer_that_is_garbled_on_the_way_is_no_answer(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        garbled = {"status": 502, "body": "", "count": 2, "executed": True}
        await town.breaks("status", method="POST", path=POST, **garbled)
        await town.invoke(ADA, "dream", prompt="garbled")
        await town.until(lambda: bot.has(posted=1))

        assert len(await town.results()) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_a_shield_before_discord_closes_no_way(tmp_path: Path, status: int) -> None:
    """It turns every request away for a while, with a page instead of Discord's document."""
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="shielded")
        await town.told(ADA, "step 1 of 20")
        for path in (IN_CHANNEL, BY_TOKEN, "/users/**"):
            await town.breaks("status", path=path, status=status, body="<html>Sorry, you have been blocked</html>")
        painter.hold.set()
        await town.until(lambda: bot.has(rendered=1))
        await asyncio.sleep(2.0)
        await town.mends()
        await town.until(lambda: bot.has(posted=1))

        assert "**shielded**" in (await town.result())["content"]


async def test_a_private_picture_whose_ticket_is_gone_stays_in_the_message_it_was_begun_in(tmp_path: Path) -> None:
    """The ticket was dismissed; its follow-up was filled unseen, and then the line was cut once more."""
    private = next(kind for kind in KINDS if kind.name == "private, ticket deleted")
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        commission = await settled(town, bot, private)
        ticket_id = str(commission.address.ticket_id)
        await town.breaks("delete_message", channel_id=str(ART), message_id=ticket_id)
        for executed in (True, False):
            await town.breaks("disconnect", method="PATCH", path=BY_TOKEN, skip=1, count=1, executed=executed)
        async with a_process(town, bot) as delivery:
            await delivery.recover()
            await delivery.drain(30.0)
        shown = await town.messages()

        assert await bot.has(posted=1)
        assert [len(message["attachments"]) for message in shown] == [1], [message["content"] for message in shown]


class Bold(Painter):
    """Paints what only age-restricted channels show."""

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        result = await super().paint(job, on_progress)
        pictures = []
        for picture in result.pictures:
            assert picture.approved is not None
            pictures.append(replace(picture, approved=replace(picture.approved, level=Level.HIGH)))
        return replace(result, pictures=tuple(pictures))


async def test_after_a_start_a_bold_picture_waits_until_it_is_known_what_its_channel_is(tmp_path: Path) -> None:
    """Its channel may have become one for everybody while the bot was away, and REST is there before the gateway."""
    async with open_both(tmp_path, Bold()) as (town, bot):
        await bot.house.studio.policies.change(GUILD_ID, {"restricted_level": Level.HIGH}, by=ADA)
        quieten(bot)
        await town.invoke(OLIVIA_ID, "dream", channel=ART_ADULTS_ID, prompt="bold")
        await town.until(lambda: bot.has(rendered=1))
        async with a_process(town, bot) as delivery:
            await delivery.recover()
            await delivery.drain(2.0)
            assert delivery.unshown == 1
        assert await town.results(ART_ADULTS_ID, OLIVIA_ID) == []
        guild = bot.client.get_guild(GUILD_ID)
        assert guild is not None
        channel = guild.get_channel(ART_ADULTS_ID)
        channel.nsfw = False  # type: ignore[union-attr] - as an update of the channel does it
        await bot.client.delivery.recover()
        await town.until(lambda: bot.has(failed=1))
        assert await town.results(ART_ADULTS_ID, OLIVIA_ID) == []


async def test_a_result_that_cannot_be_shown_keeps_nobody_in_its_channel_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database knows of one picture is damaged; nothing else is shown meanwhile that could prove it."""
    monkeypatch.setattr("bot.delivery.SLOWEST", 0.2)
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        await town.invoke(ADA, "dream", prompt="damaged")
        await town.until(lambda: bot.has(rendered=1))
        async with bot.house.desk.jobs._database.write() as connection:
            await connection.execute(update(pictures).values(level=99))
        await town.invoke(BEN, "dream", prompt="whole")
        await town.until(lambda: bot.has(rendered=2))
        await bot.client.delivery.recover()
        await town.until(lambda: bot.has(rendered=1, posted=1))

        assert ["**whole**" in result["content"] for result in await town.results()] == [True]


async def test_a_ticket_that_cannot_be_deleted_keeps_nobody_in_its_channel_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.SLOWEST", 0.2)
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        commission = await settled(town, bot, KINDS[0])
        await town.breaks("disconnect", method="DELETE", path=f"/**/{commission.address.ticket_id}")
        await town.invoke(BEN, "dream", prompt="second")
        await town.until(lambda: bot.has(rendered=2))
        await bot.client.delivery.recover()
        await town.until(lambda: bot.has(rendered=1, posted=1))

        assert len(await town.results()) == 2
        await town.mends()
        await town.until(lambda: bot.has(posted=2))
        assert len(await town.results()) == 2


class Late(Outbox):
    """Of a process that stands still just when it would write down which message is to be filled."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.going_on = asyncio.Event()

    async def hold(self, *given: Any) -> bool:
        await self.going_on.wait()
        return await super().hold(*given)


async def test_of_two_processes_that_whisper_the_same_one_fills_its_message(tmp_path: Path, database_url: str) -> None:
    """The first was given up for dead and goes on when the second has told everything."""
    async with open_both(tmp_path, database_url=database_url) as (town, bot):
        quieten(bot)
        private = next(kind for kind in KINDS if kind.name == "private, ticket deleted")
        commission = await settled(town, bot, private)
        ticket_id = str(commission.address.ticket_id)
        await town.breaks("delete_message", channel_id=str(ART), message_id=ticket_id)
        courier, outbox = bot.client.courier, bot.house.desk.outbox
        entry = await outbox.intend(commission.id, "result")
        words = Parcel(text="the picture")
        late = Late(bot.house.desk.jobs._database)
        first = asyncio.create_task(whisper(courier, late, commission.address, entry, words, ephemeral=True))
        await town.told(ADA, COMING)
        sent = await whisper(courier, outbox, commission.address, entry, words, ephemeral=True)
        assert await outbox.sent(commission.id, "result", sent.channel_id, sent.message_id)
        late.going_on.set()
        with pytest.raises(Unavailable):
            await first

        assert [message["content"] for message in await town.messages()] == ["the picture"]


async def test_a_token_that_ended_early_is_not_asked_twice(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="early", private=True)
        await town.told(ADA, "step 1 of 20")
        await town.breaks("expire_tokens")
        painter.hold.set()
        assert "**early**" in (await town.told(ADA, "AI-generated", channel=DM_IDS[ADA]))["content"]
        assert len([each for each in await town.requests() if each["status"] == 401]) == 1


@pytest.mark.slow
async def test_many_tokens_that_ended_early_hold_up_nothing(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        for number in range(27):
            for person in (ADA, BEN, CLEO_ID):
                await town.invoke(person, "dream", prompt=f"early {number}", private=True)
        await town.until(lambda: _tickets(town, 81))
        await town.breaks("expire_tokens")
        painter.hold.set()
        await town.until(lambda: bot.has(posted=81), seconds=120)
        refused = [each for each in await town.requests() if each["status"] in (401, 403, 429)]
        assert CALM_BY_TOKEN <= len(refused) < 50


async def _tickets(town: Town, number: int) -> bool:
    seen = [await town.messages(person) for person in (ADA, BEN, CLEO_ID)]
    return sum("**early" in message["content"] for messages in seen for message in messages) == number
