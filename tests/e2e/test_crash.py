"""Accepted means delivered: the bot process is killed in the middle of its work and started again."""

from __future__ import annotations

import asyncio

from bot.playground import ids
from tests.e2e.house import running_bot

PEOPLE = (ids.ADA_ID, ids.BEN_ID, ids.CLEO_ID)


def is_result(message):
    return bool(message["attachments"]) and "'V1'" in str(message["components"])


async def test_kill_and_restart_loses_nothing_and_posts_nothing_twice(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    folder = tmp_path / "bot"
    environment = {"DISCORD_API_URL": discord.api_url, "DISCORD_TOKEN": discord.token}
    async with running_bot(folder, **environment) as bot:
        await bot.ready()
        for person in PEOPLE:
            for seed in (1, 2):
                await discord.invoke(person, "dream", {"prompt": f"a red house {person} {seed}", "seed": seed})
        await discord.wait_for(is_result, timeout=60)  # at least one is shown, others wait or are being painted
        async with asyncio.timeout(20):
            while (await bot.health()).get("waiting", 0) + (await bot.health()).get("painting", 0) == 0:
                await asyncio.sleep(0.02)
        await bot.kill()
    async with running_bot(folder, **environment) as bot:
        await bot.ready()
        async with asyncio.timeout(120):
            while True:
                shown = [m for m in await discord.messages(ids.ADA_ID, limit=100) if is_result(m)]
                state = await bot.health()
                if len(shown) >= 6 and not state["waiting"] and not state["painting"]:
                    break
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)  # a second posting would come now
        shown = [m for m in await discord.messages(ids.ADA_ID, limit=100) if is_result(m)]
        wishes = {(person, seed) for person in PEOPLE for seed in (1, 2)}
        found = [
            wish for message in shown for wish in wishes if f"a red house {wish[0]} {wish[1]}" in message["content"]
        ]
        assert sorted(found) == sorted(wishes)

        oldest = shown[-1]  # posted by the process that was killed: its buttons work in the new one
        await discord.click(ids.BEN_ID, oldest, "V1")
        varied = await discord.wait_for(
            lambda m: is_result(m) and int(m["id"]) > int(shown[0]["id"]), person=ids.BEN_ID, timeout=60
        )
        assert "4 AI-generated pictures" in varied["attachments"][0]["description"]
