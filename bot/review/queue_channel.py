"""Whether a channel can show cases, and who would read them there."""

from __future__ import annotations

import discord

from generation.errors import BadRequest

NEEDED = ("view_channel", "send_messages", "attach_files")
PUBLIC = "Mind that everybody can read this channel: what was withheld is shown there, blurred and covered."


def check_usable(channel: discord.TextChannel) -> None:
    """Raise BadRequest when the bot could not show cases there."""
    rights = channel.permissions_for(channel.guild.me)
    if not all(getattr(rights, name) for name in NEEDED):
        raise BadRequest(f"I cannot post in #{channel.name}; let me see it, write and attach files there first.")


def is_public(channel: discord.TextChannel) -> bool:
    """Whether everybody can read it."""
    return channel.permissions_for(channel.guild.default_role).view_channel
