"""Answering interactions: the callback, the original response, follow-ups. The token in the path is the key."""

from __future__ import annotations

from aiohttp import web

from bot.playground.documents import no_content, respond
from bot.playground.interaction import Interaction
from bot.playground.messages import Message
from bot.playground.parts import Parts
from bot.playground.rest.routes import Routes, body_of, number, wants

_TOKEN = "/webhooks/{application:\\d+}/{token}"  # noqa: S105 -- a path


def add_routes(routes: Routes) -> None:
    """Routes that need no Authorization header."""
    routes.add("POST", "/interactions/{interaction:\\d+}/{token}/callback", _callback, is_open=True)
    routes.add("POST", _TOKEN, _follow_up, is_open=True)
    routes.add("GET", f"{_TOKEN}/messages/{{name:@original|\\d+}}", _get, is_open=True)
    routes.add("PATCH", f"{_TOKEN}/messages/{{name:@original|\\d+}}", _edit, is_open=True)
    routes.add("DELETE", f"{_TOKEN}/messages/{{name:@original|\\d+}}", _delete, is_open=True)


async def _callback(parts: Parts, request: web.Request) -> web.Response:
    body = await body_of(request)
    interaction = parts.callbacks.awaiting(number(request, "interaction"), request.match_info["token"])
    document = parts.callbacks.answer(interaction, body.payload, body.files)
    return respond(document) if wants(request, "with_response") else no_content()


async def _follow_up(parts: Parts, request: web.Request) -> web.Response:
    body = await body_of(request)
    message = parts.callbacks.follow_up(_opened(parts, request), body.payload, body.files)
    return respond(parts.renderer.message(message))


async def _get(parts: Parts, request: web.Request) -> web.Response:
    return respond(parts.renderer.message(_message(parts, request)))


async def _edit(parts: Parts, request: web.Request) -> web.Response:
    body = await body_of(request)
    message = parts.callbacks.edit(_message(parts, request), body.payload, body.files)
    return respond(parts.renderer.message(message))


async def _delete(parts: Parts, request: web.Request) -> web.Response:
    parts.composer.delete(_message(parts, request))
    return no_content()


def _opened(parts: Parts, request: web.Request) -> Interaction:
    return parts.callbacks.opened(number(request, "application"), request.match_info["token"])


def _message(parts: Parts, request: web.Request) -> Message:
    return parts.callbacks.message(_opened(parts, request), request.match_info["name"])
