"""Who may decide: checked from Discord's own data at the moment of the press."""

from __future__ import annotations

import discord

from bot.answer import Interaction
from bot.review.case import Case
from bot.review.guild_rules import GuildRules
from bot.review.rules import ReviewRules
from generation.errors import NotAllowed

ONLY_MODERATORS = (
    "Only moderators (people who may manage messages, time members out, or review pictures here) can do that."
)


def moderates(interaction: Interaction, rules: ReviewRules | None = None) -> bool:
    """Whether the person may manage messages or time members out in the whole server, whatever one channel allows.

    With `rules` also whoever has the role that the server trusts with its reviews.
    """
    if not isinstance(interaction.user, discord.Member):
        return False
    reviews = rules is not None and rules.reviewers is not None and interaction.user.get_role(rules.reviewers)
    return rights_suffice(interaction.user.guild_permissions) or bool(reviews)


def rights_suffice(rights: discord.Permissions) -> bool:
    """Whether somebody with these rights in the whole server may decide."""
    return rights.administrator or rights.manage_messages or rights.moderate_members


def check_moderator(interaction: Interaction, guild_rules: GuildRules | None = None) -> int:
    """The server that the person moderates, or reviews for when `guild_rules` are given; raises NotAllowed."""
    if interaction.guild_id is None:
        raise NotAllowed("That works only in a server.")
    if not moderates(interaction, guild_rules.rules_for(interaction.guild_id) if guild_rules is not None else None):
        raise NotAllowed(ONLY_MODERATORS)
    return interaction.guild_id


def check_may_decide(interaction: Interaction, case: Case, guild_rules: GuildRules) -> None:
    """Raise NotAllowed unless the person reviews for the case's server, or in the owner's channel what goes there."""
    here = check_moderator(interaction, guild_rules) == case.guild_id
    owner_channel = guild_rules.owner_channel
    shown_to_owner = case.guild_id is None or (case.queue is not None and case.queue[0] == owner_channel)
    if not here and not (owner_channel is not None and interaction.channel_id == owner_channel and shown_to_owner):
        raise NotAllowed("This case belongs to another server.")
