"""The connection: commands synced when needed, refused logins told, outages survived."""

from __future__ import annotations

import asyncio
from pathlib import Path

import discord
import pytest

from bot.client import AtelierClient
from generation.errors import ConfigError
from tests.bot.town import ADA, Town, open_bot, open_both, open_town
from tests.house import open_house


async def _syncs(town: Town) -> int:
    return sum(each["method"] == "PUT" and each["path"].endswith("/commands") for each in await town.requests())


async def test_commands_are_synced_only_when_they_changed(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path):
            assert await _syncs(town) == 1
        async with open_bot(town, tmp_path) as bot:
            await town.invoke(ADA, "quota")
            await town.told(ADA, "You can paint")
            assert await _syncs(town) == 1
            await bot.client.http.bulk_upsert_global_commands(int(bot.client.application_id or 0), [])
        async with open_bot(town, tmp_path):
            await town.until(lambda: _commands_back(town))
            assert await _syncs(town) == 3  # the one of this test included


async def _commands_back(town: Town) -> bool:
    return await _syncs(town) == 3


async def test_no_privileged_intent_is_asked_for(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        client = AtelierClient(house.studio, house.desk)
        privileged = discord.Intents(members=True, presences=True, message_content=True).value

        assert client.intents.value & privileged == 0
        assert client.allowed_mentions is not None
        assert client.allowed_mentions.to_dict() == {"parse": []}
        await client.close()


async def test_a_wrong_token_is_one_sentence(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town, open_house(tmp_path / "house", api_url=town.api_url) as house:
        client = AtelierClient(house.studio, house.desk)
        async with asyncio.timeout(10):
            with pytest.raises(ConfigError, match="DISCORD_TOKEN"):
                await client.serve("MTIz.R2F0ZQ.wrong")
        await client.close()


@pytest.mark.parametrize(("code", "words"), [(4004, "token"), (4014, "intent")])
async def test_a_gateway_that_refuses_for_good_is_one_sentence(tmp_path: Path, code: int, words: str) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.breaks("close_connections", code=code)

        async with asyncio.timeout(10):
            with pytest.raises(ConfigError, match=words):
                await bot.serving


async def test_readiness_follows_the_connection(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        assert bot.client.is_ready()
        await town.breaks("reject_connect", count=1)
        await town.breaks("drop_connections")
        await town.until(lambda: _is_ready(bot.client, wanted=False))
        await town.until(lambda: _is_ready(bot.client, wanted=True), 30)
        await town.invoke(ADA, "dream", prompt="back again")

        assert "**back again**" in (await town.result())["content"]


async def _is_ready(client: AtelierClient, *, wanted: bool) -> bool:
    return client.is_ready() is wanted


async def test_a_discord_that_is_away_at_start_is_waited_for(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.breaks("disconnect", method="GET", path="/users/@me", count=2)
        async with open_bot(town, tmp_path) as bot:
            assert bot.client.is_ready()


async def test_a_fault_of_ours_is_told_with_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_both(tmp_path) as (town, bot):

        async def broken(*_: object) -> None:
            raise RuntimeError("inner detail")

        monkeypatch.setattr(bot.house.studio, "quota", broken)
        await town.invoke(ADA, "quota")
        said = await town.told(ADA, "Something went wrong on our side (reference ")
        reference = said["content"].split("reference ")[1][:8]

        assert "inner detail" not in said["content"]
        assert reference in caplog.text
