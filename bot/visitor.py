"""Who presses and where, taken from an interaction and reduced to what the front desk needs."""

from __future__ import annotations

import discord

from bot.answer import PRIVATE, Interaction
from bot.order import INTERACTION_TOKEN_LIFE, Address, Member
from generation.errors import NotAllowed


def member_of(interaction: Interaction) -> Member:
    """The person, with the roles and rights they have where they ask."""
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return Member(
        id=interaction.user.id,
        guild_id=interaction.guild_id,
        role_names=frozenset(role.name for role in roles),
        role_ids=frozenset(role.id for role in roles),
        moderator=interaction.guild_id is not None and interaction.permissions.manage_messages,
        created_at=interaction.user.created_at.timestamp(),
        joined_at=_joined_at(interaction.user),
    )


async def as_moderator(interaction: Interaction) -> int:
    """The guild's id once it is sure that the person may manage it; the first answer is then seen by them alone.

    Discord's own setting only hides a command, so the right is checked here. Raises NotAllowed.
    """
    if interaction.guild_id is None:
        raise NotAllowed("That works only in a server.")
    if not interaction.permissions.manage_guild:
        raise NotAllowed("Only people who may manage this server can do that.")
    interaction.extras[PRIVATE] = True
    await interaction.response.defer(ephemeral=True, thinking=True)
    return interaction.guild_id


def address_of(interaction: Interaction, now: float, *, private: bool, ticket_id: int | None = None) -> Address:
    """Where the answer goes; `now` in epoch seconds."""
    return Address(
        channel_id=interaction.channel_id or 0,
        guild_id=interaction.guild_id,
        interaction_id=interaction.id,
        token=interaction.token,
        token_expires=now + INTERACTION_TOKEN_LIFE,
        application_id=interaction.application_id,
        private=private,
        ticket_id=ticket_id,
        parent_channel_id=interaction.channel.parent_id if isinstance(interaction.channel, discord.Thread) else None,
        age_restricted=_age_restricted(interaction.channel),
        channel_reachable=_reachable(interaction),
    )


def _joined_at(user: discord.User | discord.Member) -> float | None:
    joined = user.joined_at if isinstance(user, discord.Member) else None
    return joined.timestamp() if joined is not None else None


def _age_restricted(channel: object) -> bool:
    """Discord's own flag; a thread has that of its channel, and what has none is not age-restricted."""
    asked = getattr(channel, "is_nsfw", None)
    return bool(asked()) if callable(asked) else False


def _reachable(interaction: Interaction) -> bool:
    if interaction.guild_id is None:
        return bool(interaction.context.dm_channel)
    rights = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    may_write = rights.send_messages_in_threads if in_thread else rights.send_messages
    return interaction.is_guild_integration() and rights.view_channel and may_write and rights.attach_files
