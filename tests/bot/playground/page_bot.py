"""A small application in unmodified discord.py that shows the page everything a message can hold."""

from __future__ import annotations

import asyncio
import io

import discord
import yarl
from discord import app_commands, ui
from PIL import Image

STYLES = ("charcoal", "ink", "oil", "pastel", "watercolour")
HOSTILE = '<img src=x onerror="document.title=1"> [click](javascript:alert(1)) <script>document.title=2</script>'


def picture(name: str, colour: str, *, size: int = 96, **more: bool | str) -> discord.File:
    """A plain picture as an upload."""
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "PNG")
    buffer.seek(0)
    return discord.File(buffer, name, **more)  # type: ignore[arg-type]


class Recipe(ui.Modal, title="Edit and run"):
    """Every kind of field that discord.py can open."""

    intro = ui.TextDisplay("Change the **recipe**.")
    prompt = ui.Label(text="Prompt", description="What to paint", component=ui.TextInput(min_length=3, max_length=50))
    sampler = ui.Label(
        text="Sampler",
        component=ui.Select(options=[discord.SelectOption(label=name) for name in ("Euler", "DDIM")]),
    )
    shape = ui.Label(
        text="Shape",
        component=ui.RadioGroup(options=[discord.RadioGroupOption(label=name) for name in ("Square", "Wide")]),
    )
    extras = ui.Label(
        text="Extras",
        component=ui.CheckboxGroup(
            options=[discord.CheckboxGroupOption(label=name) for name in ("Upscale", "Frame")],
            required=False,
            min_values=0,
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Say back what arrived."""
        fields = (self.prompt.component, self.sampler.component, self.shape.component, self.extras.component)
        values = [getattr(field, "values", None) or getattr(field, "value", None) for field in fields]
        await interaction.response.send_message(f"form: {values}", ephemeral=True)


class Card(ui.View):
    """The buttons under a picture."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.button(label="Recipe", custom_id="card:recipe")
    async def recipe(self, interaction: discord.Interaction, _: ui.Button[Card]) -> None:
        """A message for one person only."""
        await interaction.response.send_message("seed 16, 20 steps", ephemeral=True)

    @ui.button(label="Edit and run", custom_id="card:edit", style=discord.ButtonStyle.primary)
    async def edit(self, interaction: discord.Interaction, _: ui.Button[Card]) -> None:
        """A form."""
        await interaction.response.send_modal(Recipe())

    @ui.button(label="Not now", custom_id="card:never", disabled=True)
    async def never(self, interaction: discord.Interaction, _: ui.Button[Card]) -> None:
        """Disabled."""

    @ui.select(
        placeholder="Which one wins?",
        custom_id="card:which",
        options=[discord.SelectOption(label="Tree"), discord.SelectOption(label="Fish", description="the blue one")],
    )
    async def which(self, interaction: discord.Interaction, select: ui.Select[Card]) -> None:
        """A list."""
        await interaction.response.send_message(f"chosen: {select.values}", ephemeral=True)


class Wall(ui.LayoutView):
    """Components of the second generation."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        gallery = ui.MediaGallery(
            discord.MediaGalleryItem("attachment://one.png", description="a red square"),
            discord.MediaGalleryItem("attachment://two.png", description="a blue square"),
        )
        vote: ui.Button[Wall] = ui.Button(label="Vote", style=discord.ButtonStyle.success, custom_id="wall:vote")
        self.add_item(
            ui.Container(
                ui.TextDisplay("## Picture of the day"),
                ui.Section(ui.TextDisplay("by the members"), accessory=vote),
                ui.Separator(),
                gallery,
                accent_colour=discord.Colour.orange(),
            )
        )


class PageBot(discord.Client):
    """The application the tests of the page talk to."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default(), guild_ready_timeout=0.1)
        self.tree = app_commands.CommandTree(self)
        for command in (dream, wall, hidden, hostile, silent):
            self.tree.add_command(command)
        self.tree.add_command(app_commands.ContextMenu(name="Count pictures", callback=count_pictures))
        self.tree.add_command(app_commands.ContextMenu(name="Pictures of this person", callback=pictures_of))
        self.listening = asyncio.Event()

    async def setup_hook(self) -> None:
        """Commands and buttons are there before the first person looks."""
        self.add_view(Card())
        await self.tree.sync()

    async def on_ready(self) -> None:
        """The gateway is up."""
        self.listening.set()


def point_at(origin: str) -> None:
    """Let discord.py find its Discord at `origin`."""
    discord.http.Route.BASE = f"{origin}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"{origin.replace('http', 'ws', 1)}/gateway")


@app_commands.command(description="Paint a picture from words")
@app_commands.describe(prompt="What to paint", aspect="Shape", style="A look", count="How many", image="To start from")
@app_commands.choices(aspect=[app_commands.Choice(name=name, value=name.lower()) for name in ("Square", "Wide")])
async def dream(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, 1000],
    aspect: str | None = None,
    style: str | None = None,
    count: app_commands.Range[int, 1, 4] | None = None,
    image: discord.Attachment | None = None,
) -> None:
    """Thinks, shows a preview, then the picture with its buttons."""
    await interaction.response.defer(thinking=True)
    await interaction.edit_original_response(content="painting", attachments=[picture("preview.png", "grey")])
    start = f"{image.filename} {image.width}x{image.height}" if image else None
    await asyncio.sleep(0.3)
    final = picture("picture.png", "firebrick", size=192, description=prompt[:100])
    about = f"aspect {aspect}, style {style}, count {count}, start {start}"
    await interaction.edit_original_response(content=f"{prompt}\n-# {about}", attachments=[final], view=Card())


@dream.autocomplete("style")
async def styles(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Styles that contain what was typed."""
    return [app_commands.Choice(name=name, value=name) for name in STYLES if current.lower() in name]


@app_commands.command(description="Components of the second generation")
async def wall(interaction: discord.Interaction) -> None:
    """A container with all it may hold."""
    files = [picture("one.png", "firebrick"), picture("two.png", "royalblue")]
    await interaction.response.send_message(view=Wall(), files=files)


@app_commands.command(description="A picture behind a cover")
async def hidden(interaction: discord.Interaction) -> None:
    """A spoiler."""
    await interaction.response.send_message("||the answer||", file=picture("secret.png", "seagreen", spoiler=True))


@app_commands.command(description="Text that would like to be more")
async def hostile(interaction: discord.Interaction) -> None:
    """Mark-up where only text belongs."""
    embed = discord.Embed(title=HOSTILE[:250], description=HOSTILE)
    embed.add_field(name="<b>bold</b>", value=HOSTILE)
    upload = discord.File(io.BytesIO(b"x"), "<b onclick=alert(1)>.txt")
    await interaction.response.send_message(HOSTILE, embed=embed, file=upload)


@app_commands.command(description="Says nothing at all")
async def silent(_: discord.Interaction) -> None:
    """Lets the three seconds pass."""


async def count_pictures(interaction: discord.Interaction, message: discord.Message) -> None:
    """A message command."""
    await interaction.response.send_message(f"{len(message.attachments)} picture(s)", ephemeral=True)


async def pictures_of(interaction: discord.Interaction, member: discord.Member) -> None:
    """A person command."""
    await interaction.response.send_message(f"nothing yet by {member.name}", ephemeral=True)
