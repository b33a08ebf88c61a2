"""Who may decide: checked from Discord's own data at the moment of the press."""

from __future__ import annotations

import discord

from bot.answer import Interaction
from bot.review.case import Case
from generation.errors import NotAllowed

ONLY_MODERATORS = "Only moderators (people who may manage messages or time members out) can do that."


def moderates(interaction: Interaction) -> bool:
    """Whether the person may manage messages or time members out in the whole server, whatever one channel allows."""
    if not isinstance(interaction.user, discord.Member):
        return False
    return rights_suffice(interaction.user.guild_permissions)


def rights_suffice(rights: discord.Permissions) -> bool:
    """Whether somebody with these rights in the whole server may decide."""
    return rights.administrator or rights.manage_messages or rights.moderate_members


def check_moderator(interaction: Interaction) -> int:
    """The server that the person moderates; raises NotAllowed."""
    if interaction.guild_id is None:
        raise NotAllowed("That works only in a server.")
    if not moderates(interaction):
        raise NotAllowed(ONLY_MODERATORS)
    return interaction.guild_id


def check_may_decide(interaction: Interaction, case: Case, owner_channel: int) -> None:
    """Raise NotAllowed unless this is a moderator of the case's own server, or of the owner's channel."""
    here = check_moderator(interaction) == case.guild_id
    if not here and not (owner_channel and interaction.channel_id == owner_channel):
        raise NotAllowed("This case belongs to another server.")
