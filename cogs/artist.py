"""/artist: people who asked not to be imitated, and the form by which anybody can ask."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, cast

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.artist_requests import artist_named, decide
from bot.buttons import buttons
from bot.client import AtelierClient
from bot.echo import echo, fenced
from bot.forms import Form, values_of
from bot.moderation.artists import LONGEST_NAME
from bot.presses import custom_id_of
from bot.store.artists import ArtistRequest
from cogs.moderators import guild_of, moderated_guild
from generation.errors import BadRequest, NotAllowed

PREFIX = "ar:"
CONTACT_LENGTH = 100  # characters
RELATION_LENGTH = 500  # characters
MOST_OPEN = 3  # requests of one person that wait for a decision
MOST_WAITING = 200  # requests of one server that wait
SHOWN = 5  # requests in one message, each with its two buttons
LIST_LENGTH = 1800  # characters that fit one message; longer lists come as a file
ABOUT = "People who asked not to be imitated"


@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class ArtistList(commands.GroupCog, group_name="artist", group_description=ABOUT):
    """The opt-out list of one server; asking to be on it is open to everybody."""

    def __init__(self, client: AtelierClient) -> None:
        self._rules = client.studio.rules
        self._artists = client.desk.artists
        client.answerers[PREFIX] = self._answer

    @app_commands.command(name="add")
    @app_commands.describe(
        name="The whole name; “F. Last” and other writings of it count by themselves",
        surname="True: the last part of the name alone counts too",
    )
    async def add(
        self, interaction: Interaction, name: app_commands.Range[str, 1, LONGEST_NAME], surname: bool = False
    ) -> None:
        """For moderators: nobody may ask for pictures in the manner of this person any more."""
        guild_id = await moderated_guild(interaction)
        artist = artist_named(name, surname=surname)
        await self._rules.add_artist(guild_id, artist, interaction.user.id)
        await tell(interaction, f"On the list: {echo(artist.shown)}")

    @app_commands.command(name="remove")
    @app_commands.describe(name="The name as /artist list shows it")
    async def remove(self, interaction: Interaction, name: app_commands.Range[str, 1, LONGEST_NAME]) -> None:
        """For moderators: take a name from the list."""
        guild_id = await moderated_guild(interaction)
        if not await self._rules.remove_artist(guild_id, name, interaction.user.id):
            raise BadRequest(f"“{name}” is not on this server's list; /artist list shows it.")
        await tell(interaction, f"No longer on the list: {echo(name)}")

    @app_commands.command(name="list")
    async def list(self, interaction: Interaction) -> None:
        """For moderators: show the list."""
        guild_id = await moderated_guild(interaction)
        artists = self._rules.artists(guild_id)
        if not artists:
            await tell(interaction, "Nobody is on this server's list yet; /artist add puts a name on it.")
            return
        text = "\n".join(artist.shown for artist in artists)
        if len(fenced(text)) <= LIST_LENGTH:
            await tell(interaction, f"They asked not to be imitated:\n```\n{fenced(text)}\n```")
            return
        file = discord.File(io.BytesIO(text.encode()), "artists.txt")
        await interaction.edit_original_response(content="They asked not to be imitated:", attachments=[file])

    @app_commands.command(name="request")
    async def request(self, interaction: Interaction) -> None:
        """Ask that pictures in the manner of you, or of somebody you speak for, are not made here."""
        await interaction.response.send_modal(_request_form())

    @app_commands.command(name="requests")
    async def requests(self, interaction: Interaction) -> None:
        """For moderators: what artists have asked for, to accept or to decline."""
        guild_id = await moderated_guild(interaction)
        waiting = await self._artists.open_requests(guild_id)
        await interaction.edit_original_response(content=_requests_text(waiting), view=_request_buttons(waiting))

    # -- what is pressed and sent ------------------------------------------------------------------------------------

    async def _answer(self, interaction: Interaction) -> None:
        deed, _, key = custom_id_of(interaction).removeprefix(PREFIX).partition(":")
        if deed == "request":
            await self._sent(interaction)
        elif deed in ("yes", "no") and key.isdecimal() and len(key) < 10:
            await self._decided(interaction, int(key), accepted=deed == "yes")
        else:
            raise BadRequest("This button is no longer known here; please type /artist requests again.")

    async def _sent(self, interaction: Interaction) -> None:
        if interaction.guild_id is None:
            raise NotAllowed("That works only in a server.")
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        values = {name: text.strip() for name, text in values_of(cast(Mapping[str, Any], interaction.data)).items()}
        artist = artist_named(values.get("name", ""))
        waiting = await self._artists.open_requests(interaction.guild_id)
        own = sum(request.requested_by == interaction.user.id for request in waiting)
        if own >= MOST_OPEN or len(waiting) >= MOST_WAITING:
            raise BadRequest("Your earlier requests are still with the moderators; please wait for their answer.")
        contact, relation = values.get("contact", "")[:CONTACT_LENGTH], values.get("relation", "")[:RELATION_LENGTH]
        await self._artists.ask(interaction.guild_id, artist.name, contact, relation, interaction.user.id)
        await tell(interaction, f"Thank you. The moderators read about {echo(artist.name)} in /artist requests.")

    async def _decided(self, interaction: Interaction, request_id: int, *, accepted: bool) -> None:
        guild_id = guild_of(interaction)
        await interaction.response.defer()
        by = interaction.user.id
        name = await decide(self._rules, self._artists, guild_id, request_id, by, accepted=accepted)
        if name is None:
            said = "That request was decided already."
        elif accepted:
            said = f"Accepted: {echo(name)} is on the list now."
        else:
            said = f"Declined: {echo(name)}."
        waiting = await self._artists.open_requests(guild_id)
        text = f"{said}\n\n{_requests_text(waiting)}"
        await interaction.edit_original_response(content=text, view=_request_buttons(waiting))


def _request_form() -> Form:
    form = Form("Please do not imitate", f"{PREFIX}request")
    form.ask("name", "Name", "The artist's whole name, as it is known", max_length=LONGEST_NAME)
    form.ask("contact", "Link or contact", "Where the moderators can see who you are", max_length=CONTACT_LENGTH)
    form.ask(
        "relation",
        "Who are you to the artist?",
        "The artist, their gallery, their family …",
        style=discord.TextStyle.paragraph,
        max_length=RELATION_LENGTH,
    )
    return form


def _requests_text(waiting: Sequence[ArtistRequest]) -> str:
    if not waiting:
        return "No request is waiting."
    lines = []
    for place, request in enumerate(waiting[:SHOWN], start=1):
        asked = f"<@{request.requested_by}>, <t:{request.requested_at:.0f}:d>"
        lines.append(f"**{place}. {echo(request.name, 80)}** ({asked})\n{echo(request.contact, 130)}")
        lines.append(f"-# {echo(request.relation, 80)}")
    if len(waiting) > SHOWN:
        lines.append(f"and {len(waiting) - SHOWN:,} more")
    return "\n".join(lines)


def _request_buttons(waiting: Sequence[ArtistRequest]) -> discord.ui.View | None:
    pairs = [
        button
        for place, request in enumerate(waiting[:SHOWN], start=1)
        for button in (
            (f"Accept {place}", f"{PREFIX}yes:{request.id}", discord.ButtonStyle.success),
            (f"Decline {place}", f"{PREFIX}no:{request.id}", discord.ButtonStyle.secondary),
        )
    ]
    return buttons(*pairs, in_row=2) if pairs else None


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(ArtistList(client))
