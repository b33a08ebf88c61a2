"""Rate limits over real HTTP: windows on the clock, Discord's headers, its 429, and what discord.py makes of them."""

from __future__ import annotations

import io
import time

import aiohttp
import discord
import pytest
from aiohttp import web

from bot.playground.buckets import Buckets, find_route
from bot.playground.clock import Clock
from tests.bot.playground.gateway_world import json_response
from tests.bot.playground.serving import serving

HEADERS = {f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset", "Reset-After", "Bucket")}
MESSAGES = "/api/v10/channels/100000/messages"
BOT = {"Authorization": "Bot MQ.x.y"}


def limited_app(clock: Clock) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/missing"):
            raise web.HTTPNotFound
        return json_response({"ok": True})

    app = web.Application(middlewares=[Buckets(clock).middleware], client_max_size=2**25)
    app.router.add_route("*", "/{path:.*}", answer)
    return app


async def test_the_sixth_message_in_five_seconds_is_too_many() -> None:
    clock = Clock()
    async with serving(limited_app(clock)) as client:
        for left in (4, 3, 2, 1, 0):
            response = await client.post(MESSAGES, headers=BOT)
            assert (response.status, response.headers["X-RateLimit-Remaining"]) == (200, str(left))
            assert response.headers.keys() >= HEADERS
            assert 0 < float(response.headers["X-RateLimit-Reset-After"]) <= 5
            assert abs(float(response.headers["X-RateLimit-Reset"]) - clock.now() - 5) < 1
        refused = await client.post(MESSAGES, headers=BOT)
        body = await refused.json()
        assert refused.status == 429
        assert refused.headers["Content-Type"] == "application/json"
        assert refused.headers["Via"]
        assert refused.headers["X-RateLimit-Scope"] == "user"
        assert refused.headers["Retry-After"] == "5"
        assert body["message"] == "You are being rate limited."
        assert body["global"] is False
        assert 0 < body["retry_after"] <= 5
        clock.advance(body["retry_after"])
        assert (await client.post(MESSAGES, headers=BOT)).status == 200


async def test_every_channel_has_its_own_window_of_one_bucket() -> None:
    async with serving(limited_app(Clock())) as client:
        first = [await client.post(MESSAGES, headers=BOT) for _ in range(5)][-1]
        other = await client.post("/api/v10/channels/200000/messages", headers=BOT)
        assert other.headers["X-RateLimit-Remaining"] == "4"
        assert other.headers["X-RateLimit-Bucket"] == first.headers["X-RateLimit-Bucket"]
        edit = await client.patch(f"{MESSAGES}/300000", headers=BOT)
        assert edit.headers["X-RateLimit-Bucket"] != first.headers["X-RateLimit-Bucket"]


async def test_webhook_routes_count_per_token() -> None:
    async with serving(limited_app(Clock())) as client:
        path = "/api/v10/webhooks/900000/{}/messages/@original"
        statuses = [(await client.patch(path.format("aaa"))).status for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        assert (await client.patch(path.format("bbb"))).headers["X-RateLimit-Remaining"] == "4"


async def test_the_answer_to_an_interaction_has_no_limit_and_no_headers() -> None:
    async with serving(limited_app(Clock())) as client:
        for number in range(120):
            response = await client.post(f"/api/v10/interactions/{number}/token/callback")
            assert response.status == 200
            assert not any(name.startswith("X-RateLimit") for name in response.headers)


async def test_fifty_requests_a_second_are_the_most_for_one_bot() -> None:
    clock = Clock()
    async with serving(limited_app(clock)) as client:
        for number in range(50):
            assert (await client.get(f"/api/v10/channels/{100000 + number}", headers=BOT)).status == 200
        refused = await client.get("/api/v10/channels/99999", headers=BOT)
        body = await refused.json()
        assert (refused.status, body["global"], refused.headers["X-RateLimit-Global"]) == (429, True, "true")
        assert refused.headers["X-RateLimit-Scope"] == "global"
        assert (await client.patch("/api/v10/webhooks/9/t/messages/@original", headers=BOT)).status == 200
        assert (await client.get("/api/v10/channels/99999", headers={"Authorization": "Bot other"})).status == 200
        clock.advance(1)
        assert (await client.get("/api/v10/channels/99999", headers=BOT)).status == 200


async def test_errors_carry_the_headers_and_other_paths_do_not() -> None:
    async with serving(limited_app(Clock())) as client:
        missing = await client.get("/api/v10/missing", headers=BOT)
        assert missing.status == 404
        assert missing.headers.keys() >= HEADERS
        for _ in range(60):
            page = await client.get("/client/state")
            assert page.status == 200
        assert not any(name.startswith("X-RateLimit") for name in page.headers)


async def test_a_large_upload_over_the_limit_still_gets_its_answer() -> None:
    async with serving(limited_app(Clock())) as client:
        for _ in range(6):
            form = aiohttp.FormData()
            form.add_field("files[0]", io.BytesIO(b"x" * 8_000_000), filename="a.png")
            response = await client.post(MESSAGES, headers=BOT, data=form)
        assert response.status == 429
        assert (await response.json())["retry_after"] > 0


def test_unlisted_routes_share_a_bucket_by_shape() -> None:
    one, two = find_route("GET", "/guilds/111111/members/222222"), find_route("GET", "/guilds/333333/members/444444")
    assert one.bucket == two.bucket
    assert (one.major, two.major) == ("111111", "333333")
    assert find_route("GET", "/users/@me").bucket != find_route("GET", "/users/222222").bucket


async def test_discord_py_waits_instead_of_running_into_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int] = []

    @web.middleware
    async def watch(request: web.Request, handler: object) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]
        answers.append(response.status)
        return response

    app = limited_app(Clock())
    app.middlewares.insert(0, watch)
    async with serving(app) as client:
        assert client._base_url is not None
        monkeypatch.setattr(discord.http.Route, "BASE", str(client._base_url / "api/v10"))
        async with discord.Client(intents=discord.Intents.none()) as bot:
            await bot.http.static_login("MQ.x.y")
            started = time.monotonic()
            for _ in range(7):
                await bot.http.delete_message(100000, 5)
            assert time.monotonic() - started > 0.9
    assert 429 not in answers
