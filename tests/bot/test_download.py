"""Attachments: only from Discord's file hosts, never redirected, never more than allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.config import DISCORD_API
from bot.download import Download
from generation.errors import BadRequest
from generation.intake import MAX_BYTES


@pytest.fixture
async def host() -> AsyncIterator[str]:
    async def small(_: web.Request) -> web.Response:
        return web.Response(body=b"picture")

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=bytes(MAX_BYTES + 1))

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 20))

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("/small")

    app = web.Application()
    for name, handler in (("small", small), ("large", large), ("endless", endless), ("elsewhere", elsewhere)):
        app.router.add_get(f"/{name}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_file_of_the_local_discord_is_fetched(host: str) -> None:
    download = Download(f"{host}/api/v10")
    assert await download.fetch(f"{host}/small") == b"picture"
    await download.close()


@pytest.mark.parametrize("path", ["large", "endless", "elsewhere", "missing"])
async def test_what_is_not_a_plain_small_file_is_refused(host: str, path: str) -> None:
    download = Download(f"{host}/api/v10")
    with pytest.raises(BadRequest, match=r"MiB|fetched"):
        await download.fetch(f"{host}/{path}")
    await download.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com.evil.example/a.png",
        "https://cdn.discordapp.com@evil.example/a.png",
        "https://cdn.discordapp.com:8443/a.png",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://[broken",
        "",
    ],
)
async def test_other_hosts_are_never_asked(url: str) -> None:
    with pytest.raises(BadRequest, match="could not be fetched"):
        await Download(DISCORD_API).fetch(url)


async def test_a_closed_host_is_a_sentence() -> None:
    download = Download("http://127.0.0.1:9/api/v10")
    with pytest.raises(BadRequest, match="could not be fetched"):
        await download.fetch("http://127.0.0.1:9/a.png")
    await download.close()
