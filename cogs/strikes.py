"""/strikes: warnings of members and who may not paint in a server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient
from bot.echo import echo
from bot.review.moderators import check_moderator
from bot.review.standing import MOST_HOURS, REASON, check_person, deed_of
from bot.review.strikes import HOUR, Ban, Strike, active
from bot.store.audit import Act, Entry

SHOWN = 7  # warnings that fit one message
WHO, WHY = "Whom this is about", "For the log"
ECHO = 100  # characters of a reason in a list

Reason = app_commands.Range[str, 1, REASON]


@app_commands.default_permissions(manage_messages=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Strikes(commands.GroupCog, group_name="strikes", group_description="Warnings of members"):
    """The warnings of one server."""

    def __init__(self, client: AtelierClient) -> None:
        self._strikes = client.desk.strikes
        self._standing = client.review.standing
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
        check_person(member)
        assert interaction.guild is not None, "the command exists in servers only"
        entry = _entry(interaction, guild_id, Act.WARNED, member, reason)
        count, told = await self._standing.warn(interaction.guild, entry, f"aw{interaction.id}")
        await tell(interaction, f"<@{member.id}> has {count} active {_warnings(count)} now.{told}")

    @app_commands.command(name="clear")
    @app_commands.describe(member=WHO, reason=WHY)
    async def clear(self, interaction: Interaction, member: discord.User, reason: Reason | None = None) -> None:
        """Take all active warnings of a member back, with the pauses they led to."""
        guild_id = await _moderator(interaction)
        count = await self._standing.clear(_entry(interaction, guild_id, Act.CLEARED, member, reason))
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
        hours: app_commands.Range[int, 1, MOST_HOURS] | None = None,
    ) -> None:
        """Keep a member from painting in this server; nothing else is taken from them."""
        guild_id = await _moderator(interaction)
        check_person(member)
        until = self._clock() + hours * HOUR if hours is not None else None
        await self._standing.ban(_entry(interaction, guild_id, Act.BANNED, member, reason), until)
        how_long = f"until <t:{int(until)}:f>" if until is not None else "until somebody uses /strikes unban"
        await tell(interaction, f"<@{member.id}> cannot paint here {how_long}. They are told when they try.")

    @app_commands.command(name="unban")
    @app_commands.describe(member=WHO, reason=WHY)
    async def unban(self, interaction: Interaction, member: discord.User, reason: Reason | None = None) -> None:
        """Let a member paint again; their warnings stay."""
        guild_id = await _moderator(interaction)
        await self._standing.unban(_entry(interaction, guild_id, Act.UNBANNED, member, reason))
        await tell(interaction, f"<@{member.id}> can paint here again.")


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
    return deed_of(guild_id, interaction.user.id, action, member.id, reason or "")


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
