"""A small bot in unmodified discord.py that uses what the product does not."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
import yarl
from discord import app_commands, ui
from discord.ext import commands
from PIL import Image

from bot.playground import ids

HOME = discord.Object(ids.GUILD_ID)


def square(name: str = "square.png", colour: str = "firebrick", **more: Any) -> discord.File:
    """A picture of 24 x 24 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (24, 24), colour).save(file, "PNG")
    file.seek(0)
    return discord.File(file, name, **more)


class EveryField(ui.Modal, title="Every field"):
    """All that a modal can hold; what arrives goes to the bot's `heard`."""

    words = ui.TextDisplay("Fill in **everything**.")
    line = ui.Label(text="Line", description="One line", component=ui.TextInput(custom_id="line", min_length=2))
    radio = ui.Label(
        text="Radio",
        component=ui.RadioGroup(
            custom_id="radio",
            options=[discord.RadioGroupOption(label=name, value=name.lower()) for name in ("One", "Two")],
        ),
    )
    boxes = ui.Label(
        text="Boxes",
        component=ui.CheckboxGroup(
            custom_id="boxes",
            options=[discord.CheckboxGroupOption(label=name, value=name.lower()) for name in ("Red", "Green", "Blue")],
            min_values=1,
            max_values=3,
        ),
    )
    box = ui.Label(text="Box", component=ui.Checkbox(custom_id="box", default=False))

    async def on_submit(self, interaction: discord.Interaction[TourBot]) -> None:
        """Hand over what arrived and answer."""
        fields: list[Any] = [self.line.component, self.radio.component, self.boxes.component, self.box.component]
        interaction.client.heard.put_nowait(
            [field.values if hasattr(field, "values") else field.value for field in fields]
        )
        await interaction.response.send_message("Thank you", ephemeral=True)


class EverySelect(ui.Modal, title="Every select"):
    """The kinds of select, and a file."""

    style = ui.Label(
        text="Style",
        component=ui.Select(custom_id="style", options=[discord.SelectOption(label="Ink", value="ink", emoji="🖋️")]),
    )
    person = ui.Label(text="Person", component=ui.UserSelect(custom_id="person"))
    role = ui.Label(text="Role", component=ui.RoleSelect(custom_id="role", required=False, min_values=0))
    place = ui.Label(text="Place", component=ui.ChannelSelect(custom_id="place"))
    file = ui.Label(text="File", component=ui.FileUpload(custom_id="file", min_values=1, max_values=2))

    async def on_submit(self, interaction: discord.Interaction[TourBot]) -> None:
        """Hand over what arrived, the bytes of the file too, and answer later."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = [
            getattr(label.component, "values", None) for label in (self.style, self.person, self.role, self.place)
        ]
        (file,) = self.file.component.values  # type: ignore[attr-defined]
        interaction.client.heard.put_nowait([*chosen, file.filename, await file.read()])
        await interaction.followup.send("Thank you", ephemeral=True)


class Panel(ui.View):
    """A select of every kind on an ordinary message."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.select(cls=ui.UserSelect, custom_id="panel:user", max_values=2)
    async def user(self, interaction: discord.Interaction[TourBot], select: ui.UserSelect[Panel]) -> None:
        """People."""
        interaction.client.heard.put_nowait(select.values)
        await interaction.response.defer()

    @ui.select(cls=ui.RoleSelect, custom_id="panel:role")
    async def role(self, interaction: discord.Interaction[TourBot], select: ui.RoleSelect[Panel]) -> None:
        """Roles."""
        interaction.client.heard.put_nowait(select.values)
        await interaction.response.defer()

    @ui.select(cls=ui.MentionableSelect, custom_id="panel:any", max_values=2)
    async def mentionable(self, interaction: discord.Interaction[TourBot], select: ui.MentionableSelect[Panel]) -> None:
        """Either."""
        interaction.client.heard.put_nowait(select.values)
        await interaction.response.defer()

    @ui.select(cls=ui.ChannelSelect, custom_id="panel:place")
    async def place(self, interaction: discord.Interaction[TourBot], select: ui.ChannelSelect[Panel]) -> None:
        """Channels."""
        interaction.client.heard.put_nowait(select.values)
        await interaction.response.edit_message(content="Chosen", view=None)


class Vote(ui.Button["Wall"]):
    """Counts on its own label."""

    async def callback(self, interaction: discord.Interaction) -> None:
        """One more."""
        self.label = f"Votes: {int((self.label or ': 0').split()[-1]) + 1}"
        await interaction.response.edit_message(view=self.view)


class Wall(ui.LayoutView):
    """Components of the second generation, nested."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        vote = Vote(label="Votes: 0", custom_id="wall:vote")
        row: ui.ActionRow[Wall] = ui.ActionRow(vote, ui.Button(label="Docs", url="https://example.org/"))
        thumbnail: ui.Thumbnail[Wall] = ui.Thumbnail("attachment://square.png", description="a square", spoiler=True)
        self.add_item(
            ui.Container(
                ui.Section(ui.TextDisplay("## Of the day"), ui.TextDisplay("by Ada"), accessory=thumbnail),
                ui.Separator(spacing=discord.SeparatorSpacing.large),
                ui.MediaGallery(discord.MediaGalleryItem("attachment://square.png", description="a square")),
                ui.File("attachment://notes.txt"),
                row,
                accent_colour=0x336699,
                spoiler=False,
            )
        )
        self.add_item(ui.TextDisplay("-# quietly"))


class TourBot(commands.AutoShardedBot):
    """A command group, context menus, modals; `heard` is what its callbacks were given."""

    def __init__(self, shards: int = 1) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            intents=discord.Intents(
                guilds=True, guild_messages=True, dm_messages=True, guild_reactions=True, members=True
            ),
            shard_count=shards,
            guild_ready_timeout=0.1,
        )
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.ready_once = asyncio.Event()

    async def setup_hook(self) -> None:
        """Everything is registered for one guild, which is how developers try things out."""
        _, gateway, _ = await self.http.get_bot_gateway()
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
        for command in (field, choose, tool, slow):
            self.tree.add_command(command, guild=HOME)
        self.tree.add_command(app_commands.ContextMenu(name="Quote", callback=quote), guild=HOME)
        self.tree.add_command(app_commands.ContextMenu(name="Poke", callback=poke), guild=HOME)
        self.add_view(Panel())
        await self.tree.sync(guild=HOME)

    async def on_ready(self) -> None:
        """All shards are there."""
        self.ready_once.set()

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Its own reactions come back as events."""
        self.heard.put_nowait(("added", str(payload.emoji), payload.message_id))

    async def on_message(self, message: discord.Message) -> None:
        """Words that mention it, in a channel or in private."""
        if not message.author.bot:
            self.heard.put_nowait((message.author.name, message.content))


@app_commands.command(description="A modal with every field")
async def field(interaction: discord.Interaction) -> None:
    """Opens it."""
    await interaction.response.send_modal(EveryField())


@app_commands.command(description="A modal with every select")
async def choose(interaction: discord.Interaction) -> None:
    """Opens it."""
    await interaction.response.send_modal(EverySelect())


@app_commands.command(description="Never answers")
async def slow(interaction: discord.Interaction) -> None:
    """Answers when it is too late."""
    await asyncio.sleep(0.2)
    try:
        await interaction.response.send_message("late")
    except discord.NotFound as refusal:
        interaction.client.heard.put_nowait(refusal.code)  # type: ignore[attr-defined]


tool = app_commands.Group(name="tool", description="Commands in a group")


@tool.command(name="mix", description="Every kind of option")
async def mix(
    interaction: discord.Interaction[TourBot],
    words: app_commands.Range[str, 2, 10],
    whole: app_commands.Range[int, 1, 9],
    number: app_commands.Range[float, 0.5, 2.5],
    flag: bool,
    user: discord.Member,
    role: discord.Role,
    place: discord.TextChannel,
    file: discord.Attachment,
    tone: str = "plain",
) -> None:
    """Hand over what arrived."""
    interaction.client.heard.put_nowait(
        [words, whole, number, flag, user.name, role.name, place.name, file.filename, tone]
    )
    await interaction.response.send_message("Mixed", ephemeral=True)


@mix.autocomplete("tone")
async def tones(interaction: discord.Interaction[TourBot], current: str) -> list[app_commands.Choice[str]]:
    """What was filled in before can be read."""
    return [app_commands.Choice(name=f"{current} after {interaction.namespace.words}", value=current)]


async def quote(interaction: discord.Interaction, message: discord.Message) -> None:
    """Repeats a message, pinging nobody."""
    await interaction.response.send_message(f"> {message.content}", allowed_mentions=discord.AllowedMentions.none())


async def poke(interaction: discord.Interaction, member: discord.Member) -> None:
    """Mentions a person."""
    await interaction.response.send_message(f"{member.mention}!")
