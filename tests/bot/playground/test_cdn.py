"""The CDN over real HTTP: signed, expiring, and harmless to a page on the same origin."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from bot.playground.cdn import LIFETIME, Cdn
from bot.playground.clock import Clock
from tests.bot.playground.serving import serving

FILES = {
    1: (b"\x89PNG", "image/png"),
    2: (b"<svg onload='alert(1)'/>", "image/svg+xml"),
    3: (b"<script>alert(1)</script>", "text/html"),
}


def cdn_app(clock: Clock, lifetime: float = LIFETIME) -> tuple[Cdn, web.Application]:
    cdn = Cdn(clock, FILES.get, lifetime=lifetime)
    app = web.Application()
    cdn.add_routes(app)
    return cdn, app


async def test_a_signed_url_is_served_until_it_expires() -> None:
    clock = Clock()
    cdn, app = cdn_app(clock)
    async with serving(app) as client:
        url = cdn.sign(7, 1, "picture.png")
        response = await client.get(url)
        assert (response.status, await response.read()) == (200, b"\x89PNG")
        assert response.headers["Content-Type"] == "image/png"
        query = parse_qs(urlsplit(url).query)
        assert int(query["ex"][0], 16) - int(query["is"][0], 16) == 24 * 3600
        assert len(query["hm"][0]) == 64
        clock.advance(24 * 3600 + 1)
        gone = await client.get(url)
        assert (gone.status, await gone.text()) == (404, "This content is no longer available.")
        assert gone.headers["Content-Type"].startswith("text/plain")
        assert (await client.get(cdn.sign(7, 1, "picture.png"))).status == 200


async def test_the_lifetime_can_be_set() -> None:
    clock = Clock()
    cdn, app = cdn_app(clock, lifetime=60)
    async with serving(app) as client:
        url = cdn.sign(7, 1, "picture.png")
        clock.advance(58)
        assert (await client.get(url)).status == 200
        clock.advance(2)
        assert (await client.get(url)).status == 404


@pytest.mark.parametrize(
    ("old", "new"),
    [("hm=", "hm=0"), ("ex=", "ex=f"), ("/7/1/", "/7/3/"), ("/7/", "/8/"), ("picture.png", "page.html"), ("?", "?x=")],
)
async def test_a_forged_url_is_not_served(old: str, new: str) -> None:
    cdn, app = cdn_app(Clock())
    async with serving(app) as client:
        forged = cdn.sign(7, 1, "picture.png").replace(old, new, 1)
        assert (await client.get(forged)).status == 404


@pytest.mark.parametrize("query", ["", "?ex=zz&is=&hm=", "?hm=%ff%fe", "?ex=1&is=1&hm=%F0%9F%8E%A8"])
async def test_rubbish_in_place_of_a_signature(query: str) -> None:
    _, app = cdn_app(Clock())
    async with serving(app) as client:
        assert (await client.get(f"/cdn/attachments/7/1/picture.png{query}")).status == 404


async def test_an_attachment_that_was_deleted_is_gone() -> None:
    cdn, app = cdn_app(Clock())
    async with serving(app) as client:
        assert (await client.get(cdn.sign(7, 99, "picture.png"))).status == 404


@pytest.mark.parametrize("attachment_id", [2, 3])
async def test_nothing_that_could_run_is_shown(attachment_id: int) -> None:
    cdn, app = cdn_app(Clock())
    async with serving(app) as client:
        response = await client.get(cdn.sign(7, attachment_id, "x.png"))
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("filename", ["a b&c?.png", "дом.png", 'q"uote;.png', "ne\r\nw.png", "..%2f.png"])
async def test_odd_file_names_survive(filename: str) -> None:
    cdn, app = cdn_app(Clock())
    async with serving(app) as client:
        response = await client.get(cdn.sign(7, 1, filename))
        assert response.status == 200
        assert response.content_disposition is not None
        assert response.content_disposition.filename == filename
