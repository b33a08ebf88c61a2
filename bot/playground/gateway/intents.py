"""Which events a bot asked for, and what it may read of a message."""

from __future__ import annotations

from enum import IntFlag
from typing import Any


class Intent(IntFlag):
    """Groups of events a client subscribes to when it identifies."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_INTEGRATIONS = 1 << 4
    GUILD_WEBHOOKS = 1 << 5
    GUILD_INVITES = 1 << 6
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_SCHEDULED_EVENTS = 1 << 16
    AUTO_MODERATION_CONFIGURATION = 1 << 20
    AUTO_MODERATION_EXECUTION = 1 << 21
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25


KNOWN_INTENTS = sum(Intent)

# Application flags that switch a privileged intent on; the second bit of each pair is the one for small bots.
_PRIVILEGED = {
    Intent.GUILD_PRESENCES: 1 << 12 | 1 << 13,
    Intent.GUILD_MEMBERS: 1 << 14 | 1 << 15,
    Intent.MESSAGE_CONTENT: 1 << 18 | 1 << 19,
}

_GUILD_EVENTS = {
    "GUILD_MEMBER_ADD": Intent.GUILD_MEMBERS,
    "GUILD_MEMBER_UPDATE": Intent.GUILD_MEMBERS,
    "GUILD_MEMBER_REMOVE": Intent.GUILD_MEMBERS,
    "GUILD_BAN_ADD": Intent.GUILD_MODERATION,
    "GUILD_BAN_REMOVE": Intent.GUILD_MODERATION,
    "PRESENCE_UPDATE": Intent.GUILD_PRESENCES,
    "VOICE_STATE_UPDATE": Intent.GUILD_VOICE_STATES,
}

_ALWAYS = {
    "READY",
    "RESUMED",
    "INTERACTION_CREATE",
    "USER_UPDATE",
    "APPLICATION_COMMAND_PERMISSIONS_UPDATE",
    "ENTITLEMENT_CREATE",
    "ENTITLEMENT_UPDATE",
    "ENTITLEMENT_DELETE",
    "GUILD_MEMBERS_CHUNK",
}


def allowed_intents(application_flags: int) -> int:
    """Every intent the application may ask for; the privileged ones follow its flags."""
    refused = sum(intent for intent, flags in _PRIVILEGED.items() if not application_flags & flags)
    return KNOWN_INTENTS & ~refused


def wants(intents: int, event: str, *, in_guild: bool) -> bool:
    """Whether a client with these intents receives the event."""
    if event in _ALWAYS:
        return True
    if event.startswith("MESSAGE_REACTION"):
        needed = Intent.GUILD_MESSAGE_REACTIONS if in_guild else Intent.DIRECT_MESSAGE_REACTIONS
    elif event.startswith("MESSAGE_POLL"):
        needed = Intent.GUILD_MESSAGE_POLLS if in_guild else Intent.DIRECT_MESSAGE_POLLS
    elif event.startswith("MESSAGE_"):
        needed = Intent.GUILD_MESSAGES if in_guild else Intent.DIRECT_MESSAGES
    elif event == "TYPING_START":
        needed = Intent.GUILD_MESSAGE_TYPING if in_guild else Intent.DIRECT_MESSAGE_TYPING
    elif not in_guild:
        return True
    else:
        needed = _GUILD_EVENTS.get(event, Intent.GUILDS)
    return bool(intents & needed)


def readable(intents: int, event: str, data: dict[str, Any], self_id: str) -> dict[str, Any]:
    """The event as this client may read it: without the message content intent, strangers' words are left out."""
    if event not in ("MESSAGE_CREATE", "MESSAGE_UPDATE") or intents & Intent.MESSAGE_CONTENT:
        return data
    mentioned = any(user["id"] == self_id for user in data.get("mentions", ()))
    if "guild_id" not in data or mentioned or data.get("author", {}).get("id") == self_id:
        return data
    hidden = {"content": "", "embeds": [], "attachments": [], "components": []}
    return {key: value for key, value in {**data, **hidden}.items() if key != "poll"}


def visible_guild(intents: int, guild: dict[str, Any], self_id: str) -> dict[str, Any]:
    """A GUILD_CREATE as this client sees it: without the presences intent, members are only the bot itself."""
    if intents & Intent.GUILD_PRESENCES:
        return guild
    own = [member for member in guild.get("members", ()) if member["user"]["id"] == self_id]
    return {**guild, "members": own, "presences": []}
