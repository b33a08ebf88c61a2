"""/audit: who decided what, about whom and why."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import PRIVATE, Interaction, tell
from bot.client import AtelierClient
from bot.echo import echo
from bot.review.moderators import check_moderator
from bot.review.record import as_csv, as_json, deed
from bot.store.audit import MOST, THE_BOT, Entry

SHOWN = 10  # entries that fit one message
ECHO = 50  # characters of a reason in a list


class Audit(commands.Cog):
    """Reading the audit log."""

    def __init__(self, client: AtelierClient) -> None:
        self._audit = client.desk.audit

    @app_commands.command(name="audit")
    @app_commands.describe(
        member="Only what was done to this member",
        moderator="Only what this moderator did",
        export="Everything as a file",
    )
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def audit(
        self,
        interaction: Interaction,
        member: discord.User | None = None,
        moderator: discord.User | None = None,
        export: Literal["csv", "json"] | None = None,
    ) -> None:
        """Show what moderators decided, the newest first."""
        guild_id = check_moderator(interaction)
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        entries = await self._audit.entries(
            guild_id,
            member_id=member.id if member is not None else None,
            actor_id=moderator.id if moderator is not None else None,
            limit=SHOWN if export is None else MOST,
        )
        if export is None:
            await tell(interaction, audit_text(entries))
            return
        data = await asyncio.to_thread(as_csv if export == "csv" else as_json, entries)
        file = discord.File(io.BytesIO(data), f"audit.{export}")
        heading = f"{len(entries):,} entries, the newest first."
        await interaction.edit_original_response(content=heading, attachments=[file])


def audit_text(entries: Sequence[Entry]) -> str:
    """Entries as a list."""
    lines = []
    for entry in entries:
        who = "the bot" if entry.actor_id == THE_BOT else f"<@{entry.actor_id}>"
        whom = f" · <@{entry.member_id}>" if entry.member_id is not None else ""
        case = f" · case {entry.case_id}" if entry.case_id is not None else ""
        why = f": {echo(entry.reason, ECHO)}" if entry.reason else ""
        lines.append(f"- <t:{int(entry.at)}:f> {who} **{deed(entry.action)}**{whom}{case}{why}")
    return "\n".join(lines) or "Nothing is in the log yet."


async def setup(client: AtelierClient) -> None:
    """Put the command on the menu."""
    await client.add_cog(Audit(client))
