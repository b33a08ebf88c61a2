"""/policy in the local Discord, and what follows from it for pictures."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bot.playground.ids import ART_ADULTS_ID
from generation.safety.checker import Verdict
from generation.safety.level import Level
from tests.bot.town import ADA, ART, EPHEMERAL, MODERATOR, Bot, Town, open_both
from tests.gated import GatedPainter, Scripted

NOT_SHOWN = "The safety check did not approve the picture"


async def _files(town: Town) -> list[str]:
    channels = [(channel, person) for channel in (ART, ART_ADULTS_ID) for person in (ADA, MODERATOR)]
    seen = [message for channel, person in channels for message in await town.messages(person, channel)]
    return [file["filename"] for message in seen for file in message["attachments"]]


async def test_levels_by_place(tmp_path: Path) -> None:
    async with open_both(tmp_path, GatedPainter(Scripted(always=Level.MEDIUM))) as (town, bot):
        await town.invoke(ADA, "dream", prompt="one", channel=ART_ADULTS_ID)
        await town.told(ADA, NOT_SHOWN, ART_ADULTS_ID)
        assert await _files(town) == []

        await town.invoke(MODERATOR, "policy set", restricted=int(Level.HIGH), spoiler=int(Level.HIGH))
        told = await town.told(MODERATOR, "Age-restricted channels show up to **high**")
        assert told["flags"] & EPHEMERAL
        assert "says what it was told to say" in told["content"]
        assert "never shown, kept or reviewed" in told["content"]
        await town.invoke(ADA, "dream", prompt="two", channel=ART_ADULTS_ID)
        shown = await town.result(channel=ART_ADULTS_ID)
        assert not shown["attachments"][0]["filename"].startswith("SPOILER_")

        await town.invoke(MODERATOR, "policy set", spoiler=int(Level.LOW))
        await town.told(MODERATOR, "Behind a spoiler from **low** on")
        await town.invoke(ADA, "dream", prompt="three", channel=ART_ADULTS_ID)
        shown = await town.result(2, channel=ART_ADULTS_ID)
        assert shown["attachments"][0]["filename"].startswith("SPOILER_")

        await town.invoke(ADA, "dream", prompt="four")  # an ordinary channel, whatever was set
        await town.told(ADA, NOT_SHOWN)
        await town.invoke(MODERATOR, "policy set", restricted=0, more={"channel": str(ART_ADULTS_ID)})
        await town.told(MODERATOR, f"<#{ART_ADULTS_ID}>")
        await town.invoke(ADA, "dream", prompt="five", channel=ART_ADULTS_ID)
        await town.until(lambda: bot.has(posted=2, blocked=3))


async def test_words_that_hint_at_minors_leave_nothing_behind(tmp_path: Path) -> None:
    async with open_both(tmp_path, GatedPainter(Scripted(always=Level.LOW))) as (town, bot):
        await town.invoke(MODERATOR, "policy set", restricted=int(Level.HIGH), ordinary=int(Level.LOW))
        await town.told(MODERATOR, "up to **high**")
        await town.invoke(ADA, "dream", prompt="children in a garden", channel=ART_ADULTS_ID)
        await town.told(ADA, NOT_SHOWN, ART_ADULTS_ID)
        await town.invoke(ADA, "dream", prompt="a naked child", channel=ART_ADULTS_ID)
        await town.told(ADA, "never painted here", ART_ADULTS_ID)
        assert await bot.has(blocked=1)
        assert not [*(tmp_path / "house" / "held").rglob("*")]
        assert not [*(tmp_path / "house" / "pictures").rglob("*")]


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError("out of order"),
        None,
        [],
        ["yes"],
        [Verdict(Level.NEUTRAL), Verdict(Level.NEUTRAL)],
        Verdict(Level.NEUTRAL, (float("nan"),)),
        Verdict(Level.NEUTRAL, (float("inf"),)),
        Verdict("neutral"),  # type: ignore[arg-type]
        Verdict(True),  # type: ignore[arg-type]
        Level.LOW,
        Level.HIGH,
        lambda: time.sleep(2),
    ],
    ids=["raises", "none", "empty", "words", "two", "nan", "infinite", "no-level", "truth", "low", "high", "hangs"],
)
async def test_for_every_outcome_but_approved_no_byte_reaches_discord(tmp_path: Path, fault: Any) -> None:
    painter = GatedPainter(Scripted(always=fault), timeout=0.2)
    async with open_both(tmp_path, painter) as (town, bot):
        await town.invoke(ADA, "dream", prompt="four houses", count=2)
        await town.until(lambda: _over(bot))
        assert await _files(town) == []
        posted = [request for request in await town.requests() if request["method"] in ("POST", "PATCH")]
        assert posted
        assert not [request for request in posted if request.get("files")]
    assert not [*(tmp_path / "house" / "pictures").rglob("*.webp")]


async def _over(bot: Bot) -> bool:
    counts = await bot.house.desk.jobs.counts()
    return counts.get("failed", 0) + counts.get("blocked", 0) == 1


async def test_what_only_a_channel_may_show_is_not_sent_to_its_author_instead(tmp_path: Path) -> None:
    painter = GatedPainter(Scripted(always=Level.HIGH))
    async with open_both(tmp_path, painter) as (town, bot):
        await town.invoke(MODERATOR, "policy set", restricted=int(Level.HIGH))
        await town.told(MODERATOR, "up to **high**")
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="one", channel=ART_ADULTS_ID)
        await town.told(ADA, "step 1 of", ART_ADULTS_ID)
        await town.breaks("expire_tokens")
        await town.breaks("status", method="POST", path=f"/channels/{ART_ADULTS_ID}/messages", status=403)
        painter.hold.set()
        await town.until(lambda: bot.has(failed=1))
        assert await _files(town) == []
        assert not [one for one in await town.requests() if one["files"] and one["status"] < 300]
