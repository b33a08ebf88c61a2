"""A start that cannot succeed ends with 78 and one sentence, as a service manager and an owner need it."""

from __future__ import annotations

import asyncio
import signal

from tests.e2e.paced import paced_bot
from tests.proxy import proxied

WRONG = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcDE.abcdefghijklmnopqrstuvwxyz0123"


async def test_a_token_that_discord_does_not_accept(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    async with paced_bot(tmp_path / "bot", discord, 1.0, token=WRONG) as bot:
        assert await bot.ended() == 78
        assert "Discord does not accept the bot's token" in bot.log[-1]
        assert not any("Traceback" in line or WRONG in line for line in bot.log)


async def test_a_postgresql_that_starts_after_the_bot_is_waited_for(tmp_path, start_discord, postgres_url):
    discord = await start_discord(apart=True)
    async with proxied(postgres_url) as (proxy, url):
        await proxy.cut()
        async with paced_bot(tmp_path / "bot", discord, 1.0, database_url=url) as bot:
            await bot.logged("does not answer yet")
            await asyncio.sleep(1.5)
            await proxy.mend()
            await bot.until(healthy=True)
            assert not any("Traceback" in line for line in bot.log)


async def test_a_bot_that_waits_for_its_database_can_be_stopped(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    nowhere = "postgresql+asyncpg://nobody:hushed@127.0.0.1:1/none"
    async with paced_bot(tmp_path / "bot", discord, 1.0, database_url=nowhere) as bot:
        said = await bot.logged("does not answer yet")
        assert "hushed" not in said
        bot.send(signal.SIGTERM)
        assert await bot.ended(5.0) == 0
