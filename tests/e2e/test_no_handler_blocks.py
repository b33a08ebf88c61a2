"""Every command of the real bot, one after the other, while its own watch says how long the loop was ever held up.

Counted is what the loop's thread computes between two heartbeats: a machine that is busy with something else does not
make a handler one that blocks. Handlers that sleep or wait for a disk would be seen by the watch's alarm.
"""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.playground import ids
from tests.e2e.paced import paced_bot

LONG = "0.1"  # seconds
TRIES = 2  # whatever is done once, such as a first import or a large collection, is no handler's
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
)


async def beats(port: int) -> tuple[float, float]:
    """Heartbeats of the bot's loop so far: with little to do before them, and all."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    buckets = {
        sample.labels["le"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "atelier_event_loop_busy_seconds_bucket"
    }
    return buckets[LONG], buckets["+Inf"]


async def test_no_command_blocks_the_event_loop(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    async with paced_bot(tmp_path / "bot", discord, 0.2) as bot:
        await bot.until(healthy=True)
        held_up = []
        for turn in range(TRIES):
            before = await beats(bot.port)
            for command, options in TOUR:
                await discord.invoke(ids.OLIVIA_ID, command, options)
            await discord.invoke(ids.OLIVIA_ID, "notice", {"text": f"the end of turn {turn}"})
            await discord.wait_for(
                lambda message, turn=turn: f"the end of turn {turn}" in message["content"],
                person=ids.OLIVIA_ID,
                timeout=40,
            )
            await bot.until(waiting=0, painting=0, posting=0)
            after = await beats(bot.port)
            assert after[1] - before[1] > 10
            held_up.append((after[1] - before[1]) - (after[0] - before[0]))
        assert not held_up[-1], f"heartbeats after more than {LONG} s of work: {held_up}"
