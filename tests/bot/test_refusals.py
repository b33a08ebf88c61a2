"""Refusals with reasons of Discord's own, and answers from something on the way: outcomes find another way."""

from __future__ import annotations

from pathlib import Path

from bot.order import Member
from bot.playground.ids import DM_IDS, GUILD_ID
from tests.bot.crashes import KINDS, POST, a_process, quieten, settled
from tests.bot.town import ADA, ART, Town, open_both
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


async def test_an_answer_that_is_garbled_on_the_way_is_no_answer(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        garbled = {"status": 502, "body": "<html>", "count": 2, "executed": True}
        await town.breaks("status", method="POST", path=POST, **garbled)
        await town.invoke(ADA, "dream", prompt="garbled")
        await town.until(lambda: bot.has(posted=1))

        assert len(await town.results()) == 1


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
