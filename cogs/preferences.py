"""/preferences: what members choose for themselves."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient

WITH = "Your prompts are written into your picture files from now on; whoever gets a file can read them."
WITHOUT = "Your prompts stay out of your picture files. The Recipe button under a picture still tells them."
NOWHERE = " On this bot nothing of the recipe is written into files, though; its owner has turned that off."


class PreferencesMenu(commands.Cog):
    """One member's choices, the same in every server."""

    def __init__(self, client: AtelierClient) -> None:
        self._preferences = client.desk.preferences
        self._embeds = client.studio.config.files.embed_recipe

    @app_commands.command(name="preferences")
    @app_commands.describe(embed_prompt="Write your prompts into your picture files, for programs that read them there")
    async def preferences(self, interaction: Interaction, embed_prompt: bool | None = None) -> None:
        """Show or change what you have chosen for your pictures."""
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        if embed_prompt is not None:
            await self._preferences.set_embed_prompt(interaction.user.id, embed_prompt)
        wanted = await self._preferences.embeds_prompt(interaction.user.id)
        await tell(interaction, (WITH if wanted else WITHOUT) + ("" if self._embeds or not wanted else NOWHERE))


async def setup(client: AtelierClient) -> None:
    """Put the command on the menu."""
    await client.add_cog(PreferencesMenu(client))
