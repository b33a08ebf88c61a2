"""Discord refuses: few requests are made then, answers and the gateway stay free, and all comes back by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.playground.ids import ART_ADULTS_ID, CLEO_ID, DM_IDS
from bot.refused_requests import SPAN, WRITER, RefusedRequests
from bot.restraint import ANSWER, AT_ONCE, AT_ONCE_FREE, CALM, CALM_BY_TOKEN, CALM_FREE, CEILING, SPACING, Restraint
from bot.wire import HeldBack, TokensHeldBack
from tests.bot.crashes import WIDE
from tests.bot.playground.serving import serving
from tests.bot.town import ADA, BEN, Bot, Town, open_both
from tests.painter import Painter

MESSAGE = "/api/v10/channels/1/messages"
ANSWER_TO = "/api/v10/interactions/1/token/callback"
LOGIN = tuple(f"/api/v10/{path}" for path in ("users/@me", "oauth2/applications/@me", "gateway/bot"))
TICKET = "/api/v10/webhooks/1/token/messages/1"


@dataclass
class Discord:
    """Answers every request to some paths with 429, and counts."""

    refuses: set[str] = field(default_factory=set)
    url: str = ""
    slowness: float = 0.0
    asked: int = 0
    refused: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.slowness)
        self.at_once -= 1
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
        self.http = self._new_http()

    def as_it_is(self) -> None:
        """In real time."""
        self.restraint = Restraint(lambda: None, RefusedRequests(self.folder))
        self.http = self._new_http()

    def _new_http(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0)  # as discord.py's
        return aiohttp.ClientSession(self.discord.url, connector=connector, trace_configs=[self.restraint.trace()])

    async def starts_again(self) -> None:
        await self.http.close()
        await written()
        self.starts()

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    async def asks(self, path: str) -> bool:
        """Whether the request was made."""
        try:
            async with self.http.post(path):
                return True
        except HeldBack:
            return False


async def written() -> None:
    """What was refused stands in the file."""
    await asyncio.wrap_future(WRITER.submit(int))


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
    async with watched(tmp_path, MESSAGE, ANSWER_TO, TICKET) as client:
        while client.now < 1000.0 + SPAN - 5.0:  # after that the first of them are forgotten
            await asyncio.gather(client.asks(MESSAGE), client.asks(ANSWER_TO), client.asks(TICKET))
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
        client.now += SPACING - 3.0
        assert not await client.asks(MESSAGE)
        client.now += 3.0
        assert all([await client.asks(MESSAGE) for _ in range(50)])
        assert client.restraint.refused == CALM
        client.discord.refuses.add(MESSAGE)
        assert await client.asks(MESSAGE)  # refused once more
        client.now += SPACING - 3.0
        assert not await client.asks(MESSAGE)


async def test_answers_and_the_gateway_wait_for_nobody(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE) as client:
        while client.restraint.refused < CALM:
            await client.asks(MESSAGE)
        assert all([await client.asks(ANSWER_TO) for _ in range(20)])
        assert await client.asks("/gateway/")


@pytest.mark.parametrize("paths", [(MESSAGE,), (ANSWER_TO,), (TICKET,), (MESSAGE, ANSWER_TO, TICKET)])
async def test_two_hundred_requests_at_once_that_are_all_refused(tmp_path: Path, paths: tuple[str, ...]) -> None:
    async with watched(tmp_path, *paths) as client:
        await client.http.close()
        client.as_it_is()
        client.discord.slowness = 0.3
        await asyncio.gather(*(client.asks(path) for path in paths for _ in range(200)))
        assert client.restraint.refused == client.discord.refused <= min(CEILING, AT_ONCE_FREE * len(paths))
        assert client.restraint.under_way == 0


async def test_two_hundred_answers_at_once_are_given_while_all_is_well(tmp_path: Path) -> None:
    async with watched(tmp_path) as client:
        await client.http.close()
        client.as_it_is()
        client.discord.slowness = 0.2
        began = time.monotonic()
        assert all(await asyncio.gather(*(client.asks(ANSWER_TO) for _ in range(200))))
        assert time.monotonic() - began < 3.0  # seconds after which Discord takes none any more
        assert client.discord.most_at_once == AT_ONCE_FREE


async def test_no_request_keeps_its_place_for_ever(tmp_path: Path) -> None:
    async with watched(tmp_path, TICKET) as client:
        restraint = client.restraint
        client.discord.slowness = 0.2
        with pytest.raises(aiohttp.ClientConnectorError):  # nothing is there
            async with client.http.post("http://127.0.0.1:1" + MESSAGE):
                pass
        assert restraint.under_way == 0
        with pytest.raises(TimeoutError):
            async with client.http.post(MESSAGE, timeout=aiohttp.ClientTimeout(total=0.05)):
                pass
        cut_off = [asyncio.create_task(client.asks(MESSAGE)) for _ in range(AT_ONCE - 1)]
        await asyncio.sleep(0.1)
        waits = asyncio.create_task(client.asks(MESSAGE))
        await asyncio.sleep(0)
        assert not waits.done()
        for task in (waits, *cut_off):
            task.cancel()
        await asyncio.gather(waits, *cut_off, return_exceptions=True)
        assert restraint.under_way == AT_ONCE  # Discord may refuse those still; whoever was not asked is no such one
        assert not await client.asks(MESSAGE)
        assert await client.asks(TICKET)
        client.now += ANSWER
        assert restraint.under_way == 0
        assert await client.asks(MESSAGE)
        assert restraint.under_way == 0
        await client.http.close()
        with suppress(RuntimeError):
            await client.asks(MESSAGE)
        assert restraint.under_way == 0


async def test_processes_that_are_started_again_and_again_count_together(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE, TICKET) as client:
        while client.now < 1000.0 + SPAN - 5.0:
            await client.starts_again()
            for _ in range(3):
                await asyncio.gather(client.asks(MESSAGE), client.asks(TICKET))
            client.now += 3.0
            assert client.restraint.refused == client.discord.refused < 100
        assert client.discord.refused > CALM + CALM_BY_TOKEN


async def test_a_bot_that_is_refused_at_each_start_is_refused_rarely(tmp_path: Path) -> None:
    async with watched(tmp_path, LOGIN[0]) as client:
        while client.now < 1000.0 + SPAN - 5.0:
            await client.starts_again()
            await client.asks(LOGIN[0])
            client.now += 3.0
        assert CALM_FREE < client.restraint.refused == client.discord.refused <= CALM_FREE + SPAN / SPACING
        client.discord.refuses.clear()
        client.now += SPACING
        await client.starts_again()
        began = client.now
        assert all([await client.asks(path) for path in LOGIN])
        assert client.now - began < 10.0


async def test_a_process_that_is_started_again_is_no_laxer_than_one_that_lived_on(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE) as client:
        while client.restraint.refused < CALM:
            await client.asks(MESSAGE)
        client.now += 0.7 * SPACING
        await client.starts_again()
        assert not await client.asks(MESSAGE)
        client.now += 0.3 * SPACING
        client.discord.slowness = 0.1
        both = await asyncio.gather(client.asks(MESSAGE), client.asks(MESSAGE))
        assert sorted(both) == [False, True]  # one by one


async def test_several_processes_on_one_folder_count_together(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE, TICKET, ANSWER_TO) as client:
        others = [Client(client.discord, tmp_path) for _ in range(2)]
        while client.now < 1000.0 + SPAN - 5.0:
            for each in (client, *others):
                each.now = client.now
                await asyncio.gather(*(each.asks(path) for path in (MESSAGE, TICKET, ANSWER_TO)))
                await written()
            client.now += 1.0
        for each in others:
            await each.http.close()
        assert CALM + CALM_BY_TOKEN + CALM_FREE < client.discord.refused < 100


async def test_a_process_that_is_started_while_requests_are_held_back_logs_in_at_once(tmp_path: Path) -> None:
    async with watched(tmp_path, MESSAGE) as client:
        while client.restraint.refused < CALM:
            await client.asks(MESSAGE)
        await client.starts_again()
        assert not await client.asks(MESSAGE)
        assert all([await client.asks(path) for path in LOGIN])


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


async def test_many_tickets_at_once_that_discord_is_slow_to_refuse(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, limits=WIDE) as (town, bot):
        painter.hold.clear()
        await town.breaks("latency", path="/webhooks/**", delay_s=2.0)
        await town.breaks("rate_limit", path="/webhooks/**", scope="user", retry_after=0.01)
        for number in range(120):
            await town.invoke((ADA, BEN, CLEO_ID)[number % 3], "dream", prompt=f"early {number}")
        await asyncio.sleep(3.0)
        refused = await _answered(town, 429)

        assert CALM_BY_TOKEN < len(refused) < 60
        assert bot.client.restraint.held_back > 0


async def test_a_token_that_was_taken_back_is_tried_once_although_the_data_folder_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = RefusedRequests._note

    def slowly(self: RefusedRequests, *what: object) -> None:
        time.sleep(2.0)
        note(self, *what)

    monkeypatch.setattr(RefusedRequests, "_note", slowly)
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        await town.breaks("status", path="/channels/**", status=401)
        await town.invoke(ADA, "dream", prompt="one")
        await town.until(lambda: _answered(town, 401))
        await town.invoke(BEN, "dream", prompt="two", channel=ART_ADULTS_ID)
        await town.invoke(CLEO_ID, "dream", prompt="three", channel=DM_IDS[CLEO_ID])
        with suppress(Exception):
            async with asyncio.timeout(10):
                await bot.serving

        assert bot.serving.done()
        assert len(await _answered(town, 401)) == 1
    await written()
    assert len((tmp_path / "house" / "refused-requests.txt").read_text().splitlines()) == 1


async def _answered(town: Town, status: int) -> list[object]:
    return [each for each in await town.requests() if each["status"] == status]
