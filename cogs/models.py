"""/models: what can paint here, and under which licence."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot.answer import Interaction
from bot.client import AtelierClient
from bot.terms import models_text

PAGE = 1900  # characters of a message


class Models(commands.Cog):
    """The models on offer."""

    def __init__(self, client: AtelierClient) -> None:
        self._studio = client.studio

    @app_commands.command(name="models")
    async def models(self, interaction: Interaction) -> None:
        """Which models paint here, and under which licence each of them is."""
        first, *others = pages(models_text(self._studio.terms, self._studio.composer.models[0]))
        await interaction.response.send_message(first, ephemeral=True)
        for page in others:
            await interaction.followup.send(page, ephemeral=True)


def pages(text: str) -> list[str]:
    """`text` cut between lines into messages."""
    found = [""]
    for line in text.splitlines():
        if len(found[-1]) + len(line) + 1 > PAGE:
            found.append("")
        found[-1] += f"{line}\n"
    return [page.rstrip() for page in found]


async def setup(client: AtelierClient) -> None:
    """Put the command on the menu."""
    await client.add_cog(Models(client))
