"""Moderators' page as an owner starts it in the local Discord: real processes, the secret handed over, one sign-in."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp

from bot.playground import ids
from tests.bot.page.office import HOME, Browser
from tests.e2e.house import free_port, running_bot


async def test_the_owner_signs_in_and_adds_a_rule_that_survives_a_restart(tmp_path: Path) -> None:
    port, page = free_port(), free_port()
    settings = {"playground": {"port": port}, "page": {"enabled": True, "port": page}, "safety": {"checkers": []}}
    for rules in ("0 rules", "1 rule"):
        async with (
            running_bot(tmp_path, settings=settings) as bot,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
        ):
            await bot.said("Open http://")
            browser = await Browser(f"http://127.0.0.1:{page}", http).at_home(ids.OLIVIA_ID)
            assert rules in (await browser.get(f"{HOME}/filter")).text
            assert (await browser.post(f"{HOME}/filter/add", rule="zebra*")).status == 303
            assert "Added: zebra*" in (await browser.get(f"{HOME}/filter")).text
            assert not any(re.search("secret", line, re.IGNORECASE) for line in bot.lines)
