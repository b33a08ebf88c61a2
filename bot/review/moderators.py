"""Who may decide: checked from Discord's own data at the moment of the press."""

from __future__ import annotations

import discord

from bot.answer import Interaction
from bot.courier import Unavailable, WayClosed, translated
from bot.review.case import Case
from bot.review.guild_rules import GuildRules
from bot.review.rules import ReviewRules
from generation.errors import NotAllowed

ONLY_MODERATORS = (
    "Only moderators (people who may manage messages, time members out, or review pictures here) can do that."
)
NO_RIGHT = "Only people who may time members out can do that; Warn is possible without that right."
ELSEWHERE = "A member can be timed out only from within their own server; Warn is possible here."
NOT_ABOVE = "You can time out only members whose highest role is below yours; Warn is possible all the same."
UNSEEN = "I cannot see this member's roles in the server right now, so I cannot time them out for you; please use Warn."


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


def check_may_time_out(interaction: Interaction, case: Case) -> None:
    """Raise NotAllowed unless Discord would let the person time somebody out in the case's server themselves."""
    person = interaction.user
    if not isinstance(person, discord.Member):
        raise NotAllowed(ONLY_MODERATORS)
    if not (person.guild_permissions.administrator or person.guild_permissions.moderate_members):
        raise NotAllowed(NO_RIGHT)
    if case.guild_id is not None and case.guild_id != interaction.guild_id:
        raise NotAllowed(ELSEWHERE)


async def check_outranks(interaction: Interaction, case: Case) -> None:
    """Raise NotAllowed unless the person stands above the case's member, whom the bot must not time out otherwise.

    Who wrote a direct message is in no server from which they could be timed out.
    """
    guild, person = interaction.guild, interaction.user
    if case.guild_id is None:
        return
    if guild is None or not isinstance(person, discord.Member) or not guild.roles:
        raise NotAllowed(UNSEEN)
    try:
        with translated():
            member = guild.get_member(case.author_id) or await guild.fetch_member(case.author_id)
    except (WayClosed, Unavailable) as error:
        raise NotAllowed(UNSEEN) from error
    if not outranks(guild, person, member):
        raise NotAllowed(NOT_ABOVE)


def outranks(guild: discord.Guild, person: discord.Member, other: discord.Member) -> bool:
    """Discord's hierarchy: the owner stands above everybody, then the highest role decides."""
    if person.id == other.id or other.id == guild.owner_id:
        return False
    return person.id == guild.owner_id or person.top_role > other.top_role
