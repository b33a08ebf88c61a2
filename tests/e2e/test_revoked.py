"""A token that Discord takes back: the process says one sentence and ends with 78, so that nobody restarts it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.bot.town import Town, open_town
from tests.e2e.house import running_bot


async def _count_401(town: Town) -> int:
    return len([each for each in await town.requests() if each["status"] == 401])


async def test_a_token_revoked_while_the_bot_runs_ends_it_with_78(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.breaks("status", method="PUT", path="/applications/**", status=401)
        environment = {"DISCORD_TOKEN": town.token, "DISCORD_API_URL": town.api_url}
        async with running_bot(tmp_path / "bot", **environment) as bot:
            async with asyncio.timeout(90):
                await bot.process.wait()

            assert bot.process.returncode == 78
            assert await _count_401(town) == 1


@pytest.mark.slow
async def test_a_token_that_the_gateway_refuses_ends_it_with_78(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        environment = {"DISCORD_TOKEN": town.token, "DISCORD_API_URL": town.api_url}
        async with running_bot(tmp_path / "bot", **environment) as bot:
            await bot.said("Connected to Discord")
            await town.breaks("close_connections", code=4004)
            async with asyncio.timeout(90):
                await bot.process.wait()

            assert bot.process.returncode == 78
