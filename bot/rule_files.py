"""A file of filter rules taken into a server: the same from a command and from the page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import discord

from bot.moderation.entries import imported
from bot.moderation.scope import Scope
from bot.rulebook import RuleBook
from generation.errors import BadRequest

FILE_SIZE: Final = 512 * 1024  # bytes
TOO_LARGE: Final = f"That file is too large; at most {FILE_SIZE // 1024} KiB are possible."


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file."""

    rules: int = 0  # that hold now
    foreign: int = 0  # left out, because their channel or role is not of this server
    problems: tuple[str, ...] = ()  # a sentence for each rule that is wrong; with any of them nothing was changed


async def take_in(rules: RuleBook, guild: discord.Guild, data: bytes, by: int) -> Taken:
    """Add the rules of a file, all of them or none; raises BadRequest for what is no text, or too much."""
    if len(data) > FILE_SIZE:
        raise BadRequest(TOO_LARGE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("That file is no UTF-8 text; please save it as such.") from error
    found = await asyncio.to_thread(imported, text)
    if found.errors:
        return Taken(problems=found.errors)
    here = [entry for entry in found.entries if is_here(entry.scope, guild)]
    await rules.put(guild.id, here, by)
    await rules.set_exempt(guild.id, [role for role in found.exempt if guild.get_role(role)], by, exempt=True)
    return Taken(rules=len(here), foreign=len(found.entries) - len(here))


def is_here(scope: Scope, guild: discord.Guild) -> bool:
    """Whether the channel and the role of a scope are of this server."""
    channel = not scope.channel_id or guild.get_channel_or_thread(scope.channel_id) is not None
    return channel and (not scope.role_id or guild.get_role(scope.role_id) is not None)
