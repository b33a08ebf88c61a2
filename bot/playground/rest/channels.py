"""Channels and their messages, as the bot uses them."""

from __future__ import annotations

from aiohttp import web

from bot.playground import ids
from bot.playground.documents import ApiError, Problems, missing_permissions, no_content, respond, snowflake, unknown
from bot.playground.ids import created_at
from bot.playground.messages import Message
from bot.playground.parts import Parts
from bot.playground.permissions import Permission
from bot.playground.places import Channel
from bot.playground.rest.routes import Routes, body_of, bound, limit, number
from bot.playground.rules.form import Form
from bot.playground.rules.message import read_draft

_CHANNEL = "/channels/{channel:\\d+}"
_MESSAGE = f"{_CHANNEL}/messages/{{message:\\d+}}"
TWO_WEEKS = 14 * 86_400.0


def add_routes(routes: Routes) -> None:
    """Messages and typing."""
    routes.add("GET", _CHANNEL, _channel)
    routes.add("POST", f"{_CHANNEL}/typing", _typing)
    routes.add("GET", f"{_CHANNEL}/messages", _history)
    routes.add("POST", f"{_CHANNEL}/messages", _post)
    routes.add("POST", f"{_CHANNEL}/messages/bulk-delete", _bulk_delete)
    routes.add("GET", _MESSAGE, _get)
    routes.add("PATCH", _MESSAGE, _edit)
    routes.add("DELETE", _MESSAGE, _delete)


def place(parts: Parts, request: web.Request, *needed: Permission) -> Channel:
    """The channel of the path, where the bot must have these permissions. Raises `ApiError`."""
    channel = parts.world.visible_channel(number(request, "channel"), ids.BOT_ID)
    if not all(parts.world.can(ids.BOT_ID, permission, channel) for permission in needed):
        raise missing_permissions()
    return channel


def found_message(parts: Parts, request: web.Request) -> Message:
    """The message of the path; an ephemeral one does not exist on these routes. Raises `ApiError` 10008."""
    channel = place(parts, request, Permission.READ_MESSAGE_HISTORY)
    message = parts.world.messages.get(number(request, "message"))
    if message is None or message.channel_id != channel.id or message.is_ephemeral:
        raise unknown("Message", 10008)
    return message


async def _channel(parts: Parts, request: web.Request) -> web.Response:
    return respond(parts.world.channel_json(place(parts, request), ids.BOT_ID))


async def _typing(parts: Parts, request: web.Request) -> web.Response:
    parts.herald.typing(place(parts, request, Permission.SEND_MESSAGES), ids.BOT_ID)
    return no_content()


async def _history(parts: Parts, request: web.Request) -> web.Response:
    channel = place(parts, request)
    if not parts.world.can(ids.BOT_ID, Permission.READ_MESSAGE_HISTORY, channel):
        return respond([])
    messages = [each for each in parts.world.messages.newest_first(channel.id) if not each.is_ephemeral]
    most = limit(request, 50, 100)
    bounds = {key: bound(request, key) for key in ("before", "after", "around") if key in request.query}
    if "before" in bounds:
        messages = [each for each in messages if each.id < bounds["before"]]
    elif "after" in bounds:
        messages = [each for each in messages if each.id > bounds["after"]][-most:]
    elif "around" in bounds:
        newer = [each for each in messages if each.id > bounds["around"]]
        messages = messages[max(0, len(newer) - most // 2) :]
    return respond([parts.renderer.message(each) for each in messages[:most]])


async def _get(parts: Parts, request: web.Request) -> web.Response:
    return respond(parts.renderer.message(found_message(parts, request)))


async def _post(parts: Parts, request: web.Request) -> web.Response:
    channel = parts.world.visible_channel(number(request, "channel"), ids.BOT_ID)
    needed = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
    place(parts, request, needed)
    body = await body_of(request)
    if body.files:
        place(parts, request, Permission.ATTACH_FILES)
    draft = read_draft(body.payload, body.files)
    if draft.answers is not None:
        place(parts, request, Permission.READ_MESSAGE_HISTORY)
    return respond(parts.renderer.message(parts.composer.post(draft, channel, ids.BOT_ID)))


async def _edit(parts: Parts, request: web.Request) -> web.Response:
    body = await body_of(request)
    message = found_message(parts, request)
    if message.author_id != ids.BOT_ID:
        raise ApiError(403, 50005, "Cannot edit a message authored by another user")
    return respond(parts.renderer.message(parts.callbacks.edit(message, body.payload, body.files)))


async def _delete(parts: Parts, request: web.Request) -> web.Response:
    message = found_message(parts, request)
    if message.author_id != ids.BOT_ID:
        place(parts, request, Permission.MANAGE_MESSAGES)
    parts.composer.delete(message)
    return no_content()


async def _bulk_delete(parts: Parts, request: web.Request) -> web.Response:
    channel = place(parts, request, Permission.MANAGE_MESSAGES)
    problems = Problems()
    form = Form((await body_of(request)).payload, problems)
    wanted = [key for _, value in form.items("messages", 100, least=2) if (key := snowflake(value)) is not None]
    problems.raise_if_any()
    if any(parts.clock.now() - created_at(key) > TWO_WEEKS for key in wanted):
        raise ApiError(400, 50034, "You can only bulk delete messages that are under 14 days old.")
    for key in wanted:
        message = parts.world.messages.get(key)
        if message is not None and message.channel_id == channel.id and not message.is_ephemeral:
            parts.composer.delete(message)
    return no_content()
