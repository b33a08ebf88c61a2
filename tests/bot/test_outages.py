"""Discord away for a moment or for long, refusing, or slow: everything arrives once, in order, within the limits."""

from __future__ import annotations

import asyncio
import io
import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.delivery import CROWD
from bot.metrics import resident_bytes
from bot.order import Member, Order
from bot.playground.ids import ART_ADULTS_ID, BEN_ID, OLIVIA_ID
from bot.refused_requests import SPAN
from bot.restraint import CALM, CALM_BY_TOKEN
from generation.job import Job, JobState, Picture, Progress, Result
from generation.safety.approved import Approved
from tests.bot.crashes import WIDE
from tests.bot.town import ADA, ART, LOADING, Bot, Json, Town, open_both
from tests.painter import Painter

figures = logging.getLogger("figures")  # --log-file FILE --log-file-level INFO
PEOPLE = (ADA, BEN_ID, OLIVIA_ID)
CHANNELS = (ART, ART_ADULTS_ID)
EVERYTHING = ("/channels/**", "/webhooks/**", "/users/**")


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
        assert bot.client.restraint.refused < 20
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
    await _assert_survived(tmp_path, 16, seconds=60.0)


@pytest.mark.slow
async def test_a_storm_over_a_hundred_and_twenty_jobs(tmp_path: Path) -> None:
    await _assert_survived(tmp_path, 120, seconds=600.0)


async def _assert_survived(folder: Path, number: int, *, seconds: float) -> None:
    painter = Painter()
    async with open_both(folder, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        prompts = await order(town, bot, number)
        await storm(town, max(2, number // 20))
        painter.hold.set()
        results = await arrived(town, bot, number, seconds)

        assert sorted(words_of(results, ART) + words_of(results, ART_ADULTS_ID)) == prompts
        assert in_order(painter, results)
        refused, held_back = bot.client.restraint.refused, bot.client.restraint.held_back
        figures.info("%d jobs in a storm: %d refused requests, %d held back", number, refused, held_back)
        assert refused < 100


async def test_whatever_discord_refuses_fewer_than_a_hundred_requests_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.SLOWEST", 0.2)  # whatever is tried again is tried again soon
    fast, painter = 120.0, Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        restraint = bot.client.restraint
        restraint._clock = lambda: fast * time.monotonic()
        restraint._sleep = lambda seconds: asyncio.sleep(seconds / fast)
        painter.hold.clear()
        await order(town, bot, 40)
        for path in EVERYTHING:
            await town.breaks("rate_limit", path=path, scope="user", retry_after=0.01)
        painter.hold.set()
        began, held_back, number = time.monotonic(), 0, 0
        while (time.monotonic() - began) * fast < SPAN - 30.0:  # after that the first of them are forgotten
            held_back = restraint.held_back
            await town.invoke(PEOPLE[number % 3], "dream", channel=CHANNELS[number % 2], prompt=f"late {number}")
            await asyncio.sleep(0.05)
            number += 1
        counted = restraint.refused

        refused = [each for each in await town.requests() if each["status"] == 429]
        figures.info("nothing but refusals: %d refused, %d held back", len(refused), restraint.held_back)
        assert CALM + CALM_BY_TOKEN < counted <= len(refused) < 100
        assert restraint.held_back > held_back  # to the end
        assert bot.client.is_ready()


async def test_many_jobs_for_a_closed_channel_ask_once(tmp_path: Path) -> None:
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


async def test_the_line_waits_while_too_many_pictures_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.CROWD", 3)
    monkeypatch.setattr("generation.dispatch.POLL", 0.1)
    painter = Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        await order(town, bot, 8)
        for path in ("/channels/**", "/users/**"):
            await town.breaks("status", path=path, status=503)
        painter.hold.set()
        await town.until(lambda: bot.has(rendered=3, accepted=5))
        told = await town.told(ADA, "Discord takes finished pictures only slowly")
        assert "in the line" in told["content"]
        await asyncio.sleep(0.5)
        assert await bot.has(rendered=3, accepted=5)
        await town.mends()

        assert len(await arrived(town, bot, 8)) == 8


@pytest.mark.slow
async def test_five_hundred_pictures_that_wait_take_little_memory(tmp_path: Path) -> None:
    async with open_both(tmp_path, Heavy(), limits=WIDE) as (town, bot):
        for path in EVERYTHING:
            await town.breaks("latency", path=path, delay_s=5.0)
            await town.breaks("slow_upload", path=path, bytes_per_s=20_000)
        for number in range(20):
            await town.invoke(PEOPLE[number % 3], "dream", channel=CHANNELS[number % 2], prompt=f"first {number}")
        await asyncio.sleep(10.0)
        before = resident_bytes()
        for number in range(500):
            await bot.house.studio.submit(await _like(bot, number))

        async def all_painted() -> bool:
            return await _waiting(bot) >= CROWD

        await town.until(all_painted, 240.0)
        grown = (resident_bytes() - before) / 2**20
        figures.info("%d pictures of 3 MB wait: %.1f MiB more", bot.client.delivery.unshown, grown)
        assert bot.client.delivery.unshown <= CROWD + 2
        assert grown < 100


async def _waiting(bot: Bot) -> int:
    return (await bot.house.desk.jobs.counts()).get("rendered", 0)


async def _like(bot: Bot, number: int) -> Order:
    commission = next(iter(await bot.house.desk.jobs.in_state(*JobState, limit=1)))
    address = replace(commission.address, interaction_id=10**9 + number, ticket_id=None)
    return Order(
        request=replace(commission.request, seed=number),
        member=Member(id=commission.author_id, guild_id=address.guild_id),
        address=address,
    )


class Heavy(Painter):
    """Paints what takes 3 MB as a file, at once."""

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        data = await asyncio.to_thread(_noise, job.request.seed)
        approved = Approved.of(data, media_type="image/webp", width=1024, height=1024, checked_by=("test checker",))
        return Result(job_id=job.id, pictures=(Picture(index=0, approved=approved),), grid=None, recipe={}, seconds=0.1)


def _noise(seed: int) -> bytes:
    file = io.BytesIO()
    Image.frombytes("RGB", (1024, 1024), random.Random(seed).randbytes(3 * 2**20)).save(
        file, "WEBP", lossless=True, method=0
    )
    return file.getvalue()
