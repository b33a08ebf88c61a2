"""What may already stand somewhere is shown nowhere else, whatever has opened or closed since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bot.order import Member
from bot.outcome import MAYBE_ABOVE
from bot.playground.ids import DM_IDS, GUILD_ID
from bot.store.outbox import Outbox
from bot.wire import TokensHeldBack, translated
from tests.bot.crashes import KINDS, POST, WIDE, a_process, quieten, settled
from tests.bot.town import ADA, ART, BEN, EPHEMERAL, Bot, Json, Town, open_both
from tests.painter import Painter

FORGOTTEN = 600.0  # seconds after which Discord knows no nonce of then
SOON = 20.0


async def told(town: Town) -> list[Json]:
    """Everything that tells of the job's picture, with it or without."""
    seen = [*await town.messages(ADA), *await town.messages(ADA, DM_IDS[ADA])]
    return [message for message in seen if "AI-generated" in message["content"]]


async def pictures(town: Town) -> list[Json]:
    return [message for message in await told(town) if message["attachments"]]


async def shown_and_forgotten(town: Town, bot: Bot, clock: Callable[[], float] = time.time) -> None:
    """A process shows a result and dies before it has written down that it did."""

    async def power_cut(*_: object) -> bool:
        raise asyncio.CancelledError

    [commission] = await bot.house.desk.jobs.unshown()
    with pytest.MonkeyPatch.context() as patch, suppress(asyncio.CancelledError):
        patch.setattr(Outbox, "sent", power_cut)
        async with a_process(town, bot, clock) as delivery:
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


@pytest.mark.parametrize(
    ("closed", "later", "questions"),
    [
        pytest.param(("GET", "POST"), SOON, 1, id="closed"),
        pytest.param(("GET", "POST"), FORGOTTEN, 1, id="closed, nonce forgotten"),
        pytest.param(("GET",), SOON, 0, id="unreadable"),  # Discord itself keeps the message single, by its nonce
        pytest.param(("GET",), FORGOTTEN, 1, id="unreadable, nonce forgotten"),
    ],
)
async def test_a_channel_where_nobody_can_look_any_more(
    tmp_path: Path, closed: tuple[str, ...], later: float, questions: int
) -> None:
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        await settled(town, bot, KINDS[0])
        await shown_and_forgotten(town, bot)
        await close_channel(town, *closed)
        await the_next_process(town, bot, later)
        asked = [message for message in await told(town) if not message["attachments"]]
        assert len(asked) == questions
        assert all(MAYBE_ABOVE in message["content"] for message in asked)
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


@pytest.mark.parametrize("right", [True, False], ids=["set right", "as it was"])
@pytest.mark.parametrize("ahead", [900.0, 86_400.0])
async def test_a_clock_that_is_ahead_hides_nothing(tmp_path: Path, ahead: float, *, right: bool) -> None:
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        await settled(town, bot, KINDS[0])
        await shown_and_forgotten(town, bot, lambda: time.time() + ahead)
        await town.passes(FORGOTTEN)
        off = FORGOTTEN + (0.0 if right else ahead)
        async with a_process(town, bot, lambda: time.time() + off) as delivery:
            await delivery.recover()
            await delivery.drain(20.0)
        assert len(await told(town)) == 1


@pytest.mark.parametrize("status", [403, 400])
async def test_a_refusal_after_a_request_that_was_carried_out_is_no_answer(tmp_path: Path, status: int) -> None:
    """discord.py asks again by itself after a 502, and tells only of the refusal."""
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        await town.breaks("status", method="POST", path=POST, status=502, executed=True, count=1)
        await town.breaks("status", method="POST", path=POST, status=status, skip=1, count=1)
        await town.invoke(ADA, "dream", prompt="hidden")
        await town.until(lambda: bot.has(posted=1))
        assert len(await told(town)) == 1
        assert len(await pictures(town)) == 1


async def test_what_is_no_word_of_discords_throws_no_picture_away(tmp_path: Path) -> None:
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        await town.breaks("status", method="POST", path=POST, status=400, body="<html>Bad Request</html>", count=2)
        await town.invoke(ADA, "dream", prompt="kept")
        await town.until(lambda: bot.has(posted=1))
        assert len(await pictures(town)) == 1


async def no_direct_messages(town: Town) -> None:
    await town.breaks("status", method="POST", path="/users/@me/channels", status=403)


async def test_who_can_be_reached_nowhere_alone_gets_a_hint_and_sees_the_picture_by_a_press(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(), limits=WIDE) as (town, bot):
        bot.house.painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="for nobody else", private=True)
        await town.told(ADA, "step 1 of 20")
        await town.breaks("expire_tokens")
        await no_direct_messages(town)
        bot.house.painter.hold.set()
        hint = await town.told(BEN, "A picture that only you may see is ready")
        assert "for nobody else" not in hint["content"]
        assert not hint["attachments"]
        await town.until(lambda: bot.has(posted=1))
        await town.click(BEN, hint, "Show")
        await town.told(BEN, "no longer known here")
        await town.click(ADA, hint, "Show")
        await town.until(lambda: pictures(town))
        [shown] = await pictures(town)
        assert shown["flags"] & EPHEMERAL


async def test_whoever_waits_for_a_token_that_is_not_tried_just_now_is_told_when_it_is(tmp_path: Path) -> None:
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        quieten(bot)
        [private] = [kind for kind in KINDS if kind.name == "private"]
        commission = await settled(town, bot, private)
        await no_direct_messages(town)
        async with a_process(town, bot) as delivery:
            with pytest.MonkeyPatch.context() as patch:
                for name in ("rewrite", "follow_up"):
                    patch.setattr(delivery._courier, name, _held_back)
                await delivery.settled(commission)
                await asyncio.sleep(1.5)
                assert await told(town) == []
            await delivery.drain(20.0)
        assert len(await pictures(town)) == 1


async def _held_back(*_: object, **__: object) -> None:
    with translated():
        raise TokensHeldBack


async def test_a_channel_that_takes_no_files_takes_words(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(), limits=WIDE) as (town, bot):
        bot.house.painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="too much")
        await town.told(ADA, "step 1 of 20")
        await town.breaks("expire_tokens")
        await no_direct_messages(town)
        await town.breaks("status", method="POST", path=POST, status=403, count=1)
        bot.house.painter.hold.set()
        await town.told(ADA, "there was no way left to show it")
        assert await bot.has(failed=1)


async def test_a_notice_that_is_refused_for_the_words_it_quotes_is_told_without_them(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(), limits=WIDE) as (town, bot):
        bot.house.painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="a harmful link")
        ticket = await town.told(ADA, "step 1 of 20")
        await town.breaks("status", method="PATCH", path="/webhooks/**", status=400, count=1)
        await town.breaks("status", method="POST", path="/webhooks/**", status=400, count=1)
        await bot.house.studio.cancel_all(Member(id=ADA, guild_id=GUILD_ID))
        said = await town.told(ADA, "Cancelled.")
        assert said["id"] == ticket["id"]
        assert "harmful" not in said["content"]
