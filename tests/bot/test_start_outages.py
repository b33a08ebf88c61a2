"""What stands between the bot and Discord answers in its place: a start waits and goes on."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
from aiohttp import web

from bot import outages
from bot.outages import is_outage, through_outages
from tests.bot.town import ADA, Town, open_bot, open_town

PAGE, JSON = "text/html; charset=UTF-8", "application/json"
BLOCKED = '{"message": "You are being blocked from accessing our API", "retry_after": 3, "code": 0}'
HTML = "<html>\n<title>Sorry</title>\n</html>"
ANSWERS = [  # status, kind of document, document
    (429, "text/plain", "error code: 1015"),
    (429, JSON, BLOCKED),
    (400, PAGE, HTML),
    (403, PAGE, HTML),
    (404, PAGE, HTML),
    (408, PAGE, HTML),
    (503, PAGE, HTML),
    (200, PAGE, HTML),
    (200, JSON, '{"id": "1'),
    (200, JSON, "[]"),
    (200, JSON, "{}"),
]
COMMANDS = r"/applications/\d+/commands"


@asynccontextmanager
async def _behind_a_shield(town: Town, path: str, answers: list[tuple[int, str, str]]) -> AsyncIterator[Town]:
    """The town behind something that gives `answers` to the first requests for `path`, and then lets all through."""
    left = list(answers)

    async def answer(request: web.Request) -> web.Response:
        if left and re.search(path + "$", request.path):
            status, kind, text = left.pop(0)
            return web.Response(status=status, body=text.encode(), headers={"Content-Type": kind, "Retry-After": "3"})
        kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        there, body = town.api_url.removesuffix("/api/v10") + request.path_qs, await request.read()
        async with town.http.request(request.method, there, data=body, headers=kept) as real:
            passed = {"Content-Type": real.headers.get("Content-Type", JSON)}
            return web.Response(status=real.status, body=await real.read(), headers=passed)

    shield = web.Application()
    shield.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(shield)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield replace(town, api_url=f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10")
        assert left == [], "not everything was answered that was to be"
    finally:
        await runner.cleanup()


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "SLOWEST", 0.1)
    monkeypatch.setattr(outages, "LONGEST", 0.1)
    monkeypatch.setattr(outages, "LONGEST_AFTER_MISTAKE", 0.1)


@pytest.mark.usefixtures("_hasty")
@pytest.mark.parametrize("path", ["/users/@me", "/oauth2/applications/@me", "/gateway/bot", COMMANDS])
async def test_a_start_waits_until_discord_itself_answers(
    tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [each for each in ANSWERS if path != COMMANDS or each[2] != "[]"]  # which is an answer there
    async with (
        open_town(tmp_path) as town,
        _behind_a_shield(town, path, answers) as shielded,
        open_bot(shielded, tmp_path) as bot,
    ):
        assert bot.client.is_ready()
        await town.invoke(ADA, "quota")
        await town.told(ADA, "You can paint")

    told = [record.getMessage() for record in caplog.records if record.name == "bot.outages"]
    assert len(told) == len(answers)
    assert all(line.startswith("Discord cannot be reached (") and "\n" not in line for line in told)


@pytest.mark.usefixtures("_hasty")
async def test_a_menu_that_discord_refuses_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused = (400, JSON, '{"message": "Invalid Form Body", "code": 50035, "errors": {}}')
    async with (
        open_town(tmp_path) as town,
        _behind_a_shield(town, COMMANDS, [refused] * 4) as shielded,
        open_bot(shielded, tmp_path),
    ):
        await town.invoke(ADA, "quota")
        await town.told(ADA, "You can paint")

    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "command-sync failed and is tried again"
    ]


async def test_a_wait_that_is_asked_for_is_kept_up_to_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    refusals = [_refused(429, PAGE, asked) for asked in ("40", "7200", "-1", "nan", "Wed, 21 Oct 2015 07:28:00 GMT")]
    hidden = discord.GatewayNotFound()
    hidden.__cause__ = _refused(429, PAGE, "50")
    left: list[Exception] = [*refusals, hidden, _refused(503, PAGE, "100")]

    async def attempt() -> None:
        if left:
            raise left.pop(0)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(outages.asyncio, "sleep", sleep)
    monkeypatch.setattr(outages.random, "uniform", lambda low, high: 1.0)
    await through_outages(attempt, lambda: False)
    assert waits == [41.0, 601.0, 1.0, 1.0, 1.0, 51.0, 1.0]


def test_what_discord_itself_refuses_and_mistakes_of_ours_are_no_outages() -> None:
    def ours() -> None:
        _: Any = "page"
        _["id"]

    with pytest.raises(TypeError) as mistake:
        ours()
    final = [_refused(status, JSON) for status in (400, 401, 403, 404)] + [_refused(401, PAGE), discord.LoginFailure()]
    assert not any(is_outage(error) for error in [*final, mistake.value, ValueError(), KeyError("id")])
    passing = [_refused(429, JSON), _refused(408, JSON), _refused(403, PAGE), _refused(502, JSON)]
    assert all(is_outage(error) for error in [*passing, aiohttp.ClientPayloadError(), TimeoutError()])


def _refused(status: int, kind: str, asked: str = "0") -> discord.HTTPException:
    headers = {"Content-Type": kind, "Retry-After": asked}
    answer: Any = SimpleNamespace(status=status, reason="Some", headers=headers)
    return discord.HTTPException(answer, {"message": "no", "code": 0})


async def test_what_is_over_is_not_tried_again() -> None:
    tried = asyncio.Event()

    async def attempt() -> None:
        tried.set()
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await through_outages(attempt, tried.is_set)
    assert tried.is_set()
