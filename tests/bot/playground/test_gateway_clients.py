"""Unmodified discord.py against the gateway: every transport, sharded, resumed, refused."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import discord
import pytest
import yarl

from bot.playground.gateway.seams import NoFaults
from tests.bot.playground.gateway_world import (
    APPLICATION_ID,
    GUILD_EVEN,
    GUILD_ODD,
    MEMBERS_FLAG,
    TOKEN,
    Served,
    TwoGuilds,
    serve_gateway,
)

Pointer = Callable[[Served], None]

# Without the zstandard package discord.py asks for zlib.
ZLIB_CLIENT = """
import asyncio, sys
sys.modules["zstandard"] = None
import discord, yarl
discord.http.Route.BASE = sys.argv[1] + "/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sys.argv[1].replace("http", "ws", 1) + "/gateway")
client = discord.Client(intents=discord.Intents(guilds=True), guild_ready_timeout=0.1)

@client.event
async def on_ready():
    print(discord.utils._ActiveDecompressionContext.COMPRESSION_TYPE, sorted(g.name for g in client.guilds))
    await client.close()

asyncio.run(client.start(sys.argv[2]))
"""


class Seen:
    """What a client went through."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.resumed = asyncio.Event()
        self.disconnected = asyncio.Event()


class Deaf(NoFaults):
    """Does not answer heartbeats while `deaf`, and turns connections away while `rejecting` is not spent."""

    def __init__(self) -> None:
        self.deaf = False
        self.rejecting = 0

    def withholds_ack(self) -> bool:
        return self.deaf

    def rejects_connect(self) -> bool:
        self.rejecting -= 1
        return self.rejecting >= 0


@pytest.fixture
def at_served(monkeypatch: pytest.MonkeyPatch) -> Pointer:
    def point(served: Served) -> None:
        monkeypatch.setattr(discord.http.Route, "BASE", f"{served.origin}/api/v10")
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(served.gateway_url))

    return point


def quick_client(**options: Any) -> discord.Client:
    return discord.Client(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05, **options)


def channel(name: str) -> dict[str, Any]:
    return {"id": "4242", "type": 0, "name": name, "position": 1, "guild_id": str(GUILD_EVEN)}


@contextlib.asynccontextmanager
async def running(client: discord.Client, token: str = TOKEN) -> AsyncIterator[Seen]:
    """Runs the client until it is ready; whatever ends it earlier is raised."""
    seen = Seen()

    async def on_ready() -> None:
        seen.ready.set()

    async def on_resumed() -> None:
        seen.resumed.set()

    async def on_disconnect() -> None:
        seen.disconnected.set()

    for listener in (on_ready, on_resumed, on_disconnect):
        client.event(listener)
    task = asyncio.create_task(client.start(token))
    waiter = asyncio.create_task(seen.ready.wait())
    try:
        await asyncio.wait([task, waiter], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert seen.ready.is_set()
        yield seen
    finally:
        waiter.cancel()
        await client.close()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("compression", ["zstd-stream", "none"])
async def test_logs_in(at_served: Pointer, monkeypatch: pytest.MonkeyPatch, compression: str) -> None:
    monkeypatch.setattr(discord.utils._ActiveDecompressionContext, "COMPRESSION_TYPE", compression)
    async with serve_gateway() as served:
        at_served(served)
        client = quick_client()
        async with running(client):
            assert sorted(guild.name for guild in client.guilds) == ["Guild 2", "Guild 3"]
            assert served.gateway.online(APPLICATION_ID)


async def test_logs_in_with_zlib() -> None:
    async with serve_gateway() as served:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-c", ZLIB_CLIENT, served.origin, TOKEN, stdout=-1, env=dict(os.environ)
        )
        said, _ = await asyncio.wait_for(process.communicate(), 20)
        assert said.decode().strip() == "zlib-stream ['Guild 2', 'Guild 3']"


async def test_auto_sharded_client(at_served: Pointer) -> None:
    class Impatient(discord.AutoShardedClient):
        async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
            """Both shards may identify at once here, so there is no need to wait five seconds."""

    async with serve_gateway() as served:
        at_served(served)
        client = Impatient(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
        async with running(client):
            assert sorted(client.shards) == [0, 1]
            assert {guild.id: guild.shard_id for guild in client.guilds} == {GUILD_EVEN: 0, GUILD_ODD: 1}


async def test_a_dropped_connection_is_resumed_with_nothing_lost(at_served: Pointer) -> None:
    async with serve_gateway() as served:
        at_served(served)
        client = quick_client()
        async with running(client) as seen:
            served.gateway.drop()
            served.gateway.dispatch("CHANNEL_CREATE", channel("born-in-the-gap"), guild_id=GUILD_EVEN)
            await asyncio.wait_for(seen.resumed.wait(), 10)
            guild = client.get_guild(GUILD_EVEN)
            assert guild is not None
            assert "born-in-the-gap" in [found.name for found in guild.channels]


@pytest.mark.parametrize("how", ["reconnect", "invalid, resumable", "close 4000"])
async def test_comes_back_and_resumes(at_served: Pointer, how: str) -> None:
    async with serve_gateway() as served:
        at_served(served)
        async with running(quick_client()) as seen:
            if how == "reconnect":
                served.gateway.ask_reconnect()
            elif how == "close 4000":
                served.gateway.close(4000)
            else:
                served.gateway.invalidate(resumable=True)
            await asyncio.wait_for(seen.resumed.wait(), 10)
            assert served.gateway.online(APPLICATION_ID)


async def test_logs_in_afresh_when_its_login_is_gone(at_served: Pointer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(*_: object, **__: object) -> None:
        """In place of the five seconds discord.py waits before it identifies again."""

    async with serve_gateway() as served:
        at_served(served)
        client = quick_client()
        monkeypatch.setattr(client, "before_identify_hook", at_once)
        async with running(client) as seen:
            seen.ready.clear()
            served.gateway.invalidate(resumable=False)
            await asyncio.wait_for(seen.ready.wait(), 10)
            assert not seen.resumed.is_set()


async def test_a_lost_acknowledgement_makes_the_client_come_back(at_served: Pointer) -> None:
    faults = Deaf()
    async with serve_gateway(heartbeat_interval=0.2, faults=faults) as served:
        at_served(served)
        async with running(quick_client(heartbeat_timeout=0.5)) as seen:
            faults.deaf = True
            await asyncio.wait_for(seen.disconnected.wait(), 10)
            faults.deaf = False
            await asyncio.wait_for(seen.resumed.wait(), 10)
            assert served.gateway.online(APPLICATION_ID)


async def test_a_rejected_connection_is_tried_again(at_served: Pointer) -> None:
    faults = Deaf()
    async with serve_gateway(faults=faults) as served:
        at_served(served)
        async with running(quick_client()) as seen:
            faults.rejecting = 1
            served.gateway.drop()
            await asyncio.wait_for(seen.resumed.wait(), 10)
            assert faults.rejecting < 0


async def test_a_bad_token_and_a_disallowed_intent_end_the_client(
    at_served: Pointer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve_gateway() as served:
        at_served(served)
        with pytest.raises(discord.LoginFailure):
            async with running(quick_client(), token="MQ.wrong.y"):
                pass
        with pytest.raises(discord.PrivilegedIntentsRequired):
            async with running(discord.Client(intents=discord.Intents(guilds=True, members=True))):
                pass
        monkeypatch.setattr(served.world, "token_is_valid", lambda token: False)
        with pytest.raises(discord.ConnectionClosed) as closed:
            async with running(quick_client()):
                pass
        assert closed.value.code == 4004


async def test_members_are_chunked_into_the_cache(at_served: Pointer) -> None:
    async with serve_gateway(world=TwoGuilds(flags=MEMBERS_FLAG)) as served:
        at_served(served)
        client = discord.Client(intents=discord.Intents(guilds=True, members=True), guild_ready_timeout=0.5)
        async with running(client):
            guild = client.get_guild(GUILD_ODD)
            assert guild is not None
            assert sorted(member.name for member in guild.members) == ["Ada", "Adele", "Atelier", "Ben"]
