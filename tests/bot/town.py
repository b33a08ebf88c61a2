"""The bot in the local Discord, over real HTTP and WebSocket, with members that a test can move."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.client import AtelierClient
from bot.playground.ids import ADA_ID, ART_ID, BEN_ID, MILO_ID
from bot.playground.server import serve
from tests.house import House, open_house
from tests.painter import Painter

Json = dict[str, Any]

ADA, BEN, MODERATOR = ADA_ID, BEN_ID, MILO_ID
ART = ART_ID
EPHEMERAL, LOADING = 64, 128
JSON = {"Content-Type": "application/json"}
IDENTIFY_PAUSE = 6.0  # seconds; Discord lets a bot log in once in five


@dataclass
class Town:
    """The local Discord through its test controls."""

    api_url: str
    token: str
    http: aiohttp.ClientSession
    client_secret: str

    async def invoke(
        self,
        person: int,
        command: str,
        *,
        channel: int = ART,
        files: Json | None = None,
        more: Json | None = None,
        **options: Any,
    ) -> Json:
        """Type a slash command; `files` maps option names to (file name, bytes), `more` has options called as these."""
        options |= more or {}
        body: Json = {"as": str(person), "channel_id": str(channel), "command": command, "options": options}
        body["files"] = {name: _file(*file) for name, file in (files or {}).items()}
        return await self._post("invoke", body)

    async def click(self, person: int, message: Json, label: str) -> Json:
        """Press a button by its label."""
        return await self._post("click", {"as": str(person), "message_id": message["id"], "label": label})

    async def submit(self, person: int, **values: str) -> Json:
        """Send the newest form open on the person's screen, once it is there."""
        await self.until(lambda: self.forms(person))
        return await self._post("submit", {"as": str(person), "values": values})

    async def forms(self, person: int) -> list[Json]:
        """Forms open on the person's screen."""
        found: list[Json] = await self._get("modals", {"as": str(person)})
        return found

    async def messages(self, person: int = ADA, channel: int = ART) -> list[Json]:
        """What the person sees in a channel, oldest first."""
        found: list[Json] = await self._get("messages", {"as": str(person), "channel_id": str(channel), "limit": "100"})
        return found[::-1]

    async def breaks(self, kind: str, **fields: Any) -> Json:
        """Let something go wrong."""
        return await self._post("faults", {"kind": kind, **fields})

    async def mends(self) -> None:
        """Let everything go well again."""
        async with self.http.delete("control/faults") as response:
            assert response.status < 300, await response.text()

    async def passes(self, seconds: float) -> None:
        """Move the clock of the local Discord."""
        await self._post("clock", {"advance_s": seconds})

    async def requests(self) -> list[Json]:
        """What the bot has asked so far."""
        found: list[Json] = await self._get("requests", {})
        return found

    async def results(self, channel: int = ART, person: int = ADA) -> list[Json]:
        """Messages that show finished pictures."""
        return [message for message in await self.messages(person, channel) if "AI-generated" in message["content"]]

    async def told(self, person: int, words: str, channel: int = ART) -> Json:
        """The message with `words` that the person comes to see."""

        async def look() -> Json | None:
            return next((m for m in reversed(await self.messages(person, channel)) if words in m["content"]), None)

        found: Json = await self.until(look)
        return found

    async def result(self, number: int = 1, **where: int) -> Json:
        """The newest result once there are `number` of them and no ticket is left."""

        async def look() -> Json | None:
            found = await self.results(**where)
            busy = any("🎨" in m["content"] or m["flags"] & LOADING for m in await self.messages(**_seen(where)))
            return found[-1] if len(found) >= number and not busy else None

        found: Json = await self.until(look)
        return found

    async def until(self, look: Callable[[], Any], seconds: float = 45.0) -> Any:
        """Ask `look` until it finds something."""
        last = time.monotonic() + seconds
        while time.monotonic() < last:
            if found := await look():
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"not seen within {seconds} s; #art shows {await self.messages()}")

    async def _post(self, name: str, body: Json) -> Json:
        data = io.BytesIO(json.dumps(body).encode())
        async with self.http.post(f"control/{name}", data=data, headers=JSON) as response:
            assert response.status < 300, await response.text()
            answer: Json = await response.json() if response.status != 204 else {}
            return answer

    async def _get(self, name: str, query: dict[str, str]) -> Any:
        async with self.http.get(f"control/{name}", params=query) as response:
            assert response.status < 300, await response.text()
            return await response.json()


@dataclass
class Bot:
    """The bot beside its house."""

    client: AtelierClient
    house: House
    serving: asyncio.Task[None]

    async def has(self, **counts: int) -> bool:
        """Whether there are exactly so many jobs in each state."""
        return await self.house.desk.jobs.counts() == counts


@asynccontextmanager
async def open_town(folder: Path) -> AsyncIterator[Town]:
    """The local Discord on a free port, with its test controls."""
    stop, told = asyncio.Event(), dict[str, str]()
    ready = asyncio.Event()

    def announce(line: str) -> None:
        name, found, value = line.partition("=")
        if found:
            told[name] = value
        if {"DISCORD_API_URL", "DISCORD_TOKEN"} <= told.keys():
            ready.set()

    task = asyncio.create_task(
        serve("127.0.0.1", 0, controls=True, data_dir=folder / "discord", fresh=True, stop=stop, announce=announce)
    )
    try:
        async with asyncio.timeout(10):
            await ready.wait()
        base = told["DISCORD_API_URL"].removesuffix("api/v10")
        async with aiohttp.ClientSession(base) as http:
            yield Town(told["DISCORD_API_URL"], told["DISCORD_TOKEN"], http, told["DISCORD_CLIENT_SECRET"])
    finally:
        stop.set()
        await task


@asynccontextmanager
async def open_bot(town: Town, folder: Path, painter: Painter | None = None, **settings: Any) -> AsyncIterator[Bot]:
    """The bot over the database in `folder`, connected and with its commands known."""
    async with open_house(folder / "house", painter or Painter(), api_url=town.api_url, **settings) as house:
        await town.passes(IDENTIFY_PAUSE)
        client = AtelierClient(house.studio, house.desk, guild_wait=0.05)
        ready = asyncio.Event()
        serving = asyncio.create_task(client.serve(town.token, ready.set))
        try:
            await asyncio.wait({serving, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            await town.until(lambda: house.desk.notes.get("synced_commands"))
            yield Bot(client, house, serving)
        finally:
            await client.close()
            await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def open_both(folder: Path, painter: Painter | None = None, **settings: Any) -> AsyncIterator[tuple[Town, Bot]]:
    """Town and bot together."""
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(open_town(folder))
        yield town, await stack.enter_async_context(open_bot(town, folder, painter, **settings))


def labels(message: Json) -> list[str]:
    """The labels of a message's buttons."""
    return [button["label"] for row in message["components"] for button in row["components"]]


def _file(name: str, data: bytes) -> Json:
    return {"filename": name, "content_base64": base64.b64encode(data).decode()}


def _seen(where: dict[str, int]) -> dict[str, int]:
    return {"person": where.get("person", ADA), "channel": where.get("channel", ART)}
