"""A record of what the bot asked of the API and what it was answered, for a test that compares it with a document."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.playground.bodies import BODY, UnreadableBodyError, read_body
from bot.playground.buckets import api_path
from bot.playground.clock import Clock
from bot.playground.control.faults import FAULT

KEPT = 5_000


class Exchanges:
    """The latest requests to the API with their responses; multipart bodies are decoded, files only described."""

    def __init__(self, clock: Clock, *, kept: int = KEPT) -> None:
        self._clock = clock
        self._exchanges: deque[dict[str, Any]] = deque(maxlen=kept)
        self._count = 0

    def since(self, number: int = 0) -> list[dict[str, Any]]:
        """Every kept exchange with a greater number, oldest first."""
        return [exchange for exchange in self._exchanges if exchange["number"] > number]

    def clear(self) -> None:
        """Forgets what was recorded; the numbers go on."""
        self._exchanges.clear()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For the application's list of middlewares, as the first, so that it sees what the client sees."""
        path = api_path(request.path)
        if path is None:
            return await handler(request)
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            await self._record(request, path, refusal)
            raise
        except Exception:  # a fault of this server, which aiohttp answers with 500: the record shows it too
            await self._record(request, path, web.HTTPInternalServerError())
            raise
        await self._record(request, path, response)
        return response

    async def _record(self, request: web.Request, path: str, response: web.StreamResponse | web.HTTPException) -> None:
        payload, files = await _asked(request)
        resource = request.match_info.route.resource
        self._count += 1
        self._exchanges.append(
            {
                "number": self._count,
                "at": self._clock.now(),
                "method": request.method,
                "path": path,
                "route": api_path(resource.canonical) if resource else None,
                "query": dict(request.query),
                "request": payload,
                "files": files,
                "status": response.status,
                "scope": response.headers.get("X-RateLimit-Scope"),
                "response": _answered(response),
                "fault": request.get(FAULT),
            }
        )


async def _asked(request: web.Request) -> tuple[Any, list[dict[str, Any]]]:
    if FAULT in request and BODY not in request:
        return None, []
    try:
        body = await read_body(request)
    except (UnreadableBodyError, web.HTTPRequestEntityTooLarge):
        # The answer to it is worth recording all the same.
        return None, []
    described = [{"field": file.field, "filename": file.filename, "size": len(file.content)} for file in body.files]
    return body.payload, described


def _answered(response: web.StreamResponse | web.HTTPException) -> Any:
    content = response.body if isinstance(response, web.Response) else None
    if not isinstance(content, bytes) or response.content_type != "application/json":
        return None
    return json.loads(content)
