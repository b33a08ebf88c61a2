"""/help and /about: what can be done here, with which model, and what is checked by what."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import PurePath

from discord import app_commands
from discord.ext import commands

from bot.answer import Interaction
from bot.card import UNCHECKED
from bot.client import AtelierClient
from bot.echo import echo
from bot.studio import Studio
from bot.terms import BUSINESS
from generation.workers.worker import WorkerStatus

HELP = """\
**/dream** paints a picture from words; only the prompt is needed.
Under every picture:
- **U1–U4** show one picture of a set by itself, **V1–V4** paint four variations of one.
- **Again** paints the same wish with new noise, **Edit** lets you change the recipe first.
- **Recipe** tells everything needed to paint it again, **Delete** removes it (yours, or for moderators).
- **Report** asks the moderators of this server to look at it; so does “Report picture” in a message's menu under Apps.
**/verify** says whether a picture was made here; so does *Is this from here?* in the menu of a message.
**/preferences** decides whether your prompts are written into your picture files.
**/queue** shows the line, **/cancel** takes you out of it, **/quota** says how much you can ask for.
**/models** shows the models and their licences, **/about** what paints now and what is checked.
**/privacy** shows what is kept about you and for how long, gives it to you, or deletes it.
**/artist request** asks that pictures in somebody's manner are not made here. Moderators: **/filter**, **/policy**, \
**/review**, **/strikes**, **/audit**, **/pause**, **/resume**."""


class About(commands.Cog):
    """What members may want to know."""

    def __init__(self, client: AtelierClient) -> None:
        self._studio = client.studio

    @app_commands.command(name="help")
    async def help(self, interaction: Interaction) -> None:
        """What can be done here."""
        await interaction.response.send_message(HELP, ephemeral=True)

    @app_commands.command(name="about")
    async def about(self, interaction: Interaction) -> None:
        """Which model paints, under which licence, and what is checked by what."""
        await interaction.response.send_message(about_text(self._studio, interaction.guild_id), ephemeral=True)


def about_text(studio: Studio, guild_id: int | None = None) -> str:
    """The model, its licence, the checks and the versions; what holds up the line comes first."""
    card, status = studio.card, studio.status
    name = PurePath(card.name).name if "/" in card.name or "\\" in card.name else card.name
    licence = studio.terms.of(card.name)
    lines = [
        *filter(None, [studio.standstill.words(guild_id)]),
        "**Atelier**, a self-hosted art bot",
        f"Model: **{echo(name, 80)}**, licence: {echo(licence.name, 200)}",
    ]
    if business := BUSINESS[licence.commercial]:
        lines.append(f"Licence: {business}.")
    if card.note:
        lines.append(echo(card.note, 300))
    if card.sha256:
        lines.append(f"Weights: SHA-256 {card.sha256[:16]}…")
    if status is None:
        lines.append("The model is being loaded.")
    else:
        lines.append(f"Painted on: {echo(status.device, 100)}")
        lines += _check_lines(status)
    lines.append("Prompts pass this server's /filter. A check says what it found, never that a picture is safe.")
    libraries = ", ".join(f"{name} {version(name)}" for name in ("discord.py", "diffusers", "torch"))
    lines.append(f"-# Python {platform.python_version()}, {libraries}")
    return "\n".join(lines)


def _check_lines(status: WorkerStatus) -> list[str]:
    checkers = [name for name in status.checkers if not name.startswith(UNCHECKED)]
    if checkers:
        pictures = f"Every picture is checked before it is shown, by: {echo(', '.join(checkers), 600)}"
    else:
        pictures = "No checker is there, so no picture is painted from words alone."
    if not status.accepts_uploads:
        uploads = "are refused: no checker could look at them"
    elif len(checkers) < len(status.checkers):
        uploads = "are accepted on this local Discord only; nothing checks what is painted from them"
    else:
        uploads = "are accepted"
    return [pictures, f"Pictures to start from {uploads}."]


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(About(client))
