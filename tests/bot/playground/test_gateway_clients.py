"""Unmodified discord.py against the gateway: plain, zlib and zstd, sharded, resumed, refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import discord
import pytest
import yarl


from tests.bot.playground.gateway_world import TOKEN, Served, serve_gateway



class Watching:
    """What a client went through."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.resumed = asyncio.Event()
        self.events: list[str] = []


@pytest.fixture
def at_served(monkeypatch: pytest.MonkeyPatch) -> object:
    def point(served: Served) -> None:
        monkeypatch.setattr(discord.http.Route, "BASE", f"{served.origin}/api/v10")
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(served.gateway_url))

    return point


@contextlib.asynccontextmanager
async def running(client: discord.Client, token: str = TOKEN) -> AsyncIterator[Watching]:
    watching = Watching()

    async def on_ready() -> None:
        watching.ready.set()

    async def on_resumed() -> None:
        watching.resumed.set()

    client.event(on_ready)
    client.event(on_resumed)
    task = asyncio.create_task(client.start(token))
    try:
        waiter = asyncio.create_task(watching.ready.wait())
        await asyncio.wait([task, waiter], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if task.done():
            task.result()
        yield watching
    finally:
        await client.close()
        await asyncio.gather(task, return_exceptions=True)


async def test_logs_in(at_served) -> None:
    async with serve_gateway() as served:
        at_served(served)
        client = discord.Client(intents=discord.Intents(guilds=True), guild_ready_timeout=0.1)
        async with running(client):
            assert sorted(guild.name for guild in client.guilds) == ["Guild 2", "Guild 3"]
