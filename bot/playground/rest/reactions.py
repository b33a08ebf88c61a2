"""Reactions and pins."""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp import web

from bot.playground import ids
from bot.playground.documents import ApiError, missing_permissions, no_content, respond
from bot.playground.messages import Message
from bot.playground.moments import iso
from bot.playground.parts import Parts
from bot.playground.permissions import Permission
from bot.playground.places import Channel
from bot.playground.rest.channels import found_message, place
from bot.playground.rest.routes import Routes, bound, limit, number
from bot.playground.rules.controls import is_emoji

MOST_REACTIONS = 20  # different ones under a message
MOST_PINS = 250

_CHANNEL = "/channels/{channel:\\d+}"
_REACTIONS = f"{_CHANNEL}/messages/{{message:\\d+}}/reactions"


def add_routes(routes: Routes) -> None:
    """Putting, reading and taking reactions and pins."""
    routes.add("PUT", f"{_REACTIONS}/{{emoji}}/@me", _add)
    routes.add("DELETE", f"{_REACTIONS}/{{emoji}}/{{user:@me|\\d+}}", _remove)
    routes.add("GET", f"{_REACTIONS}/{{emoji}}", _users)
    routes.add("DELETE", f"{_REACTIONS}/{{emoji}}", _clear)
    routes.add("DELETE", _REACTIONS, _clear)
    routes.add("GET", f"{_CHANNEL}/messages/pins", _pins)
    for pin in (f"{_CHANNEL}/messages/pins/{{message:\\d+}}", f"{_CHANNEL}/pins/{{message:\\d+}}"):
        routes.add("PUT", pin, _pin)
        routes.add("DELETE", pin, _unpin)


def _emoji(request: web.Request) -> str:
    key = unquote(request.match_info["emoji"])
    name, _, emoji_id = key.rpartition(":")
    if is_emoji(key) or (name and emoji_id.isdecimal()):
        return key
    raise ApiError(400, 10014, "Unknown Emoji")


async def _add(parts: Parts, request: web.Request) -> web.Response:
    message, emoji = found_message(parts, request), _emoji(request)
    users = message.reactions.get(emoji)
    if users is None:
        place(parts, request, Permission.ADD_REACTIONS)
        if len(message.reactions) >= MOST_REACTIONS:
            raise ApiError(400, 30010, "Maximum number of reactions reached (20)")
    if users is None or ids.BOT_ID not in users:
        message.reactions.setdefault(emoji, []).append(ids.BOT_ID)
        _told(parts, message, ids.BOT_ID, emoji, added=True)
    return no_content()


async def _remove(parts: Parts, request: web.Request) -> web.Response:
    message, emoji = found_message(parts, request), _emoji(request)
    name = request.match_info["user"]
    user_id = ids.BOT_ID if name == "@me" else number(request, "user")
    if user_id != ids.BOT_ID:
        place(parts, request, Permission.MANAGE_MESSAGES)
    if user_id in message.reactions.get(emoji, ()):
        message.reactions[emoji].remove(user_id)
        if not message.reactions[emoji]:
            del message.reactions[emoji]
        _told(parts, message, user_id, emoji, added=False)
    return no_content()


async def _users(parts: Parts, request: web.Request) -> web.Response:
    message = found_message(parts, request)
    after, most = bound(request, "after"), limit(request, 25, 100)
    users = sorted(user for user in message.reactions.get(_emoji(request), ()) if user > after)
    return respond([parts.world.user(user).as_json() for user in users[:most]])


async def _clear(parts: Parts, request: web.Request) -> web.Response:
    message = found_message(parts, request)
    place(parts, request, Permission.MANAGE_MESSAGES)
    if "emoji" in request.match_info:
        emoji = _emoji(request)
        message.reactions.pop(emoji, None)
        parts.herald.cleared(message, emoji)
    else:
        message.reactions.clear()
        parts.herald.cleared(message, None)
    parts.composer.changed(message)
    return no_content()


def _told(parts: Parts, message: Message, user_id: int, emoji: str, *, added: bool) -> None:
    parts.herald.reacted(message, user_id, emoji, added=added)
    parts.composer.changed(message)


async def _pins(parts: Parts, request: web.Request) -> web.Response:
    channel = place(parts, request)
    pinned = _pinned(parts, channel)[: limit(request, 50, 50)]
    items = [{"pinned_at": iso(each.created), "message": parts.renderer.message(each)} for each in pinned]
    return respond({"items": items, "has_more": False})


async def _pin(parts: Parts, request: web.Request) -> web.Response:
    return _set_pin(parts, request, is_pinned=True)


async def _unpin(parts: Parts, request: web.Request) -> web.Response:
    return _set_pin(parts, request, is_pinned=False)


def _pinned(parts: Parts, channel: Channel) -> list[Message]:
    return [each for each in parts.world.messages.newest_first(channel.id) if each.is_pinned]


def _set_pin(parts: Parts, request: web.Request, *, is_pinned: bool) -> web.Response:
    message = found_message(parts, request)
    channel = parts.world.channel(message.channel_id)
    if not channel.is_direct and not parts.world.can(ids.BOT_ID, Permission.MANAGE_MESSAGES, channel):
        raise missing_permissions()
    if is_pinned and len(_pinned(parts, channel)) >= MOST_PINS:
        raise ApiError(400, 30003, f"Maximum number of pins reached ({MOST_PINS})")
    if message.is_pinned is not is_pinned:
        message.is_pinned = is_pinned
        parts.composer.touch(message)
    return no_content()
