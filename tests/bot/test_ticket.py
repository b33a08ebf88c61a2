"""Tickets in the local Discord: place, previews, cancel, end; few edits, in order, none after the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from discord.webhook.async_ import AsyncDeferredLock

from bot.order import INTERACTION_TOKEN_LIFE
from bot.webhook_lock import mend
from generation.errors import BrokenPicture, WorkerLost
from generation.job import Job, Progress, Result
from generation.workers.child import PAUSES
from tests.bot.town import ADA, BEN, MODERATOR, Town, labels, open_bot, open_both, open_town
from tests.painter import Painter

Json = dict[str, Any]


class LostPainter(Painter):
    """Dies at its first step, once it may."""

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        on_progress(Progress(step=1, steps=job.request.steps))
        await self.hold.wait()
        raise WorkerLost


async def _ticket(town: Town, words: str, person: int = ADA) -> Json:
    return await town.told(person, words)


async def _edits(town: Town) -> list[Json]:
    return [each for each in await town.requests() if each["method"] == "PATCH" and "/webhooks/" in each["path"]]


async def test_from_place_in_line_over_previews_to_the_result(tmp_path: Path) -> None:
    painter = Painter(0.05)
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="first")
        painting = await _ticket(town, "step 1 of 20")
        await town.invoke(BEN, "dream", prompt="second")
        waiting = await _ticket(town, "Number 2 in the line")
        assert "**first**" in painting["content"]
        assert "**second**" in waiting["content"]
        assert "about" in waiting["content"]
        assert len(painting["attachments"]) == 1
        assert not waiting["attachments"]
        assert labels(painting) == labels(waiting) == ["Cancel"]

        painter.hold.set()
        result = await town.result(2)
        assert "**second**" in result["content"]
        assert [message["content"] for message in await town.messages() if "🎨" in message["content"]] == []


async def test_a_ticket_is_edited_rarely_and_keeps_one_preview(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(0.05), previews={"every": 5.0}) as (town, _):
        await town.invoke(ADA, "dream", prompt="calm", steps=30)
        preview = await _ticket(town, "step")
        await town.result()

        edits = await _edits(town)
        assert len(preview["attachments"]) == 1
        assert 3 <= len(edits) <= 5  # the place, then three quick previews; the fourth would be five seconds away


async def test_previews_can_be_switched_off(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(0.05), previews={"enabled": False}) as (town, _):
        await town.invoke(ADA, "dream", prompt="blind")

        assert not (await _ticket(town, "step"))["attachments"]
        await town.result()


async def test_all_tickets_together_keep_the_shared_budget(tmp_path: Path) -> None:
    painter = Painter(0.01)
    limits = {"member": {"waiting": 50, "burst": 100}}
    async with open_both(tmp_path, painter, limits=limits, previews={"per_second": 2.0, "every": 0.1}) as (town, _):
        painter.hold.clear()
        for number in range(12):
            await town.invoke(ADA, "dream", prompt=f"number {number}")
        await town.until(lambda: _drawn(town, 12))
        before = len(await _edits(town))
        painter.hold.set()
        await asyncio.sleep(2.0)
        painter.hold.clear()

        assert len(await _edits(town)) - before <= 2 + 2 * 2.5


async def _drawn(town: Town, number: int) -> bool:
    return sum("🎨" in message["content"] for message in await town.messages()) == number


async def test_waiting_tickets_move_up(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        for person, prompt in ((ADA, "one"), (BEN, "two"), (MODERATOR, "three")):
            await town.invoke(person, "dream", prompt=prompt)
            await _ticket(town, f"**{prompt}**")  # it is in the line before the next one comes
        third = await _ticket(town, "Number 3 in the line")
        await town.click(BEN, await _ticket(town, "**two**"), "Cancel")

        moved = await _ticket(town, "**three**\nNumber 2 in the line")
        assert moved["id"] == third["id"]
        painter.hold.set()


async def test_cancel_while_waiting_and_while_painting(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="running")
        running = await _ticket(town, "step 1 of 20")
        await town.invoke(BEN, "dream", prompt="waiting")
        waiting = await _ticket(town, "Number 2 in the line")

        await town.click(ADA, waiting, "Cancel")
        await town.told(ADA, "Only the person who asked for it, or a moderator, can cancel it.")
        await town.click(BEN, waiting, "Cancel")
        assert (await town.told(ADA, "Cancelled.\n-# waiting"))["id"] == waiting["id"]
        await town.click(MODERATOR, running, "Cancel")
        cancelled = await town.told(ADA, "Cancelled.\n-# running")

        assert cancelled["id"] == running["id"]
        assert labels(cancelled) == []
        assert cancelled["attachments"] == []
        assert painter.painted == []
        assert await town.results() == []
        assert await bot.has(cancelled=2)


async def test_a_failure_is_told_in_the_ticket_and_can_be_tried_again(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.faults.append(BrokenPicture())
        await town.invoke(ADA, "dream", prompt="unlucky")
        failed = await town.told(ADA, "The model produced a broken picture")

        assert labels(failed) == ["Try again", "Edit"]
        await town.click(ADA, failed, "Try again")
        assert "**unlucky**" in (await town.result())["content"]


async def test_a_deleted_ticket_harms_nothing(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="orphan")
        ticket = await _ticket(town, "step 1 of 20")
        await town.breaks("delete_message", channel_id=ticket["channel_id"], message_id=ticket["id"])
        painter.hold.set()

        assert "**orphan**" in (await town.result())["content"]


async def test_a_ticket_says_when_it_cannot_follow_any_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.ticket.FAREWELL", INTERACTION_TOKEN_LIFE - 1.0)
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="long")
        ticket = await _ticket(town, "Still in the line.")

        assert labels(ticket) == ["Cancel"]
        painter.hold.set()
        assert "**long**" in (await town.result())["content"]


async def test_tickets_go_on_after_a_restart(tmp_path: Path) -> None:
    lost = LostPainter()
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path, lost):
            lost.hold.clear()
            await town.invoke(ADA, "dream", prompt="patient")
            ticket = await _ticket(town, "step 1 of 20")
        async with open_bot(town, tmp_path, Painter(0.2)):
            again = await _ticket(town, "step 2 of 20")
            assert again["id"] == ticket["id"]
            assert "**patient**" in (await town.result())["content"]


async def test_a_job_that_is_over_before_it_is_followed_keeps_its_outcome(tmp_path: Path) -> None:
    painter = Painter()
    painter.faults.append(BrokenPicture())
    async with open_both(tmp_path, painter) as (town, bot):
        late: list[Any] = []

        async def remember(commission: Any) -> None:
            late.append(commission)

        bot.house.studio.listeners.accepted[:] = [remember]
        await town.invoke(ADA, "dream", prompt="early")
        await town.told(ADA, BrokenPicture().sentence)
        await bot.client.tickets.open(late[0])  # as a busy machine may do it: this is the job before its end
        [(_, following)] = bot.client.tickets._live.values()
        async with asyncio.timeout(10):
            await following

        assert await _ticket(town, BrokenPicture().sentence)
        assert bot.client.tickets._live == {}
        assert not any("in the line" in message["content"] for message in await town.messages())


async def test_a_pause_of_the_painting_is_told_kindly_and_ends_by_itself(tmp_path: Path) -> None:
    painter = Painter(0.01)
    async with open_both(tmp_path, painter) as (town, bot):
        painter.trouble, painter.capacity = PAUSES, 0
        await town.invoke(ADA, "dream", prompt="patience")
        ticket = await _ticket(town, "keeps its place in the line")
        assert PAUSES in ticket["content"]
        assert "about" not in ticket["content"]  # nobody can know how long
        await town.invoke(BEN, "queue")
        assert PAUSES in (await town.told(BEN, "number 1"))["content"]
        assert bot.house.studio.engine_trouble == PAUSES
        painter.trouble, painter.capacity = "", 1
        assert "**patience**" in (await town.result())["content"]


async def test_a_job_that_goes_back_to_the_line_shows_its_place_again(tmp_path: Path) -> None:
    lost = LostPainter()
    async with open_both(tmp_path, lost) as (town, _):
        lost.hold.clear()
        await town.invoke(ADA, "dream", prompt="again")
        await _ticket(town, "step 1 of 20")
        lost.trouble, lost.capacity = PAUSES, 0
        lost.hold.set()
        ticket = await _ticket(town, PAUSES)
        assert "Next in the line" in ticket["content"]
        assert "step" not in ticket["content"]


async def test_an_edit_that_is_not_answered_keeps_no_outcome_waiting(tmp_path: Path) -> None:
    painter = Painter(0.1)
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="hanging")
        await _ticket(town, "step 1 of 20")
        fault = await town.breaks("latency", method="PATCH", path="/webhooks/**", delay_s=120.0, count=1)
        painter.hold.set()
        await town.until(lambda: bot.has(posted=1), 20.0)

        assert fault["id"] not in [each["id"] for each in await town._get("faults", {})], "an edit did hang"
        assert "**hanging**" in (await town.result())["content"]


async def _given_up(town: Town, skip: int) -> None:
    """An edit of the next ticket hangs until it is given up, and is carried out when everything has been told."""
    late = {"delay_s": 3.0, "executed": True, "count": 1, "skip": skip}
    fault = await town.breaks("latency", method="PATCH", path="/webhooks/**", **late)

    async def struck() -> bool:
        return fault["id"] not in [each["id"] for each in await town._get("faults", {})]

    await town.invoke(ADA, "dream", prompt="late", private=True)
    await town.until(struck)


@pytest.mark.parametrize("skip", [0, 1], ids=["thinking", "drawn"])
async def test_an_edit_that_is_carried_out_late_stands_over_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skip: int
) -> None:
    monkeypatch.setattr("bot.ticket.EDIT", 0.5)
    painter = Painter(0.01)
    async with open_both(tmp_path, painter) as (town, bot):
        painter.hold.clear()
        await _given_up(town, skip)
        painter.hold.set()
        await town.until(lambda: bot.has(posted=1))
        await asyncio.sleep(2.8)
        [picture] = await town.messages(ADA)

        assert "AI-generated" in picture["content"]
        assert "Cancel" not in labels(picture)


async def test_an_edit_that_is_carried_out_late_stands_over_no_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though a later edit was answered; and though the first attempt to tell it failed."""
    monkeypatch.setattr("bot.ticket.EDIT", 0.5)
    monkeypatch.setattr("bot.ticket.PAUSE", 0.1)
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await _given_up(town, 1)
        ticket = await _ticket(town, "step 1 of 20")
        await town.breaks("disconnect", method="POST", path="/webhooks/**", count=1)
        await town.click(ADA, ticket, "Cancel")
        await town.told(ADA, "Cancelled.")
        await asyncio.sleep(2.8)
        [notice] = await town.messages(ADA)

        assert notice["content"].startswith("Cancelled.\n-# late")
        assert labels(notice) == []


async def test_edits_that_discord_does_not_accept_are_few(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(0.05), previews={"every": 5.0}) as (town, _):
        await town.breaks("status", method="PATCH", path="/webhooks/**", status=400, code=240000)
        await town.invoke(ADA, "dream", prompt="forbidden", steps=30)
        await town.result()

        assert 1 <= len(await _edits(town)) <= 5


async def test_who_is_torn_off_at_a_limit_gives_the_lock_of_its_token_back() -> None:
    mend()
    lock = asyncio.Lock()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), AsyncDeferredLock(lock) as deferred:
            deferred.delay_by(60.0)

    assert not lock.locked()
