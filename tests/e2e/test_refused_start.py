"""A start that cannot succeed ends with 78 and one sentence, as a service manager and an owner need it."""

from __future__ import annotations

from tests.e2e.paced import paced_bot

WRONG = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcDE.abcdefghijklmnopqrstuvwxyz0123"


async def test_a_token_that_discord_does_not_accept(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    async with paced_bot(tmp_path / "bot", discord, 1.0, token=WRONG) as bot:
        assert await bot.ended() == 78
        assert "Discord does not accept the bot's token" in bot.log[-1]
        assert not any("Traceback" in line or WRONG in line for line in bot.log)
