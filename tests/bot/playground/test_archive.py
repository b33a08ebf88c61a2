"""A local Discord that is stopped and started again: what it shows, what it has forgotten, who may use the file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.playground import ids
from bot.playground.archive import FILE, Archive
from bot.playground.server import build, listen, serve
from generation.errors import ConfigError
from tests.bot.playground.raw_discord import ART, RawDiscord, online

BUTTON = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Again", "custom_id": "again"}]}
DREAM = {"name": "dream", "description": "Paint"}


@contextlib.asynccontextmanager
async def kept(folder: Path, *, fresh: bool = False) -> AsyncIterator[RawDiscord]:
    playground = build()
    archive = Archive(playground.parts, folder)
    runner = None
    try:
        await archive.open(fresh=fresh)
        runner, origin = await listen(playground, "127.0.0.1", 0)
        async with aiohttp.ClientSession() as http:
            yield RawDiscord(playground, origin, http)
    finally:
        if runner is not None:
            await runner.cleanup()
        await archive.close()


async def test_old_messages_their_files_and_their_buttons(tmp_path: Path) -> None:
    async with kept(tmp_path) as before, online(before):
        (dream,) = await before.register(DREAM)
        document = {"content": "Card", "components": [BUTTON], "nonce": "job-1", "enforce_nonce": True}
        card = (await before.api("POST", ART, document, {"files[0]": ("a.png", b"bytes")})).document
        gone = (await before.api("POST", ART, {"content": "gone"}, {"files[0]": ("b.png", b"b")})).document
        await before.api("DELETE", f"{ART}/{gone['id']}")
        thread = (await before.api("POST", f"{ART}/{card['id']}/threads", {"name": "talk"})).document
        await before.api("POST", f"/channels/{thread['id']}/messages", {"content": "inside"})
        await before.api("PUT", f"{ART}/{card['id']}/reactions/%F0%9F%8E%A8/@me")
        asked = await before.invoke(dream)
        await before.answer(asked, 5)
        alone = await before.invoke(dream)
        await before.answer(alone, 4, {"content": "psst", "flags": 64})
        await asyncio.sleep(0.7)  # so that what follows is a second writing
        await before.api("PATCH", f"{ART}/{card['id']}", {"content": "Edited"})

    async with kept(tmp_path) as after, online(after):
        given_up, shown = (await after.client("GET", ART)).document
        assert (given_up["content"], given_up["thinking"]) == ("The application did not respond", False)
        assert (shown["id"], shown["content"], shown["thread"]["name"]) == (card["id"], "Edited", "talk")
        assert shown["reactions"][0]["emoji"]["name"] == "🎨"
        async with aiohttp.ClientSession() as http, http.get(shown["attachments"][0]["url"]) as response:
            assert await response.read() == b"bytes"
        (inside,) = (await after.api("GET", f"/channels/{thread['id']}/messages")).document
        assert inside["content"] == "inside"
        assert (await after.api("GET", f"/applications/{ids.APPLICATION_ID}/commands")).document == [dream]
        assert (await after.click(shown, "again")).status == 202
        pressed = await after.event("INTERACTION_CREATE")
        assert (await after.answer(pressed, 7, {"content": "Pressed"})).status == 200
        assert (await after.webhook("PATCH", asked, "/messages/@original", {"content": "late"})).code == 50027
        again = await after.api("POST", ART, document)
        assert again.document["id"] == card["id"]
        new = (await after.api("POST", ART, {"content": "new"})).document
        assert int(new["id"]) > int(given_up["id"])


async def test_a_fresh_start_forgets(tmp_path: Path) -> None:
    async with kept(tmp_path) as before:
        await before.api("POST", ART, {"content": "old"})
    async with kept(tmp_path, fresh=True) as after:
        assert (await after.client("GET", ART)).document == []


async def test_one_server_at_a_time(tmp_path: Path) -> None:
    async with kept(tmp_path):
        with pytest.raises(ConfigError, match="already uses"):
            async with kept(tmp_path):
                pytest.fail("two servers write the same file")


async def test_a_file_that_cannot_be_read_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to look like one" * 100)
    async with kept(tmp_path) as discord:
        assert (await discord.api("POST", ART, {"content": "x"})).status == 200
    assert (tmp_path / "discord.unreadable").read_bytes().startswith(b"not a database")


async def test_a_busy_port_is_one_sentence(tmp_path: Path) -> None:
    async with kept(tmp_path / "first") as discord:
        port = int(discord.origin.rpartition(":")[2])
        with pytest.raises(ConfigError, match=f"Port {port} on 127.0.0.1 is already in use"):
            await serve("127.0.0.1", port, data_dir=tmp_path / "second", announce=lambda _: None)


async def test_what_is_announced(tmp_path: Path) -> None:
    stop, lines = asyncio.Event(), []

    def announce(line: str) -> None:
        lines.append(line)
        if len(lines) == 4:
            stop.set()

    await asyncio.wait_for(serve("127.0.0.1", 0, data_dir=tmp_path, stop=stop, announce=announce), 5)
    url, secret, token, page = lines
    assert secret.startswith("DISCORD_CLIENT_SECRET=")
    assert url.startswith("DISCORD_API_URL=http://127.0.0.1:")
    assert url.endswith("/api/v10")
    assert token == f"DISCORD_TOKEN={ids.BOT_TOKEN}"
    assert "http://127.0.0.1:" in page
