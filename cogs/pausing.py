"""/pause, /resume and /notice: whoever is responsible holds up the line, or says something to everybody."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient
from bot.standstill import LONGEST
from cogs.moderators import guild_of
from generation.errors import NotAllowed

MOST_MINUTES = 7 * 24 * 60
ONLY_OWNER = "Only the owner of this bot can do that."
NOT_PAUSED = "Painting is not paused here."

Minutes = app_commands.Range[int, 1, MOST_MINUTES]
Words = app_commands.Range[str, 1, LONGEST]


class Pausing(commands.Cog):
    """A server's line belongs to whoever manages the server; the whole house to the owner of the bot."""

    def __init__(self, client: AtelierClient) -> None:
        self._client = client
        self._standstill = client.studio.standstill

    @app_commands.command(name="pause")
    @app_commands.describe(
        reason="Why, as members read it",
        minutes="After how long painting goes on by itself; until /resume when left out",
        everywhere="In all servers (only for the owner of this bot)",
    )
    @app_commands.default_permissions(manage_guild=True)
    async def pause(
        self,
        interaction: Interaction,
        reason: Words | None = None,
        minutes: Minutes | None = None,
        everywhere: bool = False,
    ) -> None:
        """Paint nothing new for a while; requests are taken and keep their places."""
        guild_id = await self._scope(interaction, everywhere)
        pause = await self._standstill.pause(guild_id, interaction.user.id, reason or "", minutes)
        where = "in this server" if guild_id is not None else "for everybody"
        await tell(interaction, f"This is what members read now:\n{pause.sentence(where)}")

    @app_commands.command(name="resume")
    @app_commands.describe(everywhere="In all servers (only for the owner of this bot)")
    @app_commands.default_permissions(manage_guild=True)
    async def resume(self, interaction: Interaction, everywhere: bool = False) -> None:
        """Let painting go on."""
        guild_id = await self._scope(interaction, everywhere)
        ended = await self._standstill.resume(guild_id, interaction.user.id)
        still = self._standstill.why(interaction.guild_id)
        await tell(interaction, (still or "Painting goes on.") if ended else (still or NOT_PAUSED))

    @app_commands.command(name="notice")
    @app_commands.describe(text="What everybody reads who waits or looks at the line; nothing removes it")
    @app_commands.default_permissions(administrator=True)
    async def notice(self, interaction: Interaction, text: Words | None = None) -> None:
        """Say something to everybody until it is removed (only for the owner of this bot)."""
        await self._scope(interaction, everywhere=True)
        await self._standstill.announce(text or "", interaction.user.id)
        shown = self._standstill.notice
        await tell(interaction, f"Everybody reads now:\n📣 {shown}" if shown else "The notice is removed.")

    async def _scope(self, interaction: Interaction, everywhere: bool) -> int | None:
        """The server whose line is meant, None for the whole house, with a private answer begun; raises NotAllowed."""
        guild_id = None if everywhere or interaction.guild_id is None else guild_of(interaction)
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        if guild_id is None and not await self._client.is_owner(interaction.user):
            raise NotAllowed(ONLY_OWNER)
        return guild_id


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Pausing(client))
