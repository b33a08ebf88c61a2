"""The guild, its members, roles and channels."""

from __future__ import annotations

from aiohttp import web

from bot.playground import ids
from bot.playground.documents import missing_permissions, respond, unknown
from bot.playground.parts import Parts
from bot.playground.permissions import Permission
from bot.playground.rest.routes import Routes, body_of, bound, limit, number, wants
from bot.playground.rules.timeout import read_timeout

_GUILD = "/guilds/{guild:\\d+}"


def add_routes(routes: Routes) -> None:
    """Reading the guild, and timing its members out."""
    routes.add("GET", _GUILD, _guild)
    routes.add("GET", f"{_GUILD}/channels", _channels)
    routes.add("GET", f"{_GUILD}/roles", _roles)
    routes.add("GET", f"{_GUILD}/roles/{{role:\\d+}}", _role)
    routes.add("GET", f"{_GUILD}/members", _members)
    routes.add("GET", f"{_GUILD}/members/search", _search)
    routes.add("GET", f"{_GUILD}/members/{{user:\\d+}}", _member)
    routes.add("PATCH", f"{_GUILD}/members/{{user:\\d+}}", _change_member)
    routes.add("GET", f"{_GUILD}/threads/active", _threads)
    routes.add("GET", f"{_GUILD}/emojis", _nothing)
    routes.add("GET", f"{_GUILD}/stickers", _nothing)
    routes.add("GET", f"{_GUILD}/webhooks", _nothing)
    routes.add("GET", f"{_GUILD}/auto-moderation/rules", _rules)
    routes.add("GET", f"{_GUILD}/auto-moderation/rules/{{rule:\\d+}}", _rule)


def _check(request: web.Request) -> None:
    if number(request, "guild") != ids.GUILD_ID:
        raise unknown("Guild", 10004)


async def _guild(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    guild = parts.world.guild()
    if wants(request, "with_counts"):
        guild |= {"approximate_member_count": len(parts.world.roster), "approximate_presence_count": 1}
    return respond(guild)


async def _channels(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    places = [each for each in parts.world.channels.values() if not each.is_direct and not each.is_thread]
    return respond([channel.as_json() for channel in places])


async def _roles(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    return respond([role.as_json() for role in parts.world.roles.values()])


async def _role(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    role = parts.world.roles.get(number(request, "role"))
    if role is None:
        raise unknown("Role", 10011)
    return respond(role.as_json())


async def _members(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    after = bound(request, "after")
    members = [member for key, member in sorted(parts.world.roster.items()) if key > after]
    return respond([member.as_json() for member in members[: limit(request, 1, 1000)]])


async def _search(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    most = limit(request, 1, 1000)
    return respond(parts.world.members(ids.GUILD_ID, request.query.get("query", ""), most, None))


async def _member(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    return respond(parts.world.member(number(request, "user")).as_json())


async def _change_member(parts: Parts, request: web.Request) -> web.Response:
    """A time-out is the one change of a member that is possible here."""
    _check(request)
    world, member = parts.world, parts.world.member(number(request, "user"))
    until = read_timeout((await body_of(request)).payload, now=parts.clock.now())
    granted = world.guild_permissions(ids.BOT_ID)
    outranked = world.rank(ids.BOT_ID) > world.rank(member.user.id)
    immune = world.guild_permissions(member.user.id) & Permission.ADMINISTRATOR
    if not granted & Permission.MODERATE_MEMBERS or not outranked or immune:
        raise missing_permissions()
    member.timed_out_until = until
    return respond(member.as_json())


async def _threads(parts: Parts, request: web.Request) -> web.Response:
    _check(request)
    threads = [each for each in parts.world.channels.values() if each.is_thread]
    joined = [each.thread_member_json(ids.BOT_ID) for each in threads if ids.BOT_ID in each.thread_members]
    return respond({"threads": [each.as_json() for each in threads], "members": joined, "has_more": False})


async def _nothing(_: Parts, request: web.Request) -> web.Response:
    _check(request)
    return respond([])


def _check_rules(parts: Parts, request: web.Request) -> None:
    _check(request)
    if not parts.world.guild_permissions(ids.BOT_ID) & Permission.MANAGE_GUILD:
        raise missing_permissions()


async def _rules(parts: Parts, request: web.Request) -> web.Response:
    _check_rules(parts, request)
    return respond([*parts.world.automod_rules.values()])


async def _rule(parts: Parts, request: web.Request) -> web.Response:
    _check_rules(parts, request)
    rule = parts.world.automod_rules.get(number(request, "rule"))
    if rule is None:
        raise unknown("AutoMod Rule", 10066)
    return respond(rule)
