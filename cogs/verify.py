"""/verify and “Is this from here?”: whether a picture was made by this bot."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.card import MESSAGE_LENGTH
from bot.client import AtelierClient
from bot.echo import echo
from bot.verify import Verifier, evidence_text
from generation.errors import BadRequest, Refusal
from generation.intake import MAX_BYTES
from generation.provenance.keyring import FOLDER, Keyring

AT_ONCE = 4  # pictures of one message
NO_PICTURE = "There is no picture attached to that message."
BUSY = "The picture you asked about before is still being looked at; please wait for that."


class Verify(commands.Cog):
    """Looking into files that people bring; nothing of them is kept."""

    def __init__(self, client: AtelierClient) -> None:
        self._client = client
        config = client.studio.config
        keyring = Keyring(config.data_dir / FOLDER)
        self._verifier = Verifier(client.desk.fingerprints, keyring, config.files.watermark)
        self._looking: set[int] = set()  # people whose picture is being looked at; one each, so that all get their turn
        self._menu = app_commands.ContextMenu(name="Is this from here?", callback=self.is_this_from_here)

    async def cog_load(self) -> None:
        """Context menus belong to no cog, so this one brings its own."""
        self._client.tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        """Take it away again."""
        self._client.tree.remove_command(self._menu.name, type=self._menu.type)

    @app_commands.command(name="verify")
    @app_commands.describe(picture="A picture, best as the file you got; it is looked at and not kept")
    async def verify(self, interaction: Interaction, picture: discord.Attachment) -> None:
        """Find out whether a picture was made by this bot."""
        await self._answer(interaction, [picture])

    async def is_this_from_here(self, interaction: Interaction, message: discord.Message) -> None:
        """The same for the pictures of a message."""
        pictures = [each for each in message.attachments if (each.content_type or "").startswith("image/")]
        if not pictures:
            raise BadRequest(NO_PICTURE)
        await self._answer(interaction, pictures)

    async def _answer(self, interaction: Interaction, pictures: Sequence[discord.Attachment]) -> None:
        if interaction.user.id in self._looking:
            raise BadRequest(BUSY)
        self._looking.add(interaction.user.id)
        try:
            interaction.extras[PRIVATE] = True
            await interaction.response.defer(ephemeral=True, thinking=True)
            if len(pictures) == 1:
                await tell(interaction, await self._said_of(pictures[0]))
                return
            said = [f"{echo(each.filename, 60)}: {await self._safely(each)}" for each in pictures[:AT_ONCE]]
            if len(pictures) > AT_ONCE:
                said.append(f"Only the first {AT_ONCE} pictures were looked at.")
            first, *others = _pages(said)
            await tell(interaction, first)
            for page in others:
                await interaction.followup.send(page, ephemeral=True)
        finally:
            self._looking.discard(interaction.user.id)

    async def _safely(self, picture: discord.Attachment) -> str:
        try:
            return await self._said_of(picture)
        except Refusal as refusal:  # one bad file among several
            return refusal.sentence

    async def _said_of(self, picture: discord.Attachment) -> str:
        if picture.size > MAX_BYTES:
            raise BadRequest(f"That file is larger than {MAX_BYTES // 1024**2} MiB, too large to look at.")
        return evidence_text(await self._verifier.examine(await self._client.download.fetch(picture.url)))


def _pages(said: Sequence[str]) -> list[str]:
    """Texts together in as few messages as hold them."""
    pages = [said[0]]
    for text in said[1:]:
        if len(pages[-1]) + 1 + len(text) <= MESSAGE_LENGTH:
            pages[-1] += f"\n{text}"
        else:
            pages.append(text)
    return pages


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Verify(client))
