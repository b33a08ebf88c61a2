"""Every command of the real bot, its buttons and its forms, one after the other, while its own watch says how long the
loop was held up.

What the loop's thread computes between two heartbeats is counted strictly. A handler that sleeps or waits for a disk
shows only in how late the loop is, as does a machine that is busy with something else: it shows every time, though.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.playground import ids
from tests.e2e import nasty_files
from tests.e2e.paced import paced_bot
from tests.local_discord import LocalDiscord

LONG = "0.1"  # seconds of work
LATE = "0.25"  # seconds
TURNS = range(2, 6)  # whatever is done once, such as a first import or a large collection, is no handler's
RULES = {"file": ("rules.txt", b"re:gr+een\n")}
ALARM = "event loop is blocked"
TOUR: tuple[tuple[str, dict[str, Any]], ...] = (
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
    ("filter export", {}),
    ("filter automod", {}),
    ("filter hits", {}),
    ("filter exempt", {"role": str(ids.BOOSTERS_ROLE_ID)}),
    ("filter test", {"prompt": "a purple house " * 20}),
    ("policy show", {}),
    ("policy set", {"ordinary": 0}),
    ("policy reset", {}),
    ("filter remove", {"rule": "re:pur+ple"}),
    ("artist add", {"name": "Nobody Inparticular"}),
    ("artist remove", {"name": "Nobody Inparticular"}),
    ("artist requests", {}),
    ("review channel", {"channel": str(ids.MODS_ID)}),
    ("review rules", {"pause_at": 4}),
    ("review list", {}),
    ("review open", {"case": 1}),
    ("strikes show", {"member": str(ids.BEN_ID)}),
    ("strikes warn", {"member": str(ids.BEN_ID), "reason": "a test"}),
    ("strikes clear", {"member": str(ids.BEN_ID)}),
    ("strikes ban", {"member": str(ids.BEN_ID), "reason": "a test"}),
    ("strikes unban", {"member": str(ids.BEN_ID)}),
    ("audit", {}),
    ("audit", {"export": "csv"}),
)
WITH_FILES: tuple[tuple[str, Mapping[str, tuple[str, bytes]]], ...] = (
    ("verify", {"picture": ("picture.png", nasty_files.png())}),
    ("filter import", RULES),
)
ON_MENUS = ("Report picture", "Is this from here?")
ELSEWHERE = ("dream", "artist request", "pause", "resume", "notice")  # with what they show and ask for


OURS = {command for command, _ in (*TOUR, *WITH_FILES)} | {*ON_MENUS, *ELSEWHERE}


async def registered(discord: LocalDiscord) -> set[str]:
    """Every command that the bot has told Discord of."""
    puts = [each for each in await discord.collect() if each["method"] == "PUT" and "commands" in each["path"]]
    return {name for each in puts for command in each["request"] for name in _names(command)}


def _names(command: dict[str, Any]) -> list[str]:
    under = [each["name"] for each in command.get("options", ()) if each["type"] == 1]
    return [f"{command['name']} {name}" for name in under] or [command["name"]]


async def beats(port: int) -> dict[str, float]:
    """Heartbeats of the bot's loop so far: all, those after more work than LONG, those later than LATE."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    found = {
        (sample.name, sample.labels["le"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name.endswith("_bucket") and "event_loop" in sample.name
    }
    busy, lag = "atelier_event_loop_busy_seconds_bucket", "atelier_event_loop_lag_seconds_bucket"
    return {
        "all": found[busy, "+Inf"],
        "long": found[busy, "+Inf"] - found[busy, LONG],
        "late": found[lag, "+Inf"] - found[lag, LATE],
    }


async def seen(discord: LocalDiscord, *words: str) -> dict[str, Any]:
    """A message with a picture and all of these words."""
    return await discord.wait_for(
        lambda message: message["attachments"] and all(each in message["content"] for each in words)
    )


async def buttons(discord: LocalDiscord, name: str) -> None:
    """A picture, everything that can be pressed beneath it, and both of its forms."""
    await discord.invoke(ids.OLIVIA_ID, "dream", {"prompt": name, "count": 4})
    result = await seen(discord, name)
    for label in ("U1", "V1", "Again", "Recipe"):
        await discord.click(ids.OLIVIA_ID, result, label)
    for words in ("Variations of picture 1", "Picture 1"):
        await seen(discord, name, words)
    await discord.click(ids.OLIVIA_ID, result, "Edit")
    await discord.wait_for_modal(ids.OLIVIA_ID)
    await discord.submit(ids.OLIVIA_ID, {"prompt": f"{name}, edited"})
    other = await seen(discord, name, f"{name}, edited")
    await discord.invoke(ids.CLEO_ID, ON_MENUS[0], target=other["id"])
    await discord.click(ids.ADA_ID, other, "Report")
    await discord.wait_for_modal(ids.ADA_ID)
    await discord.submit(ids.ADA_ID, {"reason": "a test"})
    await discord.invoke(ids.CLEO_ID, ON_MENUS[1], target=result["id"])
    await discord.click(ids.OLIVIA_ID, result, "Delete")
    await discord.wait_until_gone(result)


async def tour(discord: LocalDiscord, turn: int) -> None:
    """Everything once."""
    await buttons(discord, f"a red house of turn {turn}")
    for command, options in TOUR:
        await discord.invoke(ids.OLIVIA_ID, command, options)
    for command, files in WITH_FILES:
        await discord.invoke(ids.OLIVIA_ID, command, files=files)
    await discord.invoke(ids.DANA_ID, "artist request")
    await discord.wait_for_modal(ids.DANA_ID)
    await discord.submit(ids.DANA_ID, {"name": f"Somebody {turn}", "contact": "a link", "relation": "the artist"})
    for command, option in (("pause", "reason"), ("notice", "text")):
        words = f"{command} of turn {turn}"
        await discord.invoke(ids.OLIVIA_ID, command, {option: words})
        await discord.wait_for(
            lambda message, words=words: "read" in message["content"] and words in message["content"],
            person=ids.OLIVIA_ID,
            timeout=40,
        )
    await discord.invoke(ids.OLIVIA_ID, "resume")


async def test_no_command_button_or_form_blocks_the_event_loop(tmp_path, start_discord):
    discord = await start_discord(apart=True)
    async with paced_bot(tmp_path / "bot", discord, 0.2) as bot:
        await bot.until(healthy=True)
        assert await registered(discord) == OURS  # none is left out
        assert len(OURS) == 44
        turns: list[dict[str, float]] = []
        for turn in range(1, TURNS.stop):
            before = await beats(bot.port)
            await tour(discord, turn)
            await bot.until(waiting=0, painting=0, posting=0)
            after = await beats(bot.port)
            turns.append({name: after[name] - before[name] for name in after})
            assert turns[-1]["all"] > 10
            if turn in TURNS and not turns[-1]["late"]:
                break
        told = f"more than {LONG} s of work, later than {LATE} s: {turns}"
        assert not any(each["long"] for each in turns[1:]), told
        assert not turns[-1]["late"], f"{told}\n" + "\n".join(line for line in bot.log if ALARM in line)
