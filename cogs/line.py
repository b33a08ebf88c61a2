"""/queue, /cancel and /quota: where one stands."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient
from bot.echo import echo
from bot.order import LineEntry
from bot.quota_text import quota_text
from bot.visitor import member_of
from generation.job import JobState

SHOWN = 15  # entries of the line that fit one message
ECHO = 60  # characters of a prompt in a list


class Line(commands.Cog):
    """Looking at the line and leaving it."""

    def __init__(self, client: AtelierClient) -> None:
        self._studio = client.studio

    @app_commands.command(name="queue")
    async def queue(self, interaction: Interaction) -> None:
        """Show what is being painted and who waits in this server."""
        await _privately(interaction)
        entries = await self._studio.line(interaction.guild_id)
        text = line_text(entries, interaction.user.id)
        await tell(interaction, _with_words(self._studio.standstill.words(interaction.guild_id), text))

    @app_commands.command(name="cancel")
    async def cancel(self, interaction: Interaction) -> None:
        """Cancel everything you have in the line; what was not painted yet is given back."""
        await _privately(interaction)
        count = await self._studio.cancel_all(member_of(interaction))
        pictures = "1 request is" if count == 1 else f"{count} requests are"
        await tell(interaction, f"{pictures} cancelled." if count else "You have nothing in the line.")

    @app_commands.command(name="quota")
    async def quota(self, interaction: Interaction) -> None:
        """Show how many pictures you can ask for now, and when there will be more."""
        await _privately(interaction)
        text = quota_text(await self._studio.quota(member_of(interaction)))
        await tell(interaction, _with_words(self._studio.standstill.words(interaction.guild_id), text))


def line_text(entries: list[LineEntry], person_id: int) -> str:
    """The line as a list; one's own entries stand out."""
    lines = []
    if not entries:
        return "The line is empty: /dream starts at once."
    for entry in entries[:SHOWN]:
        place = "painting now" if entry.state is JobState.RUNNING else f"number {entry.ahead + 1}"
        who = "**yours**" if entry.author_id == person_id else f"<@{entry.author_id}>"
        lines.append(f"- {place}: {who}, {echo(entry.prompt, ECHO)}")
    if len(entries) > SHOWN:
        lines.append(f"- and {len(entries) - SHOWN} more")
    return "\n".join(lines)


def _with_words(words: str, text: str) -> str:
    """What holds up the line comes first."""
    return f"{words}\n{text}" if words else text


async def _privately(interaction: Interaction) -> None:
    interaction.extras[PRIVATE] = True
    await interaction.response.defer(ephemeral=True, thinking=True)


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Line(client))
