"""/filter: moderators say which words may not be asked for in their server."""

from __future__ import annotations

import asyncio
import io
import secrets
import time
from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import Interaction, tell
from bot.automod import taken_over
from bot.buttons import buttons
from bot.client import AtelierClient
from bot.echo import echo, fenced
from bot.moderation.entries import LONGEST_ENTRY, LONGEST_LANGUAGE, Entry, exported
from bot.moderation.linter import Lint, dictionary, examine
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.presses import custom_id_of
from bot.rule_files import FILE_SIZE, take_in
from bot.rulebook import understood
from cogs.filter_text import (
    counted_rules,
    findings_text,
    hits_text,
    lint_text,
    problems_text,
    rules_text,
    scope_text,
)
from cogs.moderators import guild_of, moderated_guild
from generation.errors import BadRequest

TEXT_LENGTH = 1000  # characters
LIST_LENGTH = 1800  # characters that fit one message; longer lists come as a file
DAYS = 30  # of prompts against which a new rule is tried, and of figures
MOST_PROMPTS = 2000
OFFER_LIFE = 15 * 60.0  # seconds; an ephemeral message cannot be answered for longer
MOST_OFFERS = 1000
PREFIX = "af:"
ABOUT = "Words that may not be asked for in this server"
HOW = "A word, word*, *word*, two words, near:one, other, re:pattern, or allow:word"
LAPSED = "That offer has lapsed; please type /filter add again."
SEVERITIES = [
    app_commands.Choice(name="block: the prompt is refused", value="block"),
    app_commands.Choice(name="review: a moderator looks before anything is shown", value="review"),
    app_commands.Choice(name="shadow: only counted, to try a rule", value="shadow"),
]

Channel = discord.TextChannel | discord.VoiceChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class Offer:
    """A rule that waits for its moderator's second word."""

    guild_id: int
    moderator_id: int
    entry: Entry
    until: float  # monotonic seconds


@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Filter(commands.GroupCog, group_name="filter", group_description=ABOUT):
    """The rules of one server."""

    def __init__(self, client: AtelierClient) -> None:
        self._client = client
        self._rules = client.studio.rules
        self._hits = client.desk.hits
        self._offers: dict[str, Offer] = {}
        client.answerers[PREFIX] = self._decided

    # -- single rules ------------------------------------------------------------------------------------------------

    @app_commands.command(name="add")
    @app_commands.describe(
        rule=HOW,
        severity="What happens to a prompt that has it; block if you do not say",
        channel="Only in this channel and its threads",
        role="Only for members with this role",
        language="The language of the word, such as de; a note for your lists",
    )
    @app_commands.choices(severity=SEVERITIES)
    async def add(
        self,
        interaction: Interaction,
        rule: app_commands.Range[str, 1, LONGEST_ENTRY],
        severity: str | None = None,
        channel: Channel | None = None,
        role: discord.Role | None = None,
        language: app_commands.Range[str, 1, LONGEST_LANGUAGE] | None = None,
    ) -> None:
        """Add a rule, after a look at what else it would stop; it holds at once, also for requests that wait."""
        guild_id = await moderated_guild(interaction)
        scope = Scope(channel.id if channel else 0, role.id if role else 0)
        entry = understood(rule, Decision(severity) if severity else None, scope, language or "")
        lint = await self._lint(guild_id, entry)
        if not lint:
            await self._rules.put(guild_id, [entry], interaction.user.id)
            await tell(interaction, _added(entry))
            return
        key = self._offer(Offer(guild_id, interaction.user.id, entry, time.monotonic() + OFFER_LIFE))
        view = buttons(
            ("Add anyway", f"{PREFIX}add:{key}", discord.ButtonStyle.danger),
            ("Cancel", f"{PREFIX}no:{key}", discord.ButtonStyle.secondary),
        )
        await interaction.edit_original_response(content=lint_text(entry, lint, DAYS), view=view)

    async def _lint(self, guild_id: int, entry: Entry) -> Lint:
        since = self._client.studio.clock() - DAYS * 86_400
        prompts = await self._hits.prompts(guild_id, entry.scope, since, MOST_PROMPTS)
        return await asyncio.to_thread(lambda: examine(entry.rule(), dictionary(), prompts))

    def _offer(self, offer: Offer) -> str:
        now = time.monotonic()
        self._offers = {key: each for key, each in self._offers.items() if each.until > now}
        while len(self._offers) >= MOST_OFFERS:
            del self._offers[next(iter(self._offers))]
        key = secrets.token_hex(8)
        self._offers[key] = offer
        return key

    async def _decided(self, interaction: Interaction) -> None:
        """Add anyway, or Cancel."""
        guild_id = guild_of(interaction)
        await interaction.response.defer()
        deed, _, key = custom_id_of(interaction).removeprefix(PREFIX).partition(":")
        offer = self._offers.pop(key, None)
        sentence = LAPSED
        if offer is not None and (offer.guild_id, offer.moderator_id) == (guild_id, interaction.user.id):
            if deed == "no":
                sentence = f"Not added: {echo(offer.entry.line)}"
            elif offer.until > time.monotonic():
                await self._rules.put(guild_id, [offer.entry], interaction.user.id)
                sentence = _added(offer.entry)
        await interaction.edit_original_response(content=sentence, view=None)

    @app_commands.command(name="remove")
    @app_commands.describe(
        rule="The rule as /filter list shows it",
        channel="Only where it holds in this channel",
        role="Only where it holds for this role",
    )
    async def remove(
        self,
        interaction: Interaction,
        rule: app_commands.Range[str, 1, LONGEST_ENTRY],
        channel: Channel | None = None,
        role: discord.Role | None = None,
    ) -> None:
        """Remove a rule."""
        guild_id = await moderated_guild(interaction)
        scope = Scope(channel.id if channel else 0, role.id if role else 0) if channel or role else None
        removed = await self._rules.remove(guild_id, rule, interaction.user.id, scope)
        if not removed:
            raise BadRequest(f"There is no rule “{rule}” there; /filter list shows them all.")
        places = f" (it held in {removed} places)" if removed > 1 else ""
        await tell(interaction, f"Removed: {echo(rule)}{places}")

    @app_commands.command(name="test")
    @app_commands.describe(prompt="Words to try; nothing is painted")
    async def test(self, interaction: Interaction, prompt: app_commands.Range[str, 1, TEXT_LENGTH]) -> None:
        """Say what the filter makes of some words, and why."""
        guild_id = await moderated_guild(interaction)
        await tell(interaction, findings_text(await self._rules.test(guild_id, prompt)))

    # -- the whole list ----------------------------------------------------------------------------------------------

    @app_commands.command(name="list")
    @app_commands.describe(language="Only rules of this language")
    async def list(
        self, interaction: Interaction, language: app_commands.Range[str, 1, LONGEST_LANGUAGE] | None = None
    ) -> None:
        """Show the rules of this server."""
        guild_id = await moderated_guild(interaction)
        entries = [entry for entry in self._rules.entries(guild_id) if language in (None, entry.language)]
        exempt = ", ".join(f"<@&{role}>" for role in sorted(self._rules.exempt(guild_id)))
        note = f"\nThey do not bind {exempt}." if exempt else ""
        if not entries:
            await tell(interaction, f"There are no rules yet; /filter add makes one.{note}")
            return
        heading = "One rule:" if len(entries) == 1 else f"{len(entries):,} rules:"
        text = rules_text(entries, interaction.guild)
        if len(fenced(text)) + len(note) <= LIST_LENGTH:
            await tell(interaction, f"{heading}\n```\n{fenced(text)}\n```{note}")
            return
        file = discord.File(io.BytesIO(text.encode()), "rules.txt")
        await interaction.edit_original_response(content=heading + note, attachments=[file])

    @app_commands.command(name="export")
    async def export(self, interaction: Interaction) -> None:
        """All rules of this server as a file, for safekeeping or for another server."""
        guild_id = await moderated_guild(interaction)
        entries = self._rules.entries(guild_id)
        document = exported(entries, self._rules.exempt(guild_id))
        file = discord.File(io.BytesIO(document.encode()), "filter.json")
        sentence = f"{counted_rules(len(entries))}; /filter import reads this file."
        await interaction.edit_original_response(content=sentence, attachments=[file])

    @app_commands.command(name="import")
    @app_commands.describe(file="What /filter export gave, or a text file with one rule a line")
    async def import_(self, interaction: Interaction, file: discord.Attachment) -> None:
        """Add the rules of a file; if one of them is wrong, nothing is changed."""
        await moderated_guild(interaction)
        if file.size > FILE_SIZE:
            raise BadRequest(f"That file has {file.size // 1024:,} KiB; at most {FILE_SIZE // 1024} KiB are possible.")
        data = await self._client.download.fetch(file.url)
        assert interaction.guild is not None, "the command exists in servers only"
        taken = await take_in(self._rules, interaction.guild, data, interaction.user.id)
        if taken.problems:
            await tell(interaction, f"Nothing was changed, because of these:\n{problems_text(taken.problems)}")
            return
        note = f"\nLeft out, because their channel or role is not of this server: {taken.foreign}."
        await tell(interaction, f"Taken in: {counted_rules(taken.rules)}.{note if taken.foreign else ''}")

    @app_commands.command(name="automod")
    async def automod(self, interaction: Interaction) -> None:
        """Take over the words and patterns of this server's AutoMod rules."""
        guild_id = await moderated_guild(interaction)
        guild = interaction.guild
        assert guild is not None, "the command exists in servers only"
        try:
            rules = await guild.fetch_automod_rules()
        except discord.Forbidden as error:
            raise BadRequest(
                "Discord shows AutoMod rules only to bots that may manage the server. Give my role the permission "
                "“Manage Server”, try again, and take it away afterwards if you like."
            ) from error
        found = await asyncio.to_thread(taken_over, rules)
        await self._rules.put(guild_id, found.entries, interaction.user.id)
        sentence = f"Taken over from AutoMod: {counted_rules(len(found.entries))}."
        if found.left_out:
            sentence += f"\nNot taken over:\n{problems_text(found.left_out)}"
        await tell(interaction, sentence)

    # -- who, and how often ------------------------------------------------------------------------------------------

    @app_commands.command(name="exempt")
    @app_commands.describe(role="Whose members the rules do not bind", exempt="False: the rules bind them again")
    async def exempt(self, interaction: Interaction, role: discord.Role, exempt: bool = True) -> None:
        """Let members with a role pass by this server's rules."""
        guild_id = await moderated_guild(interaction)
        await self._rules.set_exempt(guild_id, [role.id], interaction.user.id, exempt=exempt)
        bound = "no longer bind" if exempt else "bind"
        await tell(interaction, f"This server's rules {bound} members with {role.mention}.")

    @app_commands.command(name="hits")
    @app_commands.describe(days="How far to look back")
    async def hits(self, interaction: Interaction, days: app_commands.Range[int, 1, 365] = DAYS) -> None:
        """How often each rule was met; nobody's words are kept for it."""
        guild_id = await moderated_guild(interaction)
        counts = await self._rules.counts(guild_id, self._client.studio.clock() - days * 86_400)
        await tell(interaction, hits_text(counts, days))


def _added(entry: Entry) -> str:
    place = f" ({scope_text(entry.scope)})" if scope_text(entry.scope) else ""
    return f"Added: {echo(entry.line)}{place}"


async def setup(client: AtelierClient) -> None:
    """Put the commands on the menu."""
    await client.add_cog(Filter(client))
