"""Threads: opened on a message or alone, joined and read."""

from __future__ import annotations

from aiohttp import web

from bot.playground import ids
from bot.playground.documents import ApiError, Problems, missing_permissions, no_content, respond, unknown
from bot.playground.messages import MessageFlag
from bot.playground.parts import Parts
from bot.playground.permissions import Permission
from bot.playground.places import Channel, ChannelKind
from bot.playground.rest.channels import found_message, place
from bot.playground.rest.routes import Routes, body_of, number
from bot.playground.rules.form import Form

_CHANNEL = "/channels/{channel:\\d+}"
_MINUTES = (60, 1440, 4320, 10080)


def add_routes(routes: Routes) -> None:
    """Opening, joining, leaving and deleting threads."""
    routes.add("POST", f"{_CHANNEL}/messages/{{message:\\d+}}/threads", _open_on_message)
    routes.add("POST", f"{_CHANNEL}/threads", _open)
    routes.add("GET", f"{_CHANNEL}/thread-members", _followers)
    routes.add("PUT", f"{_CHANNEL}/thread-members/{{user:@me|\\d+}}", _join)
    routes.add("DELETE", f"{_CHANNEL}/thread-members/{{user:@me|\\d+}}", _leave)
    routes.add("GET", f"{_CHANNEL}/threads/archived/public", _archived)
    routes.add("DELETE", _CHANNEL, _delete)


async def _open_on_message(parts: Parts, request: web.Request) -> web.Response:
    message = found_message(parts, request)
    if message.thread_id is not None:
        raise ApiError(400, 160004, "A thread has already been created for this message")
    thread = _opened(parts, request, (await body_of(request)).payload, thread_id=message.id)
    message.thread_id = thread.id
    message.contents.flags |= MessageFlag.HAS_THREAD
    parts.composer.touch(message)
    return respond(_shown(thread), 201)


async def _open(parts: Parts, request: web.Request) -> web.Response:
    return respond(_shown(_opened(parts, request, (await body_of(request)).payload)), 201)


def _opened(parts: Parts, request: web.Request, payload: object, thread_id: int | None = None) -> Channel:
    parent = place(parts, request)
    if parent.kind is not ChannelKind.TEXT:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    problems = Problems()
    form = Form(payload, problems)
    name = form.text("name", 100, least=1, required=True)
    minutes = form.choice("auto_archive_duration", _MINUTES, required=False) or 1440
    kinds = (ChannelKind.PUBLIC_THREAD, ChannelKind.PRIVATE_THREAD)
    default = ChannelKind.PUBLIC_THREAD if thread_id else ChannelKind.PRIVATE_THREAD
    kind = ChannelKind(form.choice("type", kinds, required=False) or default)
    problems.raise_if_any()
    is_public = kind is ChannelKind.PUBLIC_THREAD
    needed = Permission.CREATE_PUBLIC_THREADS if is_public else Permission.CREATE_PRIVATE_THREADS
    if not parts.world.can(ids.BOT_ID, needed, parent):
        raise missing_permissions()
    thread = Channel(
        thread_id or parts.world.snowflakes.next(),
        kind,
        name or "",
        parent_id=parent.id,
        nsfw=parent.nsfw,
        owner_id=ids.BOT_ID,
        created=parts.clock.now(),
        archive_minutes=minutes,
        thread_members=[ids.BOT_ID],
    )
    parts.world.channels[thread.id] = thread
    parts.herald.thread("THREAD_CREATE", thread)
    return thread


def _shown(thread: Channel) -> dict[str, object]:
    return {**thread.as_json(), "member": thread.thread_member_json(ids.BOT_ID)}


def _thread(parts: Parts, request: web.Request) -> Channel:
    thread = place(parts, request)
    if not thread.is_thread:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    return thread


def _user(parts: Parts, request: web.Request) -> int:
    name = request.match_info["user"]
    return ids.BOT_ID if name == "@me" else parts.world.member(number(request, "user")).user.id


async def _followers(parts: Parts, request: web.Request) -> web.Response:
    thread = _thread(parts, request)
    return respond([thread.thread_member_json(user) for user in thread.thread_members])


async def _join(parts: Parts, request: web.Request) -> web.Response:
    thread, user = _thread(parts, request), _user(parts, request)
    if user not in thread.thread_members:
        thread.thread_members.append(user)
        parts.herald.thread("THREAD_UPDATE", thread)
    return no_content()


async def _leave(parts: Parts, request: web.Request) -> web.Response:
    thread, user = _thread(parts, request), _user(parts, request)
    if user != ids.BOT_ID:
        place(parts, request, Permission.MANAGE_THREADS)
    if user in thread.thread_members:
        thread.thread_members.remove(user)
        parts.herald.thread("THREAD_UPDATE", thread)
    return no_content()


async def _archived(parts: Parts, request: web.Request) -> web.Response:
    place(parts, request, Permission.READ_MESSAGE_HISTORY)
    return respond({"threads": [], "members": [], "has_more": False})


async def _delete(parts: Parts, request: web.Request) -> web.Response:
    """Only threads can be deleted here; the channels are the world's."""
    channel = place(parts, request)
    if not channel.is_thread:
        raise missing_permissions() if channel.kind is ChannelKind.TEXT else unknown("Channel", 10003)
    place(parts, request, Permission.MANAGE_THREADS)
    for message in list(parts.world.messages.newest_first(channel.id)):
        parts.composer.delete(message)
    shown = channel.as_json()
    parts.herald.thread("THREAD_DELETE", channel)
    del parts.world.channels[channel.id]
    return respond(shown)
