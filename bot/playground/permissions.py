"""Discord's permission bits and how a member's permissions in a channel follow from roles and overwrites."""

from __future__ import annotations

from enum import IntFlag


class Permission(IntFlag):
    """The bits that decide something here."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    SEND_POLLS = 1 << 49


ALL = (1 << 53) - 1  # every bit Discord has given a meaning so far lies below

EVERYONE = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.SEND_POLLS
)
MODERATORS = EVERYONE | Permission.MANAGE_MESSAGES | Permission.MODERATE_MEMBERS | Permission.MANAGE_GUILD
# Beyond what the invitation asks for, its owner lets it manage the server: without it AutoMod's rules cannot be read.
BOT = (
    EVERYONE & ~(Permission.CHANGE_NICKNAME | Permission.USE_APPLICATION_COMMANDS)
    | Permission.MANAGE_GUILD
    | Permission.MODERATE_MEMBERS
)
TIMED_OUT = Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY  # all that a time-out leaves
DIRECT = EVERYONE & ~(
    Permission.CREATE_PUBLIC_THREADS | Permission.SEND_MESSAGES_IN_THREADS | Permission.CHANGE_NICKNAME
)


def apply_overwrites(
    granted: int, everyone: tuple[int, int], of_roles: list[tuple[int, int]], own: tuple[int, int]
) -> int:
    """What is left of guild permissions in a channel. Each pair is (allow, deny), in Discord's order of precedence."""
    if granted & Permission.ADMINISTRATOR:
        return ALL
    allow = deny = 0
    for role_allow, role_deny in of_roles:
        allow |= role_allow
        deny |= role_deny
    for each_allow, each_deny in (everyone, (allow, deny), own):
        granted = granted & ~each_deny | each_allow
    if not granted & Permission.VIEW_CHANNEL:
        return 0
    if not granted & Permission.SEND_MESSAGES:
        implied = Permission.MENTION_EVERYONE | Permission.ATTACH_FILES | Permission.EMBED_LINKS
        granted &= ~implied
    return granted
