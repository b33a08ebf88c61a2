"""Moderators' page before a real bot on a real local Discord, and browsers without a screen that sign in there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.page.server import ModeratorsPage
from bot.playground import ids
from tests.bot.town import Bot, Town, open_bot, open_town
from tests.painter import Painter

HOME = f"/servers/{ids.GUILD_ID}"


@dataclass
class Watch:
    """A clock that a test moves."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Seen:
    """An answer, read to its end."""

    status: int
    headers: Any
    text: str
    data: bytes = field(repr=False)


class Browser:
    """One person's browser: cookies, redirects by hand, and the forms' own tokens."""

    def __init__(self, origin: str, http: aiohttp.ClientSession) -> None:
        self.origin = origin
        self.http = http
        self.csrf = ""

    async def get(self, path: str, **headers: str) -> Seen:
        return await self._ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def post(self, path: str, *, origin: str | None = "", csrf: str | None = "", **fields: str) -> Seen:
        """Send a form from the page itself; what is wrong on purpose is said by `origin` and `csrf`."""
        token = self.csrf if csrf == "" else csrf
        data = fields | ({"csrf": token} if token is not None else {})
        headers = {} if origin is None else {"Origin": origin or self.origin}
        return await self._ask("POST", path, data=data, headers=headers)

    async def sign_in(self, person: int) -> Seen:
        """All the way: the door, the local Discord's consent, and back."""
        there = await self.get("/sign-in")
        assert there.status == 303, there.text
        return await self.get(await self.consent(there.headers["Location"], person))

    async def consent(self, address: str, person: int | None) -> str:
        """Choose who to be (None: go back); returns the address that Discord sends the browser to."""
        async with self.http.get(address) as response:
            text = await response.text()
            assert response.status == 200, text
        ticket = re.search(r'name="ticket" value="([^"]+)"', text)
        assert ticket is not None, text
        origin = address.partition("/oauth2")[0]
        data = {"ticket": ticket[1], "person": "" if person is None else str(person)}
        async with self.http.post(
            f"{origin}/oauth2/authorize", data=data, headers={"Origin": origin}, allow_redirects=False
        ) as response:
            assert response.status == 303, await response.text()
            return response.headers["Location"]

    async def at_home(self, person: int) -> Browser:
        """Signed in, with the token of the forms read from the page."""
        assert (await self.sign_in(person)).status == 303
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(HOME)).text)
        assert found is not None
        self.csrf = found[1]
        return self

    async def _ask(self, method: str, path: str, **given: Any) -> Seen:
        address = path if "://" in path else self.origin + path
        async with self.http.request(method, address, allow_redirects=False, **given) as response:
            data = await response.read()
            return Seen(response.status, response.headers, data.decode(errors="replace"), data)


@dataclass
class Office:
    """The page and what stands behind it."""

    page: ModeratorsPage
    bot: Bot
    town: Town
    watch: Watch

    @property
    def origin(self) -> str:
        return self.page.origin

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """A fresh browser."""
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            yield Browser(self.origin, http)

    @asynccontextmanager
    async def moderator(self, person: int = ids.MILO_ID) -> AsyncIterator[Browser]:
        """A browser of somebody who is signed in."""
        async with self.browser() as browser:
            yield await browser.at_home(person)


@asynccontextmanager
async def open_office(folder: Path, painter: Painter | None = None, **page: Any) -> AsyncIterator[Office]:
    """The page, its bot and the local Discord, on free ports."""
    watch = Watch()
    settings = {"enabled": True, "port": 0, **page}
    async with (
        open_town(folder) as town,
        open_bot(town, folder, painter, page=settings, client_secret=town.client_secret) as bot,
        ModeratorsPage(bot.house.studio.config, bot.house.studio, bot.house.desk, bot.client, clock=watch) as server,
    ):
        yield Office(server, bot, town, watch)
