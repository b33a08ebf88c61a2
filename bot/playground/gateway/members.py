"""Answers to a gateway client's request for guild members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.playground.gateway.identify import RefusedError
from bot.playground.gateway.intents import Intent
from bot.playground.gateway.login import Login
from bot.playground.gateway.opcodes import Close
from bot.playground.gateway.seams import World

CHUNK = 1000
MAX_MATCHES = 100  # of a query or a list of ids


def member_chunks(world: World, login: Login, data: Any) -> Iterator[dict[str, Any]]:
    """GUILD_MEMBERS_CHUNK payloads. Raises `RefusedError` for a malformed request; a foreign guild gets no answer."""
    guild_id = _snowflake(data.get("guild_id") if isinstance(data, dict) else None)
    if guild_id not in (int(guild["id"]) for guild in world.guilds()) or not login.shard.owns(guild_id):
        return
    wanted = _wanted_ids(data)
    found = _find(world, login, guild_id, data, wanted)
    missing = set(wanted or ()) - {int(member["user"]["id"]) for member in found}
    pieces = [found[start : start + CHUNK] for start in range(0, len(found), CHUNK)] or [[]]
    for index, members in enumerate(pieces):
        chunk: dict[str, Any] = {
            "guild_id": str(guild_id),
            "members": members,
            "chunk_index": index,
            "chunk_count": len(pieces),
        }
        if missing and index == 0:
            chunk["not_found"] = [str(user_id) for user_id in sorted(missing)]
        if data.get("presences") and login.intents & Intent.GUILD_PRESENCES:
            chunk["presences"] = []
        if isinstance(data.get("nonce"), str) and len(data["nonce"].encode()) <= 32:
            chunk["nonce"] = data["nonce"]
        yield chunk


def _find(
    world: World, login: Login, guild_id: int, data: dict[str, Any], wanted: list[int] | None
) -> list[dict[str, Any]]:
    if wanted is not None:
        return world.members(guild_id, None, MAX_MATCHES, wanted[:MAX_MATCHES])
    query, limit = data.get("query"), data.get("limit")
    if not isinstance(query, str) or type(limit) is not int or limit < 0:
        raise RefusedError(Close.DECODE_ERROR, "Error while decoding payload.")
    if query == "" and not login.intents & Intent.GUILD_MEMBERS:
        return []  # the whole list takes the members intent
    return world.members(guild_id, query, min(limit or MAX_MATCHES, MAX_MATCHES) if query else limit, None)


def _wanted_ids(data: dict[str, Any]) -> list[int] | None:
    ids = data.get("user_ids")
    if ids is None:
        return None
    return [_snowflake(value) for value in (ids if isinstance(ids, list) else [ids])]


def _snowflake(value: Any) -> int:
    if type(value) is int or (isinstance(value, str) and value.isdecimal()):
        return int(value)
    raise RefusedError(Close.DECODE_ERROR, "Error while decoding payload.")
