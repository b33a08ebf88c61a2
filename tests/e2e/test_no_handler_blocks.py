"""Every command of the real bot, one after the other, while its own watch says how late its event loop ever was."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.playground import ids
from tests.e2e.paced import paced_bot

LATE = "0.1"  # seconds
TRIES = 3  # a machine that is busy with something else must not count as a handler that blocks
TOUR = (
    ("dream", {"prompt": "a red house", "count": 4}),
    ("queue", {}),
    ("quota", {}),
    ("cancel", {}),
    ("help", {}),
    ("about", {}),
    ("models", {}),
    ("preferences", {"embed_prompt": True}),
    ("privacy show", {}),
    ("privacy export", {}),
    ("privacy delete", {}),
    ("artist list", {}),
    ("filter add", {"rule": "re:pur+ple"}),
    ("filter list", {}),
    ("filter test", {"prompt": "a purple house " * 20}),
    ("policy show", {}),
    ("policy set", {"ordinary": 0}),
    ("policy reset", {}),
    ("filter remove", {"rule": "re:pur+ple"}),
    ("artist add", {"name": "Nobody Inparticular"}),
    ("artist remove", {"name": "Nobody Inparticular"}),
    ("artist requests", {}),
    ("review rules", {"pause_at": 4}),
    ("review list", {}),
    ("strikes show", {"member": str(ids.BEN_ID)}),
    ("strikes warn", {"member": str(ids.BEN_ID), "reason": "a test"}),
    ("strikes clear", {"member": str(ids.BEN_ID)}),
    ("audit", {}),
    ("audit", {"export": "csv"}),
    ("pause", {"minutes": 1}),
    ("resume", {}),
    ("notice", {"text": "hello"}),
)


async def beats(port: int) -> tuple[float, float]:
    """Heartbeats of the bot's loop so far: in time, and in all."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    buckets = {
        sample.labels["le"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "atelier_event_loop_lag_seconds_bucket"
    }
    return buckets[LATE], buckets["+Inf"]


async def test_no_command_blocks_the_event_loop(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    async with paced_bot(tmp_path / "bot", discord, 0.2) as bot:
        await bot.until(healthy=True)
        late = []
        for _ in range(TRIES):
            before = await beats(bot.port)
            for command, options in TOUR:
                await discord.invoke(ids.OLIVIA_ID, command, options)
            await bot.until(waiting=0, painting=0, posting=0)
            after = await beats(bot.port)
            assert after[1] - before[1] > 10
            late.append((after[1] - before[1]) - (after[0] - before[0]))
            if not late[-1]:
                break
        assert not late[-1], f"beats more than {LATE} s late: {late}"
        assert (await bot.health())["event_loop_alarms"] == 0
