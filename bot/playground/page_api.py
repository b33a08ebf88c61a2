"""The page's own interface: one person's Discord client over HTTP and a WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from bot.playground.documents import ApiError, Json, no_content, respond, snowflake
from bot.playground.persons import Persons
from bot.playground.rest.routes import body_of, limit, number
from bot.playground.screens import Screens

PAGE = Path(__file__).parent / "page"
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Answer = Callable[[web.Request, int], Awaitable[web.StreamResponse]]


class PageApi:
    """Routes under /client, and the page's files at /."""

    def __init__(self, persons: Persons, screens: Screens) -> None:
        self._persons = persons
        self._screens = screens

    def add_routes(self, app: web.Application) -> None:
        """Every call says by `as` whose client it is."""
        channel = "/client/channels/{channel:\\d+}/messages"
        routes: list[tuple[str, str, Answer]] = [
            ("GET", "/client/state", self._state),
            ("GET", channel, self._history),
            ("POST", channel, self._post),
            ("DELETE", f"{channel}/{{message:\\d+}}", self._delete),
            ("POST", "/client/uploads", self._upload),
            ("POST", "/client/interactions", self._interact),
            ("GET", "/client/events", self._screens.serve),
        ]
        for method, path, answer in routes:
            app.router.add_route(method, path, self._as_person(answer))
        app.router.add_get("/", _file)
        app.router.add_get("/{path:(?:css|js)/[\\w.\\-]+|[\\w\\-]+\\.(?:svg|html)}", _file)

    def _as_person(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            given = request.query.get("as")
            person_id = snowflake(given)
            if given and person_id is None:
                raise ApiError(400, 0, "There is no such person.")
            return await answer(request, self._persons.person(person_id))

        return handle

    async def _state(self, _: web.Request, person_id: int) -> web.Response:
        return respond(self._persons.state(person_id))

    async def _history(self, request: web.Request, person_id: int) -> web.Response:
        before = snowflake(request.query.get("before"))
        most = limit(request, 50, 100)
        return respond(self._persons.messages(person_id, number(request, "channel"), most, before))

    async def _post(self, request: web.Request, person_id: int) -> web.Response:
        body = await body_of(request)
        payload: Json = body.payload if isinstance(body.payload, dict) else {}
        return respond(self._persons.post(person_id, number(request, "channel"), payload, body.files))

    async def _delete(self, request: web.Request, person_id: int) -> web.Response:
        self._persons.delete(person_id, number(request, "channel"), number(request, "message"))
        return no_content()

    async def _upload(self, request: web.Request, person_id: int) -> web.Response:
        files = (await body_of(request)).files
        if len(files) != 1:
            raise ApiError(400, 0, "Upload one file at a time.")
        return respond(self._persons.upload(person_id, files[0].filename, files[0].content))

    async def _interact(self, request: web.Request, person_id: int) -> web.Response:
        payload = (await body_of(request)).payload
        if not isinstance(payload, dict):
            raise ApiError(400, 0, "An interaction is an object.")
        answer = await self._persons.interact(person_id, payload)
        return respond(answer, 200 if "choices" in answer else 202)


async def _file(request: web.Request) -> web.StreamResponse:
    """A file of the page; the route lets nothing but plain names through."""
    path = PAGE / (request.match_info.get("path") or "index.html")
    if not path.is_file():
        return web.Response(status=404, text="There is nothing here.")
    headers = {"Content-Type": f"{MEDIA_TYPES[path.suffix]}; charset=utf-8", "Cache-Control": "no-cache"}
    return web.FileResponse(path, headers=headers)
