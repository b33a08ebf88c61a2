"""Registering application commands."""

from __future__ import annotations

from aiohttp import web

from bot.playground import ids
from bot.playground.documents import ApiError, Json, missing_access, no_content, respond, unknown
from bot.playground.parts import Parts
from bot.playground.rest.routes import Routes, body_of, number

_APPLICATION = "/applications/{application:\\d+}"


def add_routes(routes: Routes) -> None:
    """The same routes for the global scope and for the guild's."""
    for scope in (_APPLICATION, f"{_APPLICATION}/guilds/{{guild:\\d+}}"):
        routes.add("GET", f"{scope}/commands", _list)
        routes.add("POST", f"{scope}/commands", _create)
        routes.add("PUT", f"{scope}/commands", _overwrite)
        routes.add("GET", f"{scope}/commands/{{command:\\d+}}", _get)
        routes.add("PATCH", f"{scope}/commands/{{command:\\d+}}", _edit)
        routes.add("DELETE", f"{scope}/commands/{{command:\\d+}}", _delete)
    routes.add("GET", f"{_APPLICATION}/guilds/{{guild:\\d+}}/commands/permissions", _permissions)
    routes.add("GET", f"{_APPLICATION}/guilds/{{guild:\\d+}}/commands/{{command:\\d+}}/permissions", _permission)


def _scope(request: web.Request) -> int | None:
    if number(request, "application") != ids.APPLICATION_ID:
        raise unknown("Application", 10002)
    if "guild" not in request.match_info:
        return None
    if number(request, "guild") != ids.GUILD_ID:
        raise missing_access()
    return ids.GUILD_ID


async def _list(parts: Parts, request: web.Request) -> web.Response:
    return respond(parts.world.commands.of(_scope(request)))


async def _create(parts: Parts, request: web.Request) -> web.Response:
    command, is_new = parts.world.commands.create(_scope(request), (await body_of(request)).payload)
    return respond(command, 201 if is_new else 200)


async def _overwrite(parts: Parts, request: web.Request) -> web.Response:
    documents = (await body_of(request)).payload
    return respond(parts.world.commands.overwrite(_scope(request), documents))


async def _get(parts: Parts, request: web.Request) -> web.Response:
    return respond(parts.world.commands.get(_scope(request), number(request, "command")))


async def _edit(parts: Parts, request: web.Request) -> web.Response:
    document = (await body_of(request)).payload
    return respond(parts.world.commands.edit(_scope(request), number(request, "command"), document))


async def _delete(parts: Parts, request: web.Request) -> web.Response:
    parts.world.commands.delete(_scope(request), number(request, "command"))
    return no_content()


async def _permissions(_: Parts, request: web.Request) -> web.Response:
    _scope(request)
    return respond([])


async def _permission(parts: Parts, request: web.Request) -> web.Response:
    """Nobody can overwrite a command's permissions here, so there is nothing to read."""
    scope = _scope(request)
    command_id = number(request, "command")
    known: list[Json] = parts.world.commands.of(scope) + parts.world.commands.of(None)
    if not any(int(command["id"]) == command_id for command in known):
        raise unknown("application command", 10063)
    raise ApiError(404, 10066, "Unknown application command permissions")
