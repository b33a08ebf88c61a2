"""What other web sites cannot do: foreign names, foreign origins, and what the page may load."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.playground import ids
from bot.playground.guard import Guard
from tests.bot.playground.raw_discord import RawDiscord, raw_discord
from tests.bot.playground.serving import serving


@pytest.fixture
async def discord() -> AsyncIterator[RawDiscord]:
    async with raw_discord() as served:
        yield served


async def ask(discord: RawDiscord, path: str = "/client/state", method: str = "GET", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as http, http.request(method, discord.origin + path, headers=named) as response:
        await response.read()
        return response.status


@pytest.mark.parametrize("path", ["/", "/client/state", "/api/v10/gateway", "/gateway", "/cdn/attachments/1/2/a.png"])
async def test_foreign_names_are_not_answered(discord: RawDiscord, path: str) -> None:
    assert await ask(discord, path, Host="evil.example") == 421
    assert await ask(discord, path, Host="127.0.0.1.evil.example:8080") == 421


async def test_own_names_are(discord: RawDiscord) -> None:
    port = discord.origin.rpartition(":")[2]
    for name in ("127.0.0.1", "localhost", "[::1]", "LOCALHOST"):
        assert await ask(discord, Host=f"{name}:{port}") == 200


async def test_foreign_origins(discord: RawDiscord) -> None:
    port = discord.origin.rpartition(":")[2]
    interactions = "/client/interactions"
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{int(port) + 1}", "http://localhost"):
        assert await ask(discord, interactions, "POST", Origin=origin) == 403
        assert await ask(discord, "/client/events", Origin=origin) == 403
        assert await ask(discord, "/gateway", Origin=origin) == 403
    assert await ask(discord, interactions, "POST", Origin=discord.origin) == 400
    assert await ask(discord, Sec_Fetch_Site="cross-site") == 403
    assert await ask(discord, Sec_Fetch_Site="same-origin") == 200
    assert await ask(discord, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") == 200


async def test_the_page_and_what_it_may_load(discord: RawDiscord) -> None:
    async with aiohttp.ClientSession() as http, http.get(discord.origin) as response:
        assert response.content_type == "text/html"
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert await ask(discord, "/js/main.js") == 200
    outside = ("/js/../../server.py", "/js/..%2F..%2Fserver.py", "/../guard.py")
    for path in (*outside, "/js/none.js", "/js/", "/control/clock"):
        assert await ask(discord, path) == 404


async def test_what_a_message_brings_cannot_run(discord: RawDiscord) -> None:
    files = {
        "files[0]": ("page.html", b"<script>alert(1)</script>"),
        "files[1]": ("a.svg", b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>"),
        "files[2]": ("really.png", b"<svg onload='alert(1)'/>"),
    }
    sent = (await discord.api("POST", f"/channels/{ids.ART_ID}/messages", {}, files)).document
    for attachment in sent["attachments"]:
        assert "width" not in attachment
        async with aiohttp.ClientSession() as http, http.get(attachment["url"]) as response:
            assert response.content_type == "application/octet-stream"
            assert response.headers["Content-Disposition"].startswith("attachment")
            assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_an_open_server_answers_to_numbers_and_its_own_name_only() -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application(middlewares=[Guard("0.0.0.0").middleware])
    app.router.add_get("/", hello)
    async with serving(app) as http:
        for name, status in (("192.168.1.5:8080", 200), ("evil.example", 421), ("[fe80::1]:80", 200)):
            async with http.get("/", headers={"Host": name}) as response:
                assert response.status == status
