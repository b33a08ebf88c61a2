"""/policy: moderators say what may be shown in their server, and where."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import Interaction, tell
from bot.client import AtelierClient
from bot.echo import echo
from bot.moderation.policy import NAMES, ORDINARY_MOST, WORDS, Policy
from bot.order import Place
from bot.policybook import PolicyBook
from bot.store.policies import WHOLE_GUILD
from bot.visitor import as_moderator
from generation.errors import BadRequest
from generation.safety.level import Level
from generation.workers.worker import WorkerStatus

ABOUT = "What pictures may be shown in this server"
NEVER = (
    "Whatever is set here: pictures that may sexualise minors, and explicit pictures made from an uploaded one, are "
    "never shown, kept or reviewed."
)
LEVELS = [app_commands.Choice(name=f"{NAMES[level]} – {WORDS[level]}", value=int(level)) for level in Level]
ORDINARY = [choice for choice in LEVELS if choice.value <= ORDINARY_MOST]

Places = discord.TextChannel | discord.VoiceChannel | discord.Thread


@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class PolicyCog(commands.GroupCog, group_name="policy", group_description=ABOUT):
    """The policy of one server and its channels."""

    def __init__(self, client: AtelierClient) -> None:
        self._studio = client.studio
        self._book = client.studio.policies

    @app_commands.command(name="show")
    async def show(self, interaction: Interaction) -> None:
        """Show what may be shown where, and what the checkers look for."""
        guild_id = await as_moderator(interaction)
        await tell(interaction, policy_text(self._book, guild_id, self._studio.status))

    @app_commands.command(name="set")
    @app_commands.describe(
        ordinary="The most that ordinary channels show",
        restricted="The most that age-restricted channels show (Discord's own setting of a channel)",
        spoiler="From where on pictures are posted behind a spoiler",
        channel="Only for this channel; left out, for the whole server",
    )
    @app_commands.choices(ordinary=ORDINARY, restricted=LEVELS, spoiler=LEVELS[1:])
    async def set(
        self,
        interaction: Interaction,
        ordinary: int | None = None,
        restricted: int | None = None,
        spoiler: int | None = None,
        channel: Places | None = None,
    ) -> None:
        """Change what may be shown; it holds for everything that is not painted yet."""
        guild_id = await as_moderator(interaction)
        asked = {"level": ordinary, "restricted_level": restricted, "spoiler_from": spoiler}
        changes = {name: _known(value) for name, value in asked.items() if value is not None}
        if not changes:
            raise BadRequest("Say what to change: ordinary, restricted or spoiler.")
        if changes.get("level", Level.NEUTRAL) > ORDINARY_MOST:
            raise BadRequest(f"Ordinary channels show {NAMES[ORDINARY_MOST]} at most; mark the channel age-restricted.")
        channel_id = channel.id if channel is not None else WHOLE_GUILD
        await self._book.change(guild_id, changes, interaction.user.id, channel_id=channel_id)
        await tell(interaction, policy_text(self._book, guild_id, self._studio.status))

    @app_commands.command(name="reset")
    @app_commands.describe(channel="Only for this channel; left out, for the whole server")
    async def reset(self, interaction: Interaction, channel: Places | None = None) -> None:
        """Go back to the strictest levels, or let a channel follow the server again."""
        guild_id = await as_moderator(interaction)
        changes = dict.fromkeys(("level", "restricted_level", "spoiler_from"))
        channel_id = channel.id if channel is not None else WHOLE_GUILD
        await self._book.change(guild_id, changes, interaction.user.id, channel_id=channel_id)
        await tell(interaction, policy_text(self._book, guild_id, self._studio.status))


def policy_text(book: PolicyBook, guild_id: int, status: WorkerStatus | None) -> str:
    """The policy of a guild, its channels and what stands behind it, for moderators."""
    lines = ["**This server**", *_levels(book.of(Place(guild_id=guild_id)))]
    for channel_id in book.channels(guild_id):
        policy = book.of(Place(guild_id=guild_id, channel_ids=frozenset({channel_id})))
        lines += [f"**<#{channel_id}>**", *_levels(policy)]
    lines.append("**What looks at every picture**")
    if status is None:
        lines.append("- The engine is loading; ask again in a moment.")
    else:
        lines += [f"- {echo(sentence, 300)}" for sentence in status.coverage] or ["- Nothing: no picture is shown."]
    return "\n".join([*lines, f"-# {NEVER}"])[:2000]


def _levels(policy: Policy) -> list[str]:
    ordinary, restricted = min(policy.level, ORDINARY_MOST), max(policy.level, policy.restricted_level)
    return [
        f"- Ordinary channels show up to **{NAMES[ordinary]}** ({WORDS[ordinary]})",
        f"- Age-restricted channels show up to **{NAMES[restricted]}** ({WORDS[restricted]})",
        f"- Behind a spoiler from **{NAMES[policy.spoiler_from]}** on",
    ]


def _known(value: int) -> Level:
    try:
        return Level(value)
    except ValueError as error:
        raise BadRequest(f"There is no such level; choose one of {', '.join(NAMES.values())}.") from error


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(PolicyCog(client))
