"""Timing members out: whom the bot may, for how long, and what is left to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.playground import ids
from tests.bot.playground.raw_discord import Answer, RawDiscord, raw_discord


@pytest.fixture
async def discord() -> AsyncIterator[RawDiscord]:
    async with raw_discord() as served:
        yield served


def later(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


async def time_out(discord: RawDiscord, person: int, until: Any) -> Answer:
    path = f"/guilds/{ids.GUILD_ID}/members/{person}"
    return await discord.api("PATCH", path, {"communication_disabled_until": until})


async def say(discord: RawDiscord, person: int) -> int:
    path = f"/channels/{ids.ART_ID}/messages"
    return (await discord.client("POST", path, {"content": "hello"}, person=person)).status


async def test_a_time_out_takes_speaking_and_commands_until_it_is_taken_back(discord: RawDiscord) -> None:
    answered = await time_out(discord, ids.ADA_ID, later(hours=1))
    assert answered.status == 200
    assert answered.document["communication_disabled_until"] is not None
    assert await say(discord, ids.ADA_ID) == 403
    assert await say(discord, ids.BEN_ID) < 300
    assert (await time_out(discord, ids.ADA_ID, None)).document["communication_disabled_until"] is None
    assert await say(discord, ids.ADA_ID) < 300


@pytest.mark.parametrize("person", [ids.MILO_ID, ids.OLIVIA_ID, ids.BOT_ID])
async def test_nobody_times_out_whoever_stands_above_them(discord: RawDiscord, person: int) -> None:
    assert (await time_out(discord, person, later(hours=1))).code == 50013


@pytest.mark.parametrize(
    "until", [later(days=29), "tomorrow", "2026-01-01T00:00:00", 5], ids=["late", "word", "naive", "number"]
)
async def test_odd_ends_are_refused(discord: RawDiscord, until: Any) -> None:
    assert (await time_out(discord, ids.ADA_ID, until)).code == 50035
    assert await say(discord, ids.ADA_ID) < 300
