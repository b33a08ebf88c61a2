"""/strikes: warnings of members and who may not paint in a server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient
from bot.courier import Parcel, Rejected, Unavailable, WayClosed
from bot.echo import echo
from bot.review.moderators import check_moderator
from bot.review.strikes import HOUR, Ban, Strike, active
from bot.store.audit import Act, Entry
from generation.errors import BadRequest

SHOWN = 7  # warnings that fit one message
WHO, WHY = "Whom this is about", "For the log"
REASON = 500  # characters
ECHO = 100  # characters of a reason in a list

Reason = app_commands.Range[str, 1, REASON]


@app_commands.default_permissions(manage_messages=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Strikes(commands.GroupCog, group_name="strikes", group_description="Warnings of members"):
    """The warnings of one server."""

    def __init__(self, client: AtelierClient) -> None:
        self._strikes = client.desk.strikes
        self._rules = client.review.rules
        self._courier = client.courier
        self._clock = client.studio.clock

    @app_commands.command(name="show")
    @app_commands.describe(member=WHO)
    async def show(self, interaction: Interaction, member: discord.User) -> None:
        """Show a member's warnings and whether they may paint."""
        guild_id = await _moderator(interaction)
        strikes = await self._strikes.of(guild_id, member.id)
        ban = await self._strikes.ban_of(guild_id, member.id)
        await tell(interaction, standing_text(member.id, strikes, ban, self._clock()))

    @app_commands.command(name="warn")
    @app_commands.describe(member=WHO, reason="The member reads it")
    async def warn(self, interaction: Interaction, member: discord.User, reason: Reason) -> None:
        """Warn a member; enough warnings pause their painting."""
        guild_id = await _moderator(interaction)
        _check_person(member)
        entry = _entry(interaction, guild_id, Act.WARNED, member, reason)
        count = await self._strikes.warn(entry, self._rules.rules_for(guild_id))
        words = f"The moderators of {echo(interaction.guild.name if interaction.guild else 'a server', 100)} warned you"
        told = await self._tell(member.id, f"{words}: {echo(reason, REASON)}", f"aw{interaction.id}")
        await tell(interaction, f"<@{member.id}> has {count} active {_warnings(count)} now.{told}")

    @app_commands.command(name="clear")
    @app_commands.describe(member=WHO, reason=WHY)
    async def clear(self, interaction: Interaction, member: discord.User, reason: Reason | None = None) -> None:
        """Take all active warnings of a member back, with the pauses they led to."""
        guild_id = await _moderator(interaction)
        count = await self._strikes.clear(_entry(interaction, guild_id, Act.CLEARED, member, reason))
        await tell(interaction, f"{count} {_warnings(count)} of <@{member.id}> taken back.")

    @app_commands.command(name="ban")
    @app_commands.describe(
        member=WHO,
        reason="The member reads it when they try to paint",
        hours="Leave it out to end it only with /strikes unban",
    )
    async def ban(
        self,
        interaction: Interaction,
        member: discord.User,
        reason: Reason,
        hours: app_commands.Range[int, 1, 8760] | None = None,
    ) -> None:
        """Keep a member from painting in this server; nothing else is taken from them."""
        guild_id = await _moderator(interaction)
        _check_person(member)
        until = self._clock() + hours * HOUR if hours is not None else None
        await self._strikes.ban(_entry(interaction, guild_id, Act.BANNED, member, reason), until)
        how_long = f"until <t:{int(until)}:f>" if until is not None else "until somebody uses /strikes unban"
        await tell(interaction, f"<@{member.id}> cannot paint here {how_long}. They are told when they try.")

    @app_commands.command(name="unban")
    @app_commands.describe(member=WHO, reason=WHY)
    async def unban(self, interaction: Interaction, member: discord.User, reason: Reason | None = None) -> None:
        """Let a member paint again; their warnings stay."""
        guild_id = await _moderator(interaction)
        if not await self._strikes.unban(_entry(interaction, guild_id, Act.UNBANNED, member, reason)):
            raise BadRequest(f"Nothing keeps <@{member.id}> from painting here.")
        await tell(interaction, f"<@{member.id}> can paint here again.")

    async def _tell(self, member_id: int, words: str, nonce: str) -> str:
        try:
            await self._courier.to_person(member_id, Parcel(text=words), nonce)
        except (WayClosed, Rejected, Unavailable):
            return " They take no direct messages, so please tell them yourself."
        return " They were told directly."


def standing_text(member_id: int, strikes: list[Strike], ban: Ban | None, now: float) -> str:
    """A member's warnings as moderators read them, the newest first."""
    lines = [f"<@{member_id}>: {active(strikes, now)} active of {len(strikes)} {_warnings(len(strikes))}."]
    for strike in strikes[:SHOWN]:
        state = f"until <t:{int(strike.expires_at)}:d>"
        if strike.cleared_at is not None:
            state = "taken back"
        elif not strike.active(now):
            state = "expired"
        case = f", case {strike.case_id}" if strike.case_id is not None else ""
        why = f": {echo(strike.reason, ECHO)}" if strike.reason else ""
        lines.append(f"- <t:{int(strike.given_at)}:d> by <@{strike.given_by}>{case} ({state}){why}")
    if len(strikes) > SHOWN:
        lines.append(f"- and {len(strikes) - SHOWN} older ones")
    if ban is not None:
        until = f"until <t:{int(ban.until)}:f>" if ban.until is not None else "until /strikes unban"
        lines.append(f"**Cannot paint here** {until}: {echo(ban.reason, ECHO)}")
    return "\n".join(lines)


def _entry(interaction: Interaction, guild_id: int, action: Act, member: discord.User, reason: str | None) -> Entry:
    return Entry(
        guild_id=guild_id, actor_id=interaction.user.id, action=action, member_id=member.id, reason=reason or ""
    )


def _check_person(member: discord.User) -> None:
    if member.bot:
        raise BadRequest("Bots are not warned.")


def _warnings(count: int) -> str:
    return "warning" if count == 1 else "warnings"


async def _moderator(interaction: Interaction) -> int:
    guild_id = check_moderator(interaction)
    interaction.extras[PRIVATE] = True
    await interaction.response.defer(ephemeral=True, thinking=True)
    return guild_id


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Strikes(client))
