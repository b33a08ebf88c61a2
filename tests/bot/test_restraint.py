"""Discord refuses: few requests are made then, answers and the gateway stay free, and all comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.refused_requests import SPAN, RefusedRequests
from bot.restraint import CALM, CALM_BY_TOKEN, SOONEST, SPACING, Restraint
from bot.wire import HeldBack, TokensHeldBack
from tests.bot.playground.serving import serving
from tests.bot.town import ADA, Bot, open_both

MESSAGE = "/api/v10/channels/1/messages"
ANSWER = "/api/v10/interactions/1/token/callback"
LOGIN = ("users/@me", "oauth2/applications/@me", "gateway/bot")
TICKET = "/api/v10/webhooks/1/token/messages/1"


@dataclass
class Discord:
    """Answers every request to some paths with 429, and counts."""

    refuses: set[str] = field(default_factory=set)
    url: str = ""
    asked: int = 0
    refused: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if request.path in self.refuses:
            self.refused += 1
            return web.Response(status=429, headers={"X-RateLimit-Scope": "user"})
        return web.Response()


@dataclass
class Client:
    """A client that is watched, and its time."""

    discord: Discord
    folder: Path
    now: float = 1000.0
    restraint: Restraint = field(init=False)
    http: aiohttp.ClientSession = field(init=False)

    def __post_init__(self) -> None:
        self.starts()

    def starts(self) -> None:
        """As a process that knows nothing but what lies in the folder."""
        self.restraint = Restraint(
            lambda: None, RefusedRequests(self.folder, lambda: self.now), lambda: self.now, self.sleep
        )
        self.http = aiohttp.ClientSession(self.discord.url, trace_configs=[self.restraint.trace()])

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def asks(self, path: str) -> bool:
        """Whether the request was made."""
        try:
            async with self.http.post(path):
                return True
        except HeldBack:
            return False


@asynccontextmanager
async def watched(folder: Path, *refuses: str) -> AsyncIterator[Client]:
    discord = Discord(set(refuses))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", discord.answer)
    async with serving(app) as plain:
        discord.url = str(plain._base_url)
        client = Client(discord, folder)
        try:
            yield client
        finally:
            await client.http.close()


async def test_ten_minutes_of_refusals_are_fewer_than_a_hundred(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE, ANSWER, TICKET) as client:
        while client.now < 1000.0 + SPAN - 5.0:  # after that the first of them are forgotten
            await asyncio.gather(client.asks(MESSAGE), client.asks(ANSWER), client.asks(TICKET))
            client.now += 1.0
            assert client.restraint.refused == client.discord.refused < 100
        assert client.discord.refused > CALM


async def test_a_channel_that_refuses_beside_others_that_do_not_is_asked_rarely(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE) as client:
        for _ in range(int(SPAN / 3)):
            await client.asks(MESSAGE)
            await client.asks("/api/v10/channels/2/messages")
            client.now += 3.0
        assert CALM < client.discord.refused < 100


async def test_tokens_that_end_early_leave_the_channels_open(tmp_path: Path) -> None:
    async with watched(tmp_path, TICKET) as client:
        posted = 0
        for _ in range(int(SPAN / 3)):
            await client.asks(TICKET)
            client.now += 3.0
            posted += await client.asks(MESSAGE)
        assert posted == int(SPAN / 3)
        with pytest.raises(TokensHeldBack):  # not to be waited for: outcomes go another way
            async with client.http.post(TICKET):
                pass
        assert CALM_BY_TOKEN < client.discord.refused < 50


async def test_when_discord_takes_requests_again_they_are_made_again(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE) as client:
        while client.restraint.refused < CALM:
            await client.asks(MESSAGE)
        client.discord.refuses.clear()
        assert not await client.asks(MESSAGE)
        made = 0
        for _ in range(140):
            client.now += 0.5
            made += await client.asks(MESSAGE)
        assert client.restraint.refused == CALM
        assert made > 25  # in 70 seconds, of which the first 40 are quiet
        assert await client.asks(MESSAGE)
        client.discord.refuses.add(MESSAGE)
        client.now += 2 * SOONEST
        assert await client.asks(MESSAGE)  # refused once more
        client.now += SPACING - 3
        assert not await client.asks(MESSAGE)


async def test_answers_and_the_gateway_wait_for_nobody(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE) as client:
        while client.restraint.refused < CALM:
            await client.asks(MESSAGE)
        assert all([await client.asks(ANSWER) for _ in range(20)])
        assert await client.asks("/gateway/")


async def test_processes_that_are_started_again_and_again_count_together(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE, TICKET) as client:
        while client.now < 1000.0 + SPAN - 5.0:
            await client.http.close()
            client.starts()
            for _ in range(3):
                await asyncio.gather(client.asks(MESSAGE), client.asks(TICKET))
            client.now += 3.0
            assert client.restraint.refused == client.discord.refused < 100
        assert client.discord.refused > CALM + CALM_BY_TOKEN


async def test_a_process_that_is_started_while_requests_are_held_back_logs_in_at_once(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE) as client:
        while client.restraint.refused < CALM:
            await client.asks(MESSAGE)
        await client.http.close()
        client.starts()
        assert not await client.asks(MESSAGE)
        assert all([await client.asks(f"/api/v10/{path}") for path in LOGIN])
        client.discord.refuses |= {f"/api/v10/{path}" for path in LOGIN}
        assert [await client.asks(f"/api/v10/{path}") for path in LOGIN] == [True, False, False]


async def test_a_connection_that_is_lost_while_requests_are_held_back_is_made_again(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        for path in ("/channels/**", "/webhooks/**"):
            await town.breaks("rate_limit", path=path, scope="user", retry_after=0.01)
        for number in range(20):
            await town.invoke(ADA, "dream", prompt=f"picture {number}")
        await town.until(lambda: _held_back(bot))
        await town.breaks("drop_connections")
        await asyncio.sleep(1.0)  # it was noticed
        await town.until(lambda: _connected(bot), seconds=15.0)

        assert bot.client.restraint.held_back > 0
        assert bot.client.restraint.refused < 100


async def _held_back(bot: Bot) -> bool:
    return bot.client.restraint.held_back > 0


async def _connected(bot: Bot) -> bool:
    return bot.client.is_ready()
