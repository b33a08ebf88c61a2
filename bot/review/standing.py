"""Warnings and bans given by hand: the same from a command and from the page."""

from __future__ import annotations

import discord

from bot.courier import Courier, Parcel, Rejected, Unavailable, WayClosed
from bot.echo import echo
from bot.review.guild_rules import GuildRules
from bot.store.audit import Act, Entry
from bot.store.strikes import StrikeStore
from generation.errors import BadRequest

REASON = 500  # characters
MOST_HOURS = 8760  # of a ban that ends by itself
TOLD = " They were told directly."
NOT_TOLD = " They take no direct messages, so please tell them yourself."


class Standing:
    """What moderators do to how members stand in a server."""

    def __init__(self, strikes: StrikeStore, rules: GuildRules, courier: Courier) -> None:
        self._strikes = strikes
        self._rules = rules
        self._courier = courier

    async def warn(self, guild: discord.Guild, entry: Entry, nonce: str) -> tuple[int, str]:
        """Warn `entry.member_id` and tell them; returns how many warnings count, and whether they were reached."""
        assert entry.member_id is not None, "somebody is warned"
        count = await self._strikes.warn(entry, self._rules.rules_for(guild.id))
        words = f"The moderators of {echo(guild.name, 100)} warned you: {echo(entry.reason, REASON)}"
        try:
            await self._courier.to_person(entry.member_id, Parcel(text=words), nonce)
        except (WayClosed, Rejected, Unavailable):
            return count, NOT_TOLD
        return count, TOLD

    async def clear(self, entry: Entry) -> int:
        """Take all active warnings back, with the pauses they led to; returns how many those were."""
        return await self._strikes.clear(entry)

    async def ban(self, entry: Entry, until: float | None) -> None:
        """Keep a member from painting until epoch seconds `until`, or until it is lifted."""
        await self._strikes.ban(entry, until)

    async def unban(self, entry: Entry) -> None:
        """Let a member paint again; raises BadRequest when nothing keeps them from it."""
        if not await self._strikes.unban(entry):
            raise BadRequest("Nothing keeps this member from painting here.")


def deed_of(guild_id: int, by: int, action: Act, member_id: int, reason: str) -> Entry:
    """The line of the log that stands for one of these."""
    return Entry(guild_id=guild_id, actor_id=by, action=action, member_id=member_id, reason=reason)


def check_person(member: discord.User | discord.Member) -> None:
    """Raise BadRequest for whom nobody can warn."""
    if member.bot:
        raise BadRequest("Bots are not warned.")


def counted(count: int) -> str:
    """A number of warnings in words."""
    return f"{count} warning" if count == 1 else f"{count} warnings"
