"""The web server of moderators' page: finds the chapter, makes sure of the person, and serves nothing by accident."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from aiohttp import BodyPartReader, web

from bot.client import AtelierClient
from bot.config import Config
from bot.desk import Desk
from bot.page.chapters import CHAPTERS
from bot.page.findings import Linter
from bot.page.guard import Guard
from bot.page.names import Names
from bot.page.oauth import Discord, NotSignedIn
from bot.page.sessions import Session
from bot.page.signin import FRESH, RECENT, Door, check_csrf
from bot.page.visit import MEDIA_TYPES, MOST_BODY, Chapter, Route, Site, Templates, Visit
from bot.review.moderators import ONLY_MODERATORS
from bot.studio import Studio
from generation.errors import ConfigError, NotAllowed, Refusal

log = logging.getLogger(__name__)

NOT_CONFIGURED: Final = (
    "page.enabled needs the application's client secret: copy it from the developer portal (OAuth2, Reset Secret) into"
    " DISCORD_CLIENT_SECRET."
)
PART: Final = 1024  # bytes that each part of a form counts for, however small it is
NO_MODERATOR: Final = (
    "This page is for people who may manage a server in which the bot is; with this account you cannot manage this one."
)


class ModeratorsPage:
    """Serves while it is entered, if it is enabled at all."""

    def __init__(
        self,
        config: Config,
        studio: Studio,
        desk: Desk,
        client: AtelierClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = config.page
        self._secret = config.client_secret
        self._api_url = config.api_url
        self._desk, self._studio, self._client = desk, studio, client
        self._clock = clock
        self._stack = AsyncExitStack()
        self.origin = self._settings.public_url  # as browsers know it; known once it listens
        self.port = 0

    async def __aenter__(self) -> ModeratorsPage:
        if self._settings.enabled:
            if self._secret is None:
                raise ConfigError(NOT_CONFIGURED)
            async with AsyncExitStack() as stack:
                discord = await stack.enter_async_context(Discord(self._api_url, self._secret))
                names = Names(self._client.fetch_user)
                stack.push_async_callback(names.close)
                self._site = Site(self._studio, self._desk, self._client, names, Linter(), Templates())
                self._door = Door(self._client, discord, lambda: self.origin, self._clock)
                await self._listen(stack)
                self._stack = stack.pop_all()
            log.info("Moderators' page: %s/", self.origin)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _listen(self, stack: AsyncExitStack) -> None:
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        host, port = self._settings.host, self._settings.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"Moderators' page cannot listen on {host}:{port} ({error.strerror}); set page.port to another port."
            ) from error
        shown = f"[{host}]" if ":" in host else host
        self.port = runner.addresses[0][1]
        self.origin = self.origin or f"http://{shown}:{self.port}"

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=MOST_BODY)
        Guard(lambda: self.origin, self._tell).protect(app)
        self._door.add_routes(app)
        app.router.add_get("/", self._front)
        app.router.add_get("/static/{name}", self._static)
        for chapter in CHAPTERS:
            for route in chapter.routes:
                path = f"/servers/{{guild:[0-9]{{1,20}}}}{f'/{chapter.slug}' if chapter.slug else ''}{route.path}"
                app.router.add_route(route.method, path, self._in_server(chapter, route))
                if route.method == "GET":
                    app.router.add_route("HEAD", path, self._in_server(chapter, route))
        return app

    # -- chapters ----------------------------------------------------------------------------------------------------

    def _in_server(self, chapter: Chapter, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The route behind its checks: signed in, the form our own, a moderator of the server by Discord's word."""

        async def handle(request: web.Request) -> web.StreamResponse:
            session = self._door.session(request)
            if session is None:
                return await self._signed_out(request)
            changes = route.method != "GET"
            form, files = await _form(request, route.most) if changes else ({}, {})
            if changes:
                check_csrf(session, request.headers.get("X-CSRF-Token") or form.get("csrf"))
            try:
                await self._door.servers(session, most_seconds=FRESH if changes else RECENT)
            except NotSignedIn:
                self._door.sessions.close(session)
                return await self._signed_out(request)
            guild_id = int(request.match_info["guild"])
            guild = self._client.get_guild(guild_id)
            if guild_id not in session.servers or guild is None:
                raise NotAllowed(NO_MODERATOR)
            if chapter.deciding and guild_id not in session.rights.moderated:
                raise NotAllowed(ONLY_MODERATORS)
            visit = Visit(self._site, request, session, guild, chapter, CHAPTERS, form, files)
            return await _carried_out(visit, route)

        return handle

    async def _signed_out(self, request: web.Request) -> web.Response:
        if request.method in ("GET", "HEAD"):
            return web.Response(status=303, headers={"Location": "/"})
        return await self._tell(request, 401, "You are signed out by now; please sign in and send it again.")

    async def _front(self, request: web.Request) -> web.Response:
        session = self._door.session(request)
        try:
            servers = {} if session is None else await self._servers(session)
        except NotSignedIn:
            assert session is not None, "only a session can be given up"
            self._door.sessions.close(session)
            session, servers = None, {}
        if session is not None and len(servers) == 1 and session.note is None:
            return web.Response(status=303, headers={"Location": f"/servers/{next(iter(servers))}"})
        return await self._site.templates.page("front.html", {"session": session, "servers": servers})

    async def _servers(self, session: Session) -> dict[int, str]:
        await self._door.servers(session, most_seconds=RECENT)
        return {key: name for key, name in session.servers.items() if self._client.get_guild(key) is not None}

    async def _static(self, request: web.Request) -> web.Response:
        content = self._site.templates.files.get(request.match_info["name"])
        if content is None:
            raise web.HTTPNotFound()
        media_type = MEDIA_TYPES[Path(request.match_info["name"]).suffix]
        return web.Response(body=content, content_type=media_type, headers={"Cache-Control": "max-age=86400"})

    async def _tell(self, request: web.Request, status: int, sentence: str) -> web.Response:
        """An error as a page, or as JSON to a script; it says what to do and never why it happened."""
        if request.headers.get("Accept", "").startswith("application/json"):
            return web.json_response({"error": sentence}, status=status)
        return await self._site.templates.page("error.html", {"sentence": sentence, "status": status}, code=status)


async def _carried_out(visit: Visit, route: Route) -> web.StreamResponse:
    try:
        return await route.answer(visit)
    except Refusal as refusal:
        is_form = route.method == "POST" and not visit.request.headers.get("Accept", "").startswith("application/json")
        if not is_form:
            raise
        return visit.refused(refusal.sentence)


async def _form(request: web.Request, most: int) -> tuple[dict[str, str], dict[str, bytes]]:
    """The text fields of a form, or those of a script's JSON object, and files where `most` leaves room for them."""
    if request.content_type == "application/json":
        try:
            given = await request.json()
        except (ValueError, RecursionError) as error:
            raise web.HTTPBadRequest() from error
        given = given if isinstance(given, dict) else {}
    elif request.content_type == "application/x-www-form-urlencoded":
        given = dict(await request.post())
    elif request.content_type == "multipart/form-data" and most > MOST_BODY:
        return await _parts(request, most)
    else:
        raise web.HTTPUnsupportedMediaType()
    return {str(name): value for name, value in given.items() if isinstance(value, str)}, {}


async def _parts(request: web.Request, most: int) -> tuple[dict[str, str], dict[str, bytes]]:
    """A form with files, held in memory alone; raises HTTPBadRequest, or HTTPRequestEntityTooLarge above `most`."""
    fields, files, size = dict[str, str](), dict[str, bytes](), 0
    try:
        async for part in await request.clone(client_max_size=most).multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise web.HTTPBadRequest()
            content = bytearray()
            while chunk := await part.read_chunk():
                content += chunk
                size += len(chunk)
                if size > most:
                    raise web.HTTPRequestEntityTooLarge(most, size)
            size += PART
            if part.filename is None:
                fields[part.name] = content.decode()
            else:
                files[part.name] = bytes(content)
    except ValueError as error:
        raise web.HTTPBadRequest() from error
    return fields, files
