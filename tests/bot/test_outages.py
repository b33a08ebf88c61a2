"""Discord away for a moment or for long, refusing, or slow: everything arrives once, in order, within the limits."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from bot.playground.ids import ART_ADULTS_ID, BEN_ID, OLIVIA_ID
from tests.bot.crashes import WIDE
from tests.bot.town import ADA, ART, LOADING, Bot, Json, Town, open_both
from tests.painter import Painter

PEOPLE = (ADA, BEN_ID, OLIVIA_ID)
CHANNELS = (ART, ART_ADULTS_ID)
EVERYTHING = ("/channels/**", "/webhooks/**", "/users/**")
REFUSED = (401, 403, 429)


FAULTS: tuple[Json, ...] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 502, "executed": True},
    {"kind": "rate_limit", "scope": "user", "retry_after": 0.2},
    {"kind": "status", "status": 503, "executed": True},
    {"kind": "rate_limit", "scope": "shared", "retry_after": 0.1},
    {"kind": "disconnect"},
    {"kind": "rate_limit", "scope": "global", "retry_after": 0.2},
    {"kind": "disconnect", "executed": True},
)


async def order(town: Town, bot: Bot, number: int) -> list[str]:
    """So many requests of several people in two channels, all of them in the line; returns their words."""
    prompts = [f"wish {place:03d}" for place in range(number)]
    for place, prompt in enumerate(prompts):
        channel = CHANNELS[place % 2]
        await town.invoke(PEOPLE[place % len(PEOPLE)], "dream", channel=channel, prompt=prompt)

    async def all_there() -> bool:
        return sum((await bot.house.desk.jobs.counts()).values()) == number

    await town.until(all_there)
    return prompts


async def arrived(town: Town, bot: Bot, number: int, seconds: float = 45.0) -> list[Json]:
    """All results in the order of their messages, once every job is posted and no ticket is left."""

    async def all_posted() -> bool:
        return await bot.has(posted=number)

    await town.until(all_posted, seconds)
    found: list[Json] = []
    for channel in CHANNELS:
        messages = await town.messages(OLIVIA_ID, channel)
        assert not [m for m in messages if "🎨" in m["content"] or m["flags"] & LOADING]
        found += [m for m in messages if "AI-generated" in m["content"]]
    return found


def words_of(results: list[Json], channel: int) -> list[str]:
    return [m["content"].split("**")[1] for m in results if m["channel_id"] == str(channel)]


def in_order(painter: Painter, results: list[Json]) -> bool:
    """Whether each channel shows its results in the order in which they were painted."""
    painted = [job.request.prompt for job in painter.painted]
    shown = [words_of(results, channel) for channel in CHANNELS]
    return all(words == sorted(words, key=painted.index) for words in shown)


async def refused(town: Town) -> int:
    return sum(
        each["status"] in REFUSED and each.get("scope") != "shared"
        for each in await town.requests()
        if "status" in each
    )


def jump(bot: Bot, seconds: float) -> None:
    """The bot's own clock goes on with Discord's."""
    bot.client.courier._clock = bot.house.studio.clock = lambda: time.time() + seconds


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("what", "seconds"),
    [
        ("rest", 0.1),
        ("rest", 5.0),
        ("rest", 1200.0),
        pytest.param("gateway", 0.1, marks=SLOW),
        pytest.param("gateway", 5.0, marks=SLOW),
        pytest.param("gateway", 1200.0, marks=SLOW),
        pytest.param("both", 0.1, marks=SLOW),
        pytest.param("both", 5.0, marks=SLOW),
        ("both", 1200.0),
    ],
)
async def test_after_an_outage_everything_arrives_once_and_in_order(tmp_path: Path, what: str, seconds: float) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        prompts = await order(town, bot, 8)
        if what != "gateway":
            for path in EVERYTHING:
                await town.breaks("status", path=path, status=503)
        if what != "rest":
            await town.breaks("reject_connect")
            await town.breaks("drop_connections")
        painter.hold.set()
        await asyncio.sleep(min(seconds, 0.5))
        await town.passes(seconds)
        jump(bot, seconds)
        await town.mends()
        results = await arrived(town, bot, 8)

        assert sorted(words_of(results, ART) + words_of(results, ART_ADULTS_ID)) == prompts
        assert in_order(painter, results)
        assert all(len(result["mentions"]) == 1 for result in results)
        assert await refused(town) < 20
        await town.until(lambda: _connected(bot))
        await town.passes(6.0)
        await town.invoke(ADA, "dream", prompt="afterwards")
        assert "afterwards" in (await town.result(len(words_of(results, ART)) + 1))["content"]


async def _connected(bot: Bot) -> bool:
    return bot.client.is_ready()


async def storm(town: Town, length: int) -> None:
    """Errors of every kind between what goes well, some of which hide that the request was done."""
    for number in range(length):
        for kind, fault in enumerate(FAULTS):
            for path in EVERYTHING:
                await town.breaks(**fault, path=path, skip=number * 12 + kind, count=1)


async def test_a_storm_loses_nothing_and_shows_nothing_twice(tmp_path: Path) -> None:
    await _through_a_storm(tmp_path, 16, seconds=60.0)


@pytest.mark.slow
async def test_a_storm_over_a_hundred_and_twenty_jobs(tmp_path: Path) -> None:
    await _through_a_storm(tmp_path, 120, seconds=400.0)


async def _through_a_storm(folder: Path, number: int, *, seconds: float) -> None:
    painter = Painter()
    async with open_both(folder, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        prompts = await order(town, bot, number)
        await storm(town, max(2, number // 8))
        painter.hold.set()
        results = await arrived(town, bot, number, seconds)

        assert sorted(words_of(results, ART) + words_of(results, ART_ADULTS_ID)) == prompts
        assert in_order(painter, results)
        assert bot.client.restraint.refused < 100


async def test_whatever_discord_refuses_fewer_than_a_hundred_requests_are_refused(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        await order(town, bot, 40)
        for path in EVERYTHING:
            await town.breaks("rate_limit", path=path, scope="user", retry_after=0.01)
        painter.hold.set()

        async def held_back() -> bool:
            return bot.client.restraint.held_back > 0

        await town.until(held_back)
        assert 50 <= bot.client.restraint.refused < 100
        assert bot.client.is_ready()


async def test_a_thousand_jobs_for_a_closed_channel_ask_once(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        await order(town, bot, 30)
        await town.breaks("status", method="POST", path="/channels/**", status=403)
        painter.hold.set()
        await town.until(lambda: bot.has(posted=30))

        assert await _posts(town) <= 2 * len(CHANNELS)  # one at a time in each channel, and the tickets show the rest


async def _posts(town: Town) -> int:
    tries: list[Any] = [r for r in await town.requests() if r["method"] == "POST" and r["path"].endswith("/messages")]
    return len(tries)
