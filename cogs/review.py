"""/review: where moderators look at what was kept back or reported, and what waits there."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient
from bot.review.evidence import Seat
from bot.review.guild_rules import GuildRules
from bot.review.moderators import check_may_decide, check_moderator
from bot.review.queue_channel import PUBLIC, check_usable, is_public
from bot.review.rules import MOST_DAYS, MOST_HOURS, MOST_PEOPLE, ReviewRules, rules_text
from bot.review.words import line_text
from bot.visitor import address_of
from generation.errors import NotAllowed

MOST_CASES = 2**31 - 1  # numbers that the store's column holds
SHOWN = 8  # cases that fit one message
AGAIN = "/review channel tries again, /review open shows one here."
NO_CHANNEL = (
    "There is no review channel yet: cases wait here, nothing is lost, and /review open shows one. "
    "/review channel gives them a place where every moderator sees them."
)


@app_commands.default_permissions(manage_messages=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Review(commands.GroupCog, group_name="review", group_description="Pictures that wait for a moderator"):
    """The queue of one server."""

    def __init__(self, client: AtelierClient) -> None:
        self._review = client.review
        self._desk = client.desk
        self._courier = client.courier
        self._clock = client.studio.clock

    @app_commands.command(name="channel")
    @app_commands.describe(channel="Where only moderators read; leave it out to have no channel")
    async def channel(self, interaction: Interaction, channel: discord.TextChannel | None = None) -> None:
        """Choose the channel in which cases are shown to moderators."""
        guild_id = await _manager(interaction)
        if channel is None:
            await self._change(interaction, guild_id, channel=None)
            await tell(interaction, NO_CHANNEL)
            return
        check_usable(channel)
        await self._change(interaction, guild_id, channel=channel.id)
        waiting = await self._review.show_waiting(guild_id)
        rest = f" {waiting} waiting cases follow there." if waiting else ""
        public = f"\n{PUBLIC}" if is_public(channel) else ""
        await tell(interaction, f"Cases are shown in <#{channel.id}> from now on.{rest}{public}")

    @app_commands.command(name="rules")
    @app_commands.describe(
        report_threshold="Different members whose reports hide a picture at once; 0: never",
        strike_days="Days after which a warning counts no longer",
        pause_at="Active warnings that pause painting; 0: never",
        pause_hours="Hours of that pause",
        ban_at="Active warnings that end painting until a moderator lifts it; 0: never",
        reviewers="A role whose members decide cases too; @everyone: nobody but moderators",
    )
    async def rules(
        self,
        interaction: Interaction,
        report_threshold: app_commands.Range[int, 0, MOST_PEOPLE] | None = None,
        strike_days: app_commands.Range[int, 1, MOST_DAYS] | None = None,
        pause_at: app_commands.Range[int, 0, MOST_PEOPLE] | None = None,
        pause_hours: app_commands.Range[int, 1, MOST_HOURS] | None = None,
        ban_at: app_commands.Range[int, 0, MOST_PEOPLE] | None = None,
        reviewers: discord.Role | None = None,
    ) -> None:
        """See or change what reports and warnings lead to."""
        guild_id = await _manager(interaction)
        given = {
            "report_threshold": report_threshold,
            "strike_days": strike_days,
            "pause_at": pause_at,
            "pause_hours": pause_hours,
            "ban_at": ban_at,
        }
        changes: dict[str, int | None] = {name: value for name, value in given.items() if value is not None}
        if reviewers is not None:
            changes["reviewers"] = None if reviewers.is_default() else reviewers.id
        rules = await self._change(interaction, guild_id, **changes) if changes else None
        await tell(interaction, rules_text(rules or self._review.rules.rules_for(guild_id)))

    @app_commands.command(name="list")
    async def list(self, interaction: Interaction) -> None:
        """Show what waits for a decision."""
        guild_id = await _moderator(interaction, self._review.rules)
        cases = await self._desk.cases.open_in(guild_id, SHOWN + 1)
        if self._review.owner_channel and interaction.channel_id == self._review.owner_channel:
            cases += await self._desk.cases.open_in(None, SHOWN + 1)
        lines = [line_text(case) for case in cases[:SHOWN]] or ["Nothing waits for a decision."]
        if len(cases) > SHOWN:
            lines.append("- and more; the oldest come first")
        channel = self._review.rules.rules_for(guild_id).channel
        if channel is None:
            lines.append(f"-# {NO_CHANNEL}")
        elif any(case.queue is None for case in cases):
            lines.append(f"-# Not all of them could be shown in <#{channel}>; may I still write there? {AGAIN}")
        await tell(interaction, "\n".join(lines))

    @app_commands.command(name="open")
    @app_commands.describe(case="The number that /review list shows")
    async def open(self, interaction: Interaction, case: app_commands.Range[int, 1, MOST_CASES]) -> None:
        """Show one case with its buttons, to you alone."""
        await _moderator(interaction, self._review.rules)
        found = await self._desk.cases.get(case)
        check_may_decide(interaction, found, self._review.rules)
        address = address_of(interaction, self._clock(), private=True)
        parcel = await self._review.parcel(found, Seat(alone=True, age_restricted=address.age_restricted))
        await self._courier.follow_up(address, parcel, ephemeral=True)

    async def _change(self, interaction: Interaction, guild_id: int, **changes: object) -> ReviewRules:
        return await self._review.rules.change(guild_id, interaction.user.id, **changes)


async def _moderator(interaction: Interaction, rules: GuildRules | None = None) -> int:
    guild_id = check_moderator(interaction, rules)
    interaction.extras[PRIVATE] = True
    await interaction.response.defer(ephemeral=True, thinking=True)
    return guild_id


async def _manager(interaction: Interaction) -> int:
    """As above, for settings; raises NotAllowed."""
    if not interaction.permissions.manage_guild:
        raise NotAllowed("Only people who may manage this server can change that.")
    return await _moderator(interaction)


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Review(client))
