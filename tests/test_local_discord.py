"""The bench itself: traffic that does not fit is found, and a test that waits in vain says what it saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from bot.playground import ids
from tests.discord_document import Oracle
from tests.local_discord import LocalDiscord, RefusedError, attached, started

MESSAGES = f"/channels/{ids.ART_ID}/messages"


async def post(discord: LocalDiscord, document: object, path: str = MESSAGES) -> int:
    headers = {"Authorization": f"Bot {discord.token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.post(discord.api_url + path, json=document) as sent:
        return sent.status


async def test_wrong_requests_are_found_unless_they_are_excused(tmp_path: Path, oracle: Oracle) -> None:
    async with started(tmp_path) as discord:
        assert await post(discord, {"content": "hello"}) == 200
        await discord.collect()
        assert discord.mismatches(oracle) == []
        assert await post(discord, {"content": ["words"]}) == 400
        assert await post(discord, {}, "/attachments/refresh-urls") == 404
        await discord.collect()
        wrong, undocumented = discord.mismatches(oracle)
        assert wrong == f"POST {MESSAGES} -> 400: request.content: ['words'] is array, expected string or null"
        assert undocumented == "POST /attachments/refresh-urls -> 404: the document has no such route"
        discord.excuse(lambda exchange: exchange["status"] in (400, 404))
        assert discord.mismatches(oracle) == []


async def test_a_record_with_a_gap_is_no_proof(tmp_path: Path, oracle: Oracle) -> None:
    async with started(tmp_path) as discord:
        await post(discord, {"content": "one"})
        async with aiohttp.ClientSession() as http:
            await http.delete(f"{discord.origin}/control/requests")
        await post(discord, {"content": "two"})
        await discord.collect()
        assert discord.mismatches(oracle) == ["exchanges forgotten before they were collected: 1"]


async def test_faults_are_exempt(playground: LocalDiscord) -> None:
    await playground.breaks("status", status=503, path=MESSAGES, count=1)
    assert await post(playground, {"content": "hello"}) == 503
    assert (await playground.faults()) == []
    await playground.breaks("rate_limit")
    assert await post(playground, {"content": "hello"}) == 429
    await playground.mend()
    assert await post(playground, {"content": "hello"}) == 200


async def test_who_waits_in_vain_is_told_what_there_is(playground: LocalDiscord) -> None:
    await playground.say(ids.BEN_ID, "good morning")
    with pytest.raises(AssertionError, match=r"within 0 s; newest first there is:\n.*ben.*'good morning'"):
        await playground.wait_for(lambda message: message["content"] == "good night", timeout=0.1)
    with pytest.raises(RefusedError, match="no command 'dream'"):
        await playground.invoke(ids.ADA_ID, "dream", {"prompt": "x"})


async def test_a_process_of_its_own(start_discord: Callable[..., Awaitable[LocalDiscord]]) -> None:
    apart = await start_discord(apart=True)
    async with attached(apart.api_url, apart.token) as same:
        said = await same.say(ids.ADA_ID, "hello")
    assert [message["id"] for message in await apart.messages(ids.BEN_ID)] == [said["id"]]
