"""A call knows what all its requests came to, and posts nothing once it is old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web

from bot import calls
from bot.calls import Call, CallTooOld, call, watch
from bot.wire import HeldBack, Unavailable, translated
from tests.bot.playground.serving import serving

NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A watched client of somebody who answers with the status and the type that are asked for."""

    async def answer(request: web.Request) -> web.Response:
        status, kind = request.path.strip("/").split("/")
        if status == "0":
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=int(status) or 200, content_type=f"text/{kind}", text="{}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with (
        serving(app) as plain,
        aiohttp.ClientSession(plain._base_url, trace_configs=[watch(aiohttp.TraceConfig())]) as watched,
    ):
        yield watched


async def asked(http: aiohttp.ClientSession, *paths: str) -> Call:
    with call() as this:
        for path in paths:
            with suppress(aiohttp.ClientError):
                async with http.post(path):
                    pass
    return this


@pytest.mark.parametrize("path", ["/502/html", "/500/json", "/400/html", "/408/json", "/0/json"])
async def test_what_may_have_been_carried_out_is_in_doubt_whatever_comes_after(
    http: aiohttp.ClientSession, path: str
) -> None:
    assert (await asked(http, path, "/403/json", NOWHERE)).in_doubt
    assert not (await asked(http, "/403/json")).in_doubt  # another call


@pytest.mark.parametrize(
    "path", ["/200/json", "/400/json", "/403/html", "/404/html", "/413/html", "/429/html", NOWHERE]
)
async def test_what_was_turned_away_is_in_no_doubt(http: aiohttp.ClientSession, path: str) -> None:
    assert not (await asked(http, path)).in_doubt


async def test_an_old_call_posts_nothing_more(http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after it was held up by a limit, or the process stood still and another one has taken over."""
    monkeypatch.setattr(calls, "LONGEST", 0.1)
    with call():
        await asyncio.sleep(0.2)
        async with http.get("/200/json") as answer:  # looking does no harm
            assert answer.status == 200
        with pytest.raises(CallTooOld):
            async with http.post("/200/json"):
                pass
    async with http.post("/200/json") as answer:
        assert answer.status == 200


async def test_whoever_calls_hears_of_the_doubt(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Unavailable) as told, translated():
        await http.post("/502/html")
        raise HeldBack
    assert told.value.in_doubt
    with pytest.raises(Unavailable) as told, translated():
        raise HeldBack
    assert not told.value.in_doubt
