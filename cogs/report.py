"""“Report picture” in the menu of a message."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import Interaction
from bot.client import AtelierClient


class Report(commands.Cog):
    """Reporting without looking for the button; it works everywhere the bot does."""

    def __init__(self, client: AtelierClient) -> None:
        self._client = client
        self._menu = app_commands.ContextMenu(name="Report picture", callback=self._report)

    async def cog_load(self) -> None:
        """Put the entry on the menu."""
        self._client.tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        """Take it off again."""
        self._client.tree.remove_command(self._menu.name, type=self._menu.type)

    async def _report(self, interaction: Interaction, message: discord.Message) -> None:
        await self._client.presses.report_message(interaction, message)


async def setup(client: AtelierClient) -> None:
    """Put the command on the menu."""
    await client.add_cog(Report(client))
