"""How REST routes are declared, who may call them, and how their bodies are read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.playground import ids
from bot.playground.bodies import Body, UnreadableBodyError, read_body
from bot.playground.documents import ApiError, respond, snowflake, too_large, unauthorized
from bot.playground.parts import Parts

PREFIX = "/api/v10"

CALLER = web.RequestKey("caller", int)  # who asks: the bot, or a person by Bearer token

_DIGITS = re.compile(r"[0-9]{1,9}")

Answer = Callable[[Parts, web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Adds routes below the API's prefix. All but those of interaction tokens ask for the bot's token.

    Those with a `scope` also take the Bearer token of a person who gave it.
    """

    def __init__(self, app: web.Application, parts: Parts) -> None:
        self._app = app
        self._parts = parts

    def add(self, method: str, path: str, answer: Answer, *, is_open: bool = False, scope: str = "") -> None:
        """Declares one route."""
        parts = self._parts

        async def handle(request: web.Request) -> web.StreamResponse:
            if not is_open:
                request[CALLER] = _caller(parts, request, scope)
            return await answer(parts, request)

        self._app.router.add_route(method, PREFIX + path, handle)

    def close(self) -> None:
        """Whatever is not declared does not exist."""

        async def nothing(_: web.Request) -> web.Response:
            return respond({"message": "404: Not Found", "code": 0}, 404)

        self._app.router.add_route("*", "/api/{rest:.*}", nothing)


def _caller(parts: Parts, request: web.Request, scope: str) -> int:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bot" and parts.world.token_is_valid(token):
        return ids.BOT_ID
    person_id = parts.signing_in.bearer(token, scope) if scheme == "Bearer" and scope else None
    if person_id is None:
        raise unauthorized()
    return person_id


async def body_of(request: web.Request) -> Body:
    """JSON or multipart. Raises `ApiError` 50109 or 40005."""
    try:
        return await read_body(request)
    except UnreadableBodyError as error:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large() from error


def number(request: web.Request, name: str) -> int:
    """An id in the path. Raises `ApiError` 50035."""
    return _snowflake(name, request.match_info[name])


def bound(request: web.Request, name: str, default: int = 0) -> int:
    """An id in the query. Raises `ApiError` 50035."""
    return _snowflake(name, request.query[name]) if name in request.query else default


def wants(request: web.Request, name: str) -> bool:
    """A truth value in the query, as clients write them."""
    return request.query.get(name, "").lower() in ("1", "true")


def limit(request: web.Request, default: int, most: int) -> int:
    """The query's `limit`. Raises `ApiError` 50035."""
    text = request.query.get("limit", str(default))
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= most:
        problem = {"_errors": [{"code": "NUMBER_TYPE_MAX", "message": f"int value should be between 1 and {most}."}]}
        raise ApiError(400, 50035, "Invalid Form Body", {"limit": problem})
    return int(text)


def _snowflake(name: str, text: str) -> int:
    found = snowflake(text)
    if found is None:
        problem = {"_errors": [{"code": "NUMBER_TYPE_COERCE", "message": f'Value "{text[:40]}" is not snowflake.'}]}
        raise ApiError(400, 50035, "Invalid Form Body", {name: problem})
    return found
