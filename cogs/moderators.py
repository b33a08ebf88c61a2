"""Who may look after a server's lists; asked at every command, because Discord's own setting only hides it."""

from __future__ import annotations

from bot.answer import PRIVATE, Interaction
from generation.errors import NotAllowed


def guild_of(interaction: Interaction) -> int:
    """The server in which a moderator acts; raises NotAllowed."""
    if interaction.guild_id is None:
        raise NotAllowed("That works only in a server.")
    if not interaction.permissions.manage_guild:
        raise NotAllowed("Only people who may manage this server can do that.")
    return interaction.guild_id


async def moderated_guild(interaction: Interaction) -> int:
    """The server in which a moderator acts, with a private answer begun; raises NotAllowed."""
    guild_id = guild_of(interaction)
    interaction.extras[PRIVATE] = True
    await interaction.response.defer(ephemeral=True, thinking=True)
    return guild_id
