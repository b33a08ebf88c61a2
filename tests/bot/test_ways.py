"""What may already stand somewhere is shown nowhere else, whatever has opened or closed since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bot.outcome import MAYBE_ABOVE
from bot.playground.ids import DM_IDS
from bot.store.outbox import Outbox
from tests.bot.crashes import KINDS, POST, WIDE, a_process, quieten, settled
from tests.bot.town import ADA, ART, Bot, Json, Town, open_both
from tests.painter import Painter

FORGOTTEN = 600.0  # seconds after which Discord knows no nonce of then
SOON = 20.0


async def told(town: Town) -> list[Json]:
    """Everything that tells of the job's picture, with it or without."""
    seen = [*await town.messages(ADA), *await town.messages(ADA, DM_IDS[ADA])]
    return [message for message in seen if "AI-generated" in message["content"]]


async def pictures(town: Town) -> list[Json]:
    return [message for message in await told(town) if message["attachments"]]


async def shown_and_forgotten(town: Town, bot: Bot) -> None:
    """A process shows a result and dies before it has written down that it did."""

    async def power_cut(*_: object) -> bool:
        raise asyncio.CancelledError

    [commission] = await bot.house.desk.jobs.unshown()
    with pytest.MonkeyPatch.context() as patch, suppress(asyncio.CancelledError):
        patch.setattr(Outbox, "sent", power_cut)
        async with a_process(town, bot) as delivery:
            await delivery._until_delivered(commission)


async def the_next_process(town: Town, bot: Bot, later: float) -> None:
    await town.passes(later)
    async with a_process(town, bot, lambda: time.time() + later) as delivery:
        await delivery.recover()
        await delivery.drain(20.0)
        assert delivery.unshown == 0


async def close_channel(town: Town, *methods: str) -> None:
    for method in methods:
        await town.breaks("status", method=method, path=POST, status=403)


@pytest.mark.parametrize("later", [SOON, FORGOTTEN])
async def test_a_channel_that_closes_between_two_processes(tmp_path: Path, later: float) -> None:
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        await settled(town, bot, KINDS[0])
        await shown_and_forgotten(town, bot)
        await close_channel(town, "GET", "POST")
        await the_next_process(town, bot, later)
        [asked] = [message for message in await told(town) if not message["attachments"]]
        assert MAYBE_ABOVE in asked["content"]
        assert len(await pictures(town)) == 1


@pytest.mark.parametrize("later", [SOON, FORGOTTEN])
async def test_a_channel_that_cannot_be_read_back(tmp_path: Path, later: float) -> None:
    """For a while Discord itself keeps the message single, by its nonce; after that nobody knows."""
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        await settled(town, bot, KINDS[0])
        await shown_and_forgotten(town, bot)
        await close_channel(town, "GET")
        await the_next_process(town, bot, later)
        asked = [message for message in await told(town) if not message["attachments"]]
        assert len(asked) == (later == FORGOTTEN)
        assert len(await pictures(town)) == 1


async def by_direct_message(town: Town, interaction_id: int, _ticket_id: int) -> None:
    await town.breaks("expire_tokens", interaction_id=str(interaction_id))


async def by_ticket(_town: Town, _interaction_id: int, _ticket_id: int) -> None:
    return


async def by_whisper(town: Town, _interaction_id: int, ticket_id: int) -> None:
    await town.breaks("delete_message", channel_id=str(ART), message_id=str(ticket_id))


@pytest.mark.parametrize("later", [SOON, FORGOTTEN])
@pytest.mark.parametrize("way", [by_direct_message, by_ticket, by_whisper])
async def test_a_channel_that_opens_between_two_processes(
    tmp_path: Path, way: Callable[[Town, int, int], object], later: float
) -> None:
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        commission = await settled(town, bot, KINDS[0])
        assert commission.address.ticket_id is not None
        await way(town, commission.address.interaction_id, commission.address.ticket_id)  # type: ignore[misc]
        await close_channel(town, "POST")
        await shown_and_forgotten(town, bot)
        [first] = await pictures(town)
        await town.mends()
        await the_next_process(town, bot, later)
        [still] = await told(town)
        assert (still["id"], len(still["attachments"])) == (first["id"], 1)


async def test_an_answer_that_was_cut_off_is_looked_for_where_the_message_was_sent(tmp_path: Path) -> None:
    """By direct message, since no token was tried just then; tokens are tried again before the answer can be read."""
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        [private] = [kind for kind in KINDS if kind.name == "private"]
        commission = await settled(town, bot, private)
        home = f"/channels/{DM_IDS[ADA]}/messages"
        async with a_process(town, bot) as delivery:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(delivery._courier, "token_lives", lambda _: False)
                await town.breaks("disconnect", method="POST", path=home, executed=True, count=1)
                await town.breaks("status", method="GET", path=home, status=503, skip=0)
                await delivery.settled(commission)
                await town.until(lambda: pictures(town))
            await asyncio.sleep(3.0)
            await town.mends()
            await delivery.drain(20.0)
            assert delivery.unshown == 0
        assert len(await told(town)) == 1


async def test_a_long_outage_after_an_answer_that_was_cut_off(tmp_path: Path) -> None:
    """In one process, and until Discord knows no nonce of then."""
    async with open_both(tmp_path, Painter(), limits=WIDE) as (town, bot):
        await town.breaks("status", method="POST", path=POST, status=503, executed=True)
        await town.invoke(ADA, "dream", prompt="hidden")
        await town.until(lambda: pictures(town))
        await town.breaks("status", method="GET", path=POST, status=503)
        await asyncio.sleep(2.0)
        assert await bot.has(rendered=1)
        await town.passes(1200.0)
        bot.client.courier._clock = bot.house.studio.clock = lambda: time.time() + 1200.0
        await town.mends()
        await town.until(lambda: bot.has(posted=1))
        assert len(await told(town)) == 1
