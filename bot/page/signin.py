"""The door: signing in by way of Discord and out again."""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.client import AtelierClient
from bot.page.oauth import Discord, Unreachable
from bot.page.sessions import LONGEST, Session, Sessions
from generation.errors import BadRequest, NotAllowed
from generation.limits import Allowance, charge

log = logging.getLogger(__name__)

PATH: Final = "/sign-in"
RETURN: Final = f"{PATH}/return"
UNDER_WAY: Final = 10 * 60.0  # seconds between leaving for Discord and coming back
MOST_UNDER_WAY: Final = 500
PACE: Final = Allowance(burst=20, per_hour=600, daily=0, waiting=0)  # sign-ins of one address
FRESH: Final = 60.0  # seconds; what a person may do is at most so old when they change something
RECENT: Final = 300.0  # the same when they only look
NOTHING_HERE: Final = (
    "You are signed in at Discord, but this page is for people who may manage a server in which the bot is. That means"
    " having Discord's permission “Manage Server” there; somebody who has it can give it to you."
)


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Somebody who is at Discord right now."""

    browser: str  # what their cookie must hold when they come back
    verifier: str
    until: float


class Door:
    """Sign-in, sign-out, and who is inside."""

    def __init__(
        self, client: AtelierClient, discord: Discord, origin: Callable[[], str], clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._discord = discord
        self._origin = origin
        self._clock = clock
        self._leaving: dict[str, _Leaving] = {}
        self._paces: dict[str, float] = {}
        self.sessions = Sessions(clock)

    def add_routes(self, app: web.Application) -> None:
        """The three paths of the door."""
        app.router.add_get(PATH, self._leave)
        app.router.add_get(RETURN, self._come_back)
        app.router.add_post("/sign-out", self._sign_out)

    def session(self, request: web.Request) -> Session | None:
        """Whose session the browser shows, while it holds."""
        session_id = request.cookies.get(self._cookie("session"))
        return self.sessions.find(session_id) if session_id else None

    async def servers(self, session: Session, *, most_seconds: float) -> None:
        """Ask Discord again what the person may manage, unless that was done within `most_seconds`.

        Raises a Refusal when Discord does not say; who cannot be asked about may do nothing.
        """
        if self._clock() - session.checked > most_seconds:
            session.rights = await self._discord.rights(session.token)
            session.checked = self._clock()

    # -- out to Discord and back -------------------------------------------------------------------------------------

    async def _leave(self, request: web.Request) -> web.Response:
        self._count(request.remote or "")
        state, browser, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        self._forget_late(self._clock())
        self._leaving[state] = _Leaving(browser, verifier, self._clock() + UNDER_WAY)
        there = self._discord.consent_url(self._application_id, self._origin() + RETURN, state, challenge)
        response = web.Response(status=303, headers={"Location": there})
        self._set(response, "leaving", browser, UNDER_WAY)
        return response

    async def _come_back(self, request: web.Request) -> web.Response:
        self._count(request.remote or "")
        leaving = self._leaving.pop(request.query.get("state", ""), None)
        browser = request.cookies.get(self._cookie("leaving"), "")
        if (
            leaving is None
            or self._clock() > leaving.until
            or not secrets.compare_digest(leaving.browser.encode(), browser.encode(errors="replace"))
        ):
            raise BadRequest("That sign-in was not started here, or is too old; please sign in again.")
        if request.query.get("iss", self._discord.origin) != self._discord.origin:
            raise BadRequest("That answer did not come from Discord; please sign in again.")
        if "error" in request.query or not request.query.get("code"):
            raise NotAllowed("You have not signed in; without that there is nothing to see here.")
        redirect = self._origin() + RETURN
        token = await self._discord.exchange(self._application_id, redirect, request.query["code"], leaving.verifier)
        person = await self._discord.person(token)
        rights = await self._discord.rights(token)
        if not any(self._client.get_guild(server) for server in rights.servers):
            await self._discord.revoke(self._application_id, token)
            raise NotAllowed(NOTHING_HERE)  # no session: whoever likes could fill the room otherwise
        if (former := self.session(request)) is not None:
            self.sessions.close(former)
        session_id, session = self.sessions.open(person, token)
        session.rights, session.checked = rights, self._clock()
        response = web.Response(status=303, headers={"Location": "/"})
        self._set(response, "leaving", "", 0)
        self._set(response, "session", session_id, LONGEST)
        return response

    async def _sign_out(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is not None:
            check_csrf(session, dict(await request.post()).get("csrf"))
            self.sessions.close(session)
            await self._discord.revoke(self._application_id, session.token)
        response = web.Response(status=303, headers={"Location": "/"})
        self._set(response, "session", "", 0)
        return response

    # ----------------------------------------------------------------------------------------------------------------

    @property
    def _application_id(self) -> int:
        application_id = self._client.application_id
        if application_id is None:
            raise Unreachable("The bot is not connected to Discord yet; please try again in a moment.")
        return application_id

    def _cookie(self, name: str) -> str:
        """With TLS a name that browsers take from nobody but this very host."""
        return f"{'__Host-' if self._is_secure else ''}atelier-{name}"

    @property
    def _is_secure(self) -> bool:
        return self._origin().startswith("https://")

    def _set(self, response: web.Response, name: str, value: str, seconds: float) -> None:
        response.set_cookie(
            self._cookie(name),
            value,
            max_age=int(seconds),
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._is_secure,
        )

    def _count(self, address: str) -> None:
        """Raises a Refusal when sign-ins from one address come too fast."""
        now = self._clock()
        asked = charge(self._paces.get(address, 0.0), 1.0, now, PACE)
        if not asked.affordable:
            raise web.HTTPTooManyRequests()
        self._paces = {each: tat for each, tat in self._paces.items() if tat > now} | {address: asked.tat}

    def _forget_late(self, now: float) -> None:
        self._leaving = {state: each for state, each in self._leaving.items() if each.until > now}
        while len(self._leaving) >= MOST_UNDER_WAY:
            del self._leaving[next(iter(self._leaving))]


def check_csrf(session: Session, given: object) -> None:
    """Raises NotAllowed unless the form, or the script, holds the token of this session."""
    if not isinstance(given, str) or not secrets.compare_digest(session.csrf.encode(), given.encode(errors="replace")):
        raise NotAllowed("This form is too old; please go back, reload the page and send it again.")
