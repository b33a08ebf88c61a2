"""What comes over the gateway and cannot be read ends a connection, and neither the process nor what it was told."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.shard import EventItem, EventType

from bot import reconnecting
from bot.client import AtelierClient
from bot.playground.gateway import login
from bot.playground.gateway.connection import Connection
from bot.playground.gateway.identify import IdentifyLimit
from bot.playground.gateway.login import Login
from bot.playground.gateway.logins import Logins
from bot.playground.ids import GUILD_ID
from bot.reconnecting import SteadyShard
from tests.bot.town import ADA, Bot, Town, open_both

POISON = ("CHANNEL_CREATE", {"id": "5", "type": 0, "guild_id": str(GUILD_ID)})  # without nearly all that it has


class Wire:
    """The gateway's side of the bot's connections."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.login: Login | None = None  # of the bot
        self.logins = 0
        self.in_the_way: str | None = None  # a frame before whatever a login missed
        self.at_once: tuple[str, dict[str, Any]] | None = None  # an event behind each login and each one gone on with
        attach = Logins.attach

        def noting(logins: Logins, login: Login, connection: Connection) -> None:
            attach(logins, login, connection)
            if self.in_the_way is not None and login is self.login:
                connection.send_text(self.in_the_way)
            if login is not self.login:
                self.logins += 1
            if self.at_once is not None:
                asyncio.get_running_loop().call_later(0.02, login.emit, *self.at_once)
            self.login = login

        monkeypatch.setattr(Logins, "attach", noting)

    def tell(self, event: str, data: dict[str, Any]) -> None:
        assert self.login is not None
        self.login.emit(event, data)

    def send(self, frame: str) -> None:
        assert self.login is not None
        assert self.login.connection is not None
        self.login.connection.send_text(frame)


async def _at_once(*_: object, **__: object) -> None:
    """In place of the five seconds before each further login."""


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    monkeypatch.setattr(reconnecting.random, "uniform", lambda low, high: min(high, 0.05))
    monkeypatch.setattr(AtelierClient, "before_identify_hook", _at_once)
    return Wire(monkeypatch)


async def _back(bot: Bot, wire: Wire) -> bool:
    connected = wire.login is not None and wire.login.connection is not None
    return connected and bot.client.is_ready()


@pytest.mark.parametrize("kind", ["event", "cut frame", "no object"])
async def test_what_cannot_be_read_costs_a_moment_and_nothing_else(
    tmp_path: Path, wire: Wire, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_both(tmp_path) as (town, bot):
        if kind == "event":
            wire.tell(*POISON)
        else:
            wire.send('{"op": 0, "t": "X"' if kind == "cut frame" else "[]")
        await town.invoke(ADA, "dream", prompt="behind it")  # told while nobody listens
        assert "**behind it**" in (await town.result())["content"]

        assert not bot.serving.done()
        assert bot.client.is_ready()
        assert wire.logins == 1  # it was gone on, and not begun anew
    told = [record for record in caplog.records if record.name == "bot.reconnecting"]
    assert len(told) == 1
    assert told[0].exc_info
    assert told[0].levelno == logging.ERROR


async def test_a_fault_that_comes_again_at_once_is_waited_for_longer_and_longer(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bounds: list[float] = []

    def uniform(_: float, high: float) -> float:
        bounds.append(high)
        return 0.2

    async with open_both(tmp_path) as (town, bot):
        monkeypatch.setattr(reconnecting.random, "uniform", uniform)
        wire.at_once = POISON
        wire.tell(*POISON)
        await town.until(lambda: _waited(town, bounds, 4))
        wire.at_once = None
        await town.passes(6.0)
        await town.until(lambda: _back(bot, wire))
        await town.invoke(ADA, "dream", prompt="in the end")
        assert "**in the end**" in (await town.result())["content"]

    assert bounds[:4] == [2.0, 4.0, 8.0, 16.0]
    told = [record for record in caplog.records if record.name == "bot.reconnecting"]
    assert len(told) >= 4
    assert [bool(record.exc_info) for record in told] == [True] + [False] * (len(told) - 1)


async def test_a_frame_that_is_damaged_whenever_it_comes_is_left_behind(tmp_path: Path, wire: Wire) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.passes(6.0)
        wire.in_the_way = "damaged"
        wire.send("damaged")
        await town.until(lambda: _again(wire))
        await town.until(lambda: _back(bot, wire))

        assert not bot.serving.done()


async def test_a_login_whose_first_word_cannot_be_read_is_made_anew(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, damaged = login.readable, ["READY"]

    def readable(intents: int, event: str, data: dict[str, Any], self_id: str) -> dict[str, Any]:
        if event not in damaged:
            return whole(intents, event, data, self_id)
        damaged.remove(event)
        return {name: data[name] for name in ("session_id", "resume_gateway_url")}

    monkeypatch.setattr(login, "readable", readable)
    monkeypatch.setattr(IdentifyLimit, "take", lambda *_: True)
    async with open_both(tmp_path) as (town, bot):
        await town.until(lambda: _back(bot, wire))
        assert damaged == []
        assert wire.logins == 2


async def _waited(town: Town, bounds: list[float], times: int) -> bool:
    await town.passes(6.0)  # a bot may log in once in five seconds
    return len(bounds) >= times


async def test_a_connection_that_is_lost_while_it_is_made_is_made_again(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """discord.py ends with that, too."""
    async with open_both(tmp_path) as (town, bot):
        shard = bot.client._AutoShardedClient__shards[0]  # type: ignore[attr-defined]
        await town.passes(6.0)
        whole, lost = DiscordWebSocket.from_client, [ReconnectWebSocket(0, resume=False)]

        async def from_client(*given: Any, **more: Any) -> DiscordWebSocket:
            if lost:
                raise lost.pop()
            return await whole(*given, **more)

        monkeypatch.setattr(DiscordWebSocket, "from_client", from_client)
        shard._queue_put(EventItem(EventType.reconnect, shard, None))
        await town.until(lambda: _again(wire))
        await town.until(lambda: _back(bot, wire))
        await town.invoke(ADA, "dream", prompt="again")
        assert "**again**" in (await town.result())["content"]

        assert wire.logins == 2


async def _again(wire: Wire) -> bool:
    return wire.logins == 2


async def test_what_is_final_stays_so() -> None:
    events: list[EventItem] = []
    client: Any = SimpleNamespace(dispatch=lambda *_: None, _reconnect=True, is_closed=lambda: False)
    shard = SteadyShard(SimpleNamespace(shard_id=0), client, events.append)
    refusals = [discord.LoginFailure(), discord.PrivilegedIntentsRequired(0), _closed(4004), _closed(4014)]
    for refusal in refusals:
        await shard._handle_disconnect(refusal)

    kinds = [EventType.terminate, EventType.terminate, EventType.close, EventType.terminate]
    assert [event.type for event in events] == kinds


def _closed(code: int) -> discord.ConnectionClosed:
    socket: Any = SimpleNamespace(close_code=code)
    return discord.ConnectionClosed(socket, shard_id=0, code=code)
