"""Who the bot is, where its gateway is, and who else is here."""

from __future__ import annotations

from aiohttp import web

from bot.playground import ids
from bot.playground.documents import ApiError, Json, Problems, respond
from bot.playground.parts import Parts
from bot.playground.rest.routes import CALLER, Routes, body_of, bound, number
from bot.playground.rules.form import Form


def add_routes(routes: Routes) -> None:
    """Login, application, gateway, users."""
    routes.add("GET", "/users/@me", _me, scope="identify")
    routes.add("GET", "/users/@me/guilds", _my_guilds, scope="guilds")
    routes.add("POST", "/users/@me/channels", _open_direct)
    routes.add("GET", "/users/{user:\\d+}", _user)
    routes.add("GET", "/oauth2/applications/@me", _application)
    routes.add("GET", "/applications/@me", _application)
    routes.add("GET", "/applications/{application:\\d+}/emojis", _emojis)
    routes.add("GET", "/applications/{application:\\d+}/entitlements", _entitlements)
    routes.add("GET", "/gateway", _gateway, is_open=True)
    routes.add("GET", "/gateway/bot", _gateway_bot)


async def _me(parts: Parts, request: web.Request) -> web.Response:
    return respond(parts.world.user(request[CALLER]).as_own_json())


async def _user(parts: Parts, request: web.Request) -> web.Response:
    return respond(parts.world.user(number(request, "user")).as_json())


async def _my_guilds(parts: Parts, request: web.Request) -> web.Response:
    guild = parts.world.guild()
    mine: Json = {key: guild[key] for key in ("id", "name", "icon", "banner", "features")}
    who = request[CALLER]
    mine |= {"owner": who == ids.OLIVIA_ID, "permissions": str(parts.world.guild_permissions(who))}
    if request.query.get("with_counts") in ("1", "true"):
        mine |= {"approximate_member_count": len(parts.world.roster), "approximate_presence_count": 1}
    after, before = bound(request, "after"), bound(request, "before", 2**63)
    return respond([mine] if after < ids.GUILD_ID < before else [])


async def _application(parts: Parts, _: web.Request) -> web.Response:
    private: Json = {
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": parts.world.user(ids.OLIVIA_ID).as_json(),
        "team": None,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": ["bot", "applications.commands"],
        "tags": [],
    }
    return respond(parts.world.application() | private)


async def _emojis(_: Parts, __: web.Request) -> web.Response:
    return respond({"items": []})


async def _entitlements(_: Parts, __: web.Request) -> web.Response:
    return respond([])


async def _gateway(_: Parts, request: web.Request) -> web.Response:
    return respond({"url": f"ws://{request.host}/gateway"})


async def _gateway_bot(parts: Parts, request: web.Request) -> web.Response:
    start_limit = parts.gateway.identify_limit.as_json()
    return respond({"url": f"ws://{request.host}/gateway", "shards": 1, "session_start_limit": start_limit})


async def _open_direct(parts: Parts, request: web.Request) -> web.Response:
    problems = Problems()
    person_id = Form((await body_of(request)).payload, problems).id("recipient_id", required=True)
    problems.raise_if_any()
    assert person_id is not None
    if person_id == ids.BOT_ID:
        raise ApiError(400, 50007, "Cannot send messages to this user")
    channel = parts.world.direct_channel(person_id)
    return respond(parts.world.channel_json(channel, ids.BOT_ID))
