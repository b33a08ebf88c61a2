"""/filter: moderators say which words may not be asked for in their server."""

from __future__ import annotations

import io

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient
from bot.echo import echo, fenced
from bot.moderation.verdict import Decision, Verdict
from generation.errors import BadRequest, NotAllowed

RULE_LENGTH = 260  # characters; the width of the column and Discord's own limit for a pattern
TEXT_LENGTH = 1000  # characters
LIST_LENGTH = 1800  # characters that fit one message; longer lists come as a file
ABOUT = "Words that may not be asked for in this server"
HOW = "A word, word*, *word*, “two words”, re:pattern, or allow:word"


@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Filter(commands.GroupCog, group_name="filter", group_description=ABOUT):
    """The rules of one server."""

    def __init__(self, client: AtelierClient) -> None:
        self._rules = client.studio.rules

    @app_commands.command(name="add")
    @app_commands.describe(rule=HOW)
    async def add(self, interaction: Interaction, rule: app_commands.Range[str, 1, RULE_LENGTH]) -> None:
        """Add a rule; it holds at once, also for requests that wait."""
        guild_id = await _moderators_guild(interaction)
        await self._rules.add(guild_id, rule, interaction.user.id)
        await tell(interaction, f"Added: {echo(rule)}")

    @app_commands.command(name="remove")
    @app_commands.describe(rule="The rule exactly as /filter list shows it")
    async def remove(self, interaction: Interaction, rule: app_commands.Range[str, 1, RULE_LENGTH]) -> None:
        """Remove a rule."""
        guild_id = await _moderators_guild(interaction)
        if not await self._rules.remove(guild_id, rule):
            raise BadRequest(f"There is no rule “{rule}”; /filter list shows them all.")
        await tell(interaction, f"Removed: {echo(rule)}")

    @app_commands.command(name="list")
    async def list(self, interaction: Interaction) -> None:
        """Show the rules of this server."""
        guild_id = await _moderators_guild(interaction)
        rules = self._rules.list(guild_id)
        if not rules:
            await tell(interaction, "There are no rules yet; /filter add makes one.")
            return
        heading = "One rule:" if len(rules) == 1 else f"{len(rules):,} rules:"
        text = fenced("\n".join(rules))
        if len(text) <= LIST_LENGTH:
            await tell(interaction, f"{heading}\n```\n{text}\n```")
            return
        file = discord.File(io.BytesIO("\n".join(rules).encode()), "rules.txt")
        await interaction.edit_original_response(content=heading, attachments=[file])

    @app_commands.command(name="test")
    @app_commands.describe(prompt="Words to try; nothing is painted")
    async def test(self, interaction: Interaction, prompt: app_commands.Range[str, 1, TEXT_LENGTH]) -> None:
        """Say what the filter makes of some words, and why."""
        guild_id = await _moderators_guild(interaction)
        await tell(interaction, verdict_text(self._rules.test(guild_id, prompt)))


def verdict_text(verdict: Verdict) -> str:
    """What the filter says, for moderators."""
    if verdict.verdict is Decision.ALLOW:
        return "Allowed: no rule matches."
    what = "Blocked" if verdict.verdict is Decision.BLOCK else "Kept for review"
    rule = f" by the rule {echo(verdict.rule)}" if verdict.rule is not None else ", whatever the rules"
    match = f"\nMatched: {echo(verdict.match)}" if verdict.match else ""
    view = f"\nRead as: {verdict.view}" if verdict.view is not None else ""
    return f"{what}{rule}.{match}{view}"


async def _moderators_guild(interaction: Interaction) -> int:
    """The server's id; raises NotAllowed. Discord's setting only hides the command, so the right is checked here."""
    if interaction.guild_id is None:
        raise NotAllowed("That works only in a server.")
    if not interaction.permissions.manage_guild:
        raise NotAllowed("Only people who may manage this server can use its filter.")
    interaction.extras[PRIVATE] = True
    await interaction.response.defer(ephemeral=True, thinking=True)
    return interaction.guild_id


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Filter(client))
