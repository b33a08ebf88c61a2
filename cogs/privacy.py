"""/privacy: what is kept about oneself, as a list, as a file, or not at all any more."""

from __future__ import annotations

import io

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.card import Face
from bot.client import AtelierClient
from bot.press import Deed
from bot.privacy.words import delete_text, export_text, forget_press, show_text


class Privacy(commands.GroupCog, group_name="privacy", group_description="What is kept about you, and for how long"):
    """Everybody's own data, in servers and in direct messages alike."""

    def __init__(self, client: AtelierClient) -> None:
        self._client = client
        self._archive = client.desk.archive

    @app_commands.command(name="show")
    async def show(self, interaction: Interaction) -> None:
        """What is kept about you, and how long."""
        await _privately(interaction)
        await tell(
            interaction, show_text(self._client.studio.config.privacy, await self._archive.counts(interaction.user.id))
        )

    @app_commands.command(name="export")
    async def export(self, interaction: Interaction) -> None:
        """Everything that is kept about you, as a file only you see."""
        await _privately(interaction)
        limit = self._client.courier.size_limit(interaction.guild_id)
        export = await self._client.exports.make(interaction.user.id, limit)
        file = discord.File(io.BytesIO(export.data), "atelier-your-data.zip")
        await interaction.edit_original_response(content=export_text(export), attachments=[file])

    @app_commands.command(name="delete")
    async def delete(self, interaction: Interaction) -> None:
        """Delete everything that is kept about you; asks once more before it does."""
        await _privately(interaction)
        person = interaction.user.id
        waiting = await self._archive.unfinished(person)
        buttons = (
            Face(forget_press(Deed.FORGET, person), "Delete my data", danger=True),
            Face(forget_press(Deed.VANISH, person), "Delete my data and my pictures’ messages", danger=True),
        )
        await tell(interaction, delete_text(self._client.studio.config.privacy, len(waiting)), (buttons,))


async def _privately(interaction: Interaction) -> None:
    interaction.extras[PRIVATE] = True
    await interaction.response.defer(ephemeral=True, thinking=True)


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Privacy(client))
