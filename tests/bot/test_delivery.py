"""Accepted means delivered, in the local Discord: outages, closed channels, dead tokens, restarts; once each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.outcome import MAYBE_ABOVE
from bot.playground.ids import DM_IDS, GUILD_ID
from bot.store.outbox import Outbox
from generation.errors import ConfigError
from generation.job import Job, JobState, Picture, Progress, Result
from tests.bot.crashes import KINDS, a_process, quieten, settled
from tests.bot.town import ADA, ART, BEN, EPHEMERAL, Bot, Town, labels, open_bot, open_both, open_town
from tests.painter import Painter

POST = f"/channels/{ART}/messages"


async def _posts(town: Any) -> list[dict[str, Any]]:
    return [each for each in await town.requests() if each["method"] == "POST" and each["path"].endswith(POST)]


async def test_a_result_mentions_its_author_alone_and_describes_its_file(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="@everyone <@&1> [x](https://y.example) ```boom```")
        result = await town.result()

        assert [user["id"] for user in result["mentions"]] == [str(ADA)]
        assert result["mention_everyone"] is False
        assert result["mention_roles"] == []
        assert result["embeds"] == []
        [attachment] = result["attachments"]
        assert attachment["description"].startswith("AI-generated picture: @everyone")
        assert attachment["content_type"] == "image/webp"
        await town.until(lambda: bot.has(posted=1))


async def test_a_private_result_stays_private(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(ADA, "dream", prompt="secret", private=True)
        result = await town.told(ADA, "AI-generated")

        assert result["flags"] & EPHEMERAL
        assert len(result["attachments"]) == 1
        assert await town.results(person=BEN) == []
        await town.click(ADA, result, "V1")
        await town.told(ADA, "Variations of picture 1")
        assert await town.results(person=BEN) == []


async def test_a_storm_of_503_delays_one_result_and_no_other_job(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.breaks("status", method="POST", path=POST, status=503, count=4)
        await town.invoke(ADA, "dream", prompt="stormy")
        await town.invoke(BEN, "dream", prompt="after the storm")
        await town.result(2)

        assert len(await town.results()) == 2
        await town.until(lambda: bot.has(posted=2))


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "disconnect"}])
async def test_a_message_that_arrived_unseen_is_not_sent_again(tmp_path: Path, fault: dict[str, Any]) -> None:
    async with open_both(tmp_path) as (town, bot):
        fault = {**fault, "method": "POST", "path": POST, "count": 1, "executed": True}
        await town.breaks(fault.pop("kind"), **fault)
        await town.invoke(ADA, "dream", prompt="unseen")
        await town.until(lambda: bot.house.desk.jobs.in_state(JobState.POSTED))

        assert len(await town.results()) == 1


async def test_a_closed_channel_leaves_the_ticket_as_the_place_of_the_result(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.breaks("status", method="POST", path=POST, status=403)
        await town.invoke(ADA, "dream", prompt="homeless")
        result = await town.result()

        assert len(result["attachments"]) == 1
        assert "V1" in labels(result)
        await town.mends()
        await town.click(BEN, result, "V1")
        await town.result(2)


async def test_a_token_that_ends_in_mid_job_is_a_normal_thing(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="slow")
        await town.told(ADA, "step 1 of 20")
        await town.breaks("expire_tokens")
        painter.hold.set()
        result = await town.result()

        assert "**slow**" in result["content"]
        assert [user["id"] for user in result["mentions"]] == [str(ADA)]


async def test_without_channel_and_token_the_author_gets_a_direct_message(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="lost")
        await town.told(ADA, "step 1 of 20")
        await town.breaks("expire_tokens")
        await town.breaks("status", method="POST", path=POST, status=404)
        painter.hold.set()
        result = await town.told(ADA, "AI-generated", channel=DM_IDS[ADA])

        assert "**lost**" in result["content"]
        await town.click(ADA, result, "Again")
        assert "**lost**" in (await town.result(2, channel=DM_IDS[ADA]))["content"]


async def test_with_no_way_left_the_job_ends_and_others_go_on(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="nowhere")
        await town.told(ADA, "step 1 of 20")
        await town.breaks("expire_tokens")
        await town.breaks("status", method="POST", path=POST, status=403)
        await town.breaks("status", method="POST", path="/users/@me/channels", status=403)
        painter.hold.set()
        [failed] = await town.until(lambda: bot.house.desk.jobs.in_state(JobState.FAILED))
        await town.mends()

        assert "no way left" in failed.reason
        await town.invoke(BEN, "dream", prompt="fine")
        assert "**fine**" in (await town.result())["content"]


async def test_a_restart_between_send_and_mark_sent_posts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def power_cut(*_: object) -> None:
        raise asyncio.CancelledError

    async with open_town(tmp_path) as town:
        with monkeypatch.context() as patch:
            patch.setattr(Outbox, "sent", power_cut)
            async with open_bot(town, tmp_path):
                await town.invoke(ADA, "dream", prompt="once")
                await town.told(ADA, "AI-generated")
        async with open_bot(town, tmp_path) as bot:
            await town.until(lambda: bot.house.desk.jobs.in_state(JobState.POSTED))
            result = await town.result()

            assert len(await town.results()) == 1
            await town.click(BEN, result, "V1")
            assert "Variations of picture 1" in (await town.result(2))["content"]


async def test_beyond_the_nonce_window_the_channel_is_searched_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def power_cut(*_: object) -> None:
        raise asyncio.CancelledError

    async with open_town(tmp_path) as town:
        with monkeypatch.context() as patch:
            patch.setattr(Outbox, "sent", power_cut)
            async with open_bot(town, tmp_path):
                await town.invoke(ADA, "dream", prompt="once")
                await town.told(ADA, "AI-generated")
        await town.passes(3600.0)
        async with open_bot(town, tmp_path) as bot:
            await town.until(lambda: bot.house.desk.jobs.in_state(JobState.POSTED))

            assert len(await town.results()) == 1
            assert len(await _posts(town)) == 1


async def test_a_failure_nobody_was_told_of_is_told_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = Painter()
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path, painter) as bot:
            painter.hold.clear()
            await town.invoke(ADA, "dream", prompt="missed")
            await town.told(ADA, "step 1 of 20")
            monkeypatch.setattr(bot.client.delivery, "_deliver", lambda *_, **__: asyncio.sleep(60))
            await town.invoke(ADA, "cancel")
            await town.told(ADA, "1 request is cancelled.")
        async with open_bot(town, tmp_path):
            await town.told(ADA, "Cancelled.\n-# missed")

            assert sum("missed" in message["content"] for message in await town.messages(ADA)) == 1


async def test_a_search_goes_back_as_far_as_the_message_may_be(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        await _sent_but_not_known(town, bot)
        for number in range(230):
            await town._post("say", {"as": str(BEN), "channel_id": str(ART), "content": f"chatter {number}"})
        await town.passes(3600.0)
        async with a_process(town, bot) as delivery:
            await delivery.recover()
            await delivery.drain(20.0)

        assert await bot.has(posted=1)
        assert len(await _posts(town)) == 1


async def test_where_nobody_can_look_back_a_picture_is_not_shown_a_second_time(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        quieten(bot)
        await _sent_but_not_known(town, bot)
        await town.passes(3600.0)
        await town.breaks("status", method="GET", path=POST, status=403)
        async with a_process(town, bot, lambda: time.time() + 600.0) as delivery:
            await delivery.recover()
            await delivery.drain(20.0)
        results = await town.results()

        assert [len(message["attachments"]) for message in results] == [1, 0]
        assert MAYBE_ABOVE in results[1]["content"]
        await town.mends()
        await town.click(ADA, results[1], "Show")
        assert (await town.told(ADA, "Picture 1"))["attachments"]


async def _sent_but_not_known(town: Town, bot: Bot) -> None:
    """A result is in the channel, and the process died before it could write that down."""

    async def power_cut(*_: object) -> None:
        raise asyncio.CancelledError

    commission = await settled(town, bot, KINDS[0])
    async with a_process(town, bot) as delivery:
        outbox = bot.house.desk.outbox
        known, outbox.sent = outbox.sent, power_cut  # type: ignore[method-assign,assignment]
        with suppress(asyncio.CancelledError):
            await delivery._until_delivered(commission)
        outbox.sent = known  # type: ignore[method-assign]
    assert len(await town.results()) == 1


async def test_who_was_removed_from_a_server_paints_nothing_more_for_it(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        for prompt in ("running", "waiting", "waiting too"):
            await town.invoke(ADA, "dream", prompt=prompt)
        await town.told(ADA, "step 1 of 20")
        await town.until(lambda: bot.has(running=1, accepted=2))
        guild = bot.client.get_guild(GUILD_ID)
        assert guild is not None
        for path in ("/channels/**", "/webhooks/**", "/users/**"):
            await town.breaks("status", path=path, status=404)
        await bot.client.on_guild_remove(guild)
        await town.until(lambda: bot.has(cancelled=3))

        async def told_or_given_up() -> bool:
            return bot.client.delivery.unshown == 0

        await town.until(told_or_given_up)
        assert not painter.painted
        assert bot.client.restraint.refused == 0


async def test_a_revoked_token_stops_the_bot_with_a_sentence(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.breaks("status", path="/channels/**", status=401)
        for prompt in ("revoked", "and", "more"):
            await town.invoke(ADA, "dream", prompt=prompt)

        async with asyncio.timeout(10):
            with pytest.raises(ConfigError, match="token"):
                await bot.serving
        assert len([each for each in await town.requests() if each["status"] == 401]) == 1


async def test_a_token_refused_by_the_gateway_stops_the_bot_with_a_sentence(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.breaks("close_connections", code=4004)

        async with asyncio.timeout(10):
            with pytest.raises(ConfigError, match="token"):
                await bot.serving


class Gate(Painter):
    """Withholds the pictures of some places."""

    def __init__(self, *withheld: int) -> None:
        super().__init__()
        self._withheld = withheld

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        result = await super().paint(job, on_progress)
        pictures = tuple(
            Picture(index=picture.index, approved=None, withheld="It did not pass the check.")
            if picture.index in self._withheld
            else picture
            for picture in result.pictures
        )
        return replace(result, pictures=pictures)


async def test_withheld_pictures_are_counted_and_cannot_be_pressed(tmp_path: Path) -> None:
    async with open_both(tmp_path, Gate(1)) as (town, _):
        await town.invoke(ADA, "dream", prompt="mixed", count=3)
        result = await town.result()

        assert "1 of 3 is not shown. It did not pass the check." in result["content"]
        assert labels(result)[:4] == ["U1", "U3", "V1", "V3"]


async def test_a_result_that_is_withheld_is_told_to_its_author_alone(tmp_path: Path) -> None:
    async with open_both(tmp_path, Gate(0)) as (town, bot):
        await town.invoke(ADA, "dream", prompt="unseen")
        told = await town.told(ADA, "It did not pass the check.")

        assert told["flags"] & EPHEMERAL
        assert await town.messages(BEN) == []
        assert await bot.has(blocked=1)


async def test_what_was_blocked_is_told_in_private_when_its_token_has_ended(tmp_path: Path) -> None:
    painter = Gate(0)
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="unseen")
        await town.told(ADA, "step 1 of 20")
        await town.breaks("expire_tokens")
        painter.hold.set()
        await town.told(ADA, "It did not pass the check.", channel=DM_IDS[ADA])

        assert not any("did not pass" in message["content"] for message in await town.messages(BEN))
        assert await bot.has(blocked=1)


async def test_in_direct_messages_everything_stays_there(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        await town.invoke(ADA, "dream", channel=DM_IDS[ADA], prompt="between us")
        result = await town.result(channel=DM_IDS[ADA])
        await town.click(ADA, result, "V1")
        await town.result(2, channel=DM_IDS[ADA])

        assert await town.messages(BEN) == []
