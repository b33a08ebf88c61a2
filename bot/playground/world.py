"""The state of the local Discord, and what each person and the bot may do in it."""

from __future__ import annotations

from bot.playground import ids, permissions
from bot.playground.attachments import Attachments
from bot.playground.automod import first_automod_rules
from bot.playground.clock import Clock
from bot.playground.commands import Commands
from bot.playground.documents import Json, missing_access, unknown
from bot.playground.ids import Snowflakes
from bot.playground.messages import KEPT_PER_CHANNEL, Messages
from bot.playground.moments import iso
from bot.playground.people import Member, User, crowd, first_members, first_roles
from bot.playground.permissions import Permission
from bot.playground.places import Channel, first_channels, guild_json

# Bits an application of fewer than 10,000 users may switch on itself: presences, members, message content.
PRIVILEGED_INTENTS = 1 << 13 | 1 << 15 | 1 << 19
VERIFY_KEY = "0" * 64


class World:
    """Everything there is. One bot, one guild; ids of what stands from the start are constant."""

    def __init__(self, clock: Clock, guests: int = 0, *, kept: int = KEPT_PER_CHANNEL) -> None:
        self.clock = clock
        self.snowflakes = Snowflakes(clock)
        self.roles = first_roles()
        self.roster = first_members(clock.now()) | crowd(guests, clock.now())
        self.channels = first_channels()
        self.messages = Messages(kept=kept)
        self.attachments = Attachments()
        self.commands = Commands(clock, self.snowflakes)
        self.automod_rules = first_automod_rules()

    # What the gateway asks.

    def self_user(self) -> Json:
        """The bot's own user."""
        return self.bot.as_own_json()

    def application(self) -> Json:
        """The public part of the bot's application."""
        return {
            "id": str(ids.APPLICATION_ID),
            "name": self.bot.name,
            "icon": None,
            "description": "Paints what you describe.",
            "type": None,
            "bot": self.bot.as_json(),
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": VERIFY_KEY,
            "flags": PRIVILEGED_INTENTS,
            "flags_new": str(PRIVILEGED_INTENTS),
            "integration_types_config": {"0": {}},
        }

    def guilds(self) -> list[Json]:
        """One GUILD_CREATE payload."""
        places = [channel for channel in self.channels.values() if not channel.is_direct]
        return [
            {
                **self.guild(),
                "joined_at": iso(self.roster[ids.BOT_ID].joined_at),
                "large": False,
                "unavailable": False,
                "member_count": len(self.roster),
                "voice_states": [],
                "members": [member.as_json() for member in self.roster.values()],
                "channels": [channel.as_json() for channel in places if not channel.is_thread],
                "threads": [channel.as_json() for channel in places if channel.is_thread],
                "presences": [],
                "stage_instances": [],
                "guild_scheduled_events": [],
                "soundboard_sounds": [],
            }
        ]

    def token_is_valid(self, token: str) -> bool:
        """Whether the bot may log in with this."""
        return token.removeprefix("Bot ") == ids.BOT_TOKEN

    def members(self, guild_id: int, query: str | None, limit: int, user_ids: list[int] | None) -> list[Json]:
        """Members by name prefix (limit 0 is no limit) or by id."""
        if guild_id != ids.GUILD_ID:
            return []
        if user_ids is not None:
            return [self.roster[key].as_json() for key in user_ids if key in self.roster]
        wanted = (query or "").lower()
        found = [
            member
            for member in self.roster.values()
            if any((name or "").lower().startswith(wanted) for name in _names(member))
        ]
        return [member.as_json() for member in found[: limit or None]]

    # People and places.

    @property
    def bot(self) -> User:
        """The bot's user."""
        return self.roster[ids.BOT_ID].user

    @property
    def people(self) -> list[Member]:
        """Every member who is a person."""
        return [member for member in self.roster.values() if not member.user.is_bot]

    def guild(self) -> Json:
        """The guild object."""
        return guild_json(roles=[role.as_json() for role in self.roles.values()])

    def user(self, user_id: int) -> User:
        """Raises `ApiError` 10013."""
        if user_id not in self.roster:
            raise unknown("User", 10013)
        return self.roster[user_id].user

    def member(self, user_id: int) -> Member:
        """Raises `ApiError` 10007, or 10013 when there is not even such a user."""
        if user_id not in self.roster:
            raise unknown("User", 10013)
        return self.roster[user_id]

    def channel(self, channel_id: int | None) -> Channel:
        """Raises `ApiError` 10003."""
        channel = self.channels.get(channel_id or 0)
        if channel is None:
            raise unknown("Channel", 10003)
        return channel

    def visible_channel(self, channel_id: int | None, viewer_id: int) -> Channel:
        """Raises `ApiError`: 10003 when there is none, 50001 when it is not for the viewer."""
        channel = self.channel(channel_id)
        if not self.can(viewer_id, Permission.VIEW_CHANNEL, channel):
            raise missing_access()
        return channel

    def channel_json(self, channel: Channel, viewer_id: int) -> Json:
        """The channel object; in a direct message the recipient is the other side."""
        if not channel.is_direct:
            return channel.as_json()
        other = ids.BOT_ID if viewer_id == channel.person_id else channel.person_id or 0
        return channel.direct_json([self.user(other)])

    def direct_channel(self, person_id: int) -> Channel:
        """The direct message of a person with the bot. Raises `ApiError` when there can be none."""
        for channel in self.channels.values():
            if channel.is_direct and channel.person_id == person_id:
                return channel
        raise unknown("User", 10013)

    # Permissions.

    def guild_permissions(self, user_id: int) -> int:
        """A member's permissions before any channel has its say."""
        if user_id == ids.OLIVIA_ID:
            return permissions.ALL
        member = self.member(user_id)
        granted = self.roles[ids.EVERYONE_ROLE_ID].permissions
        for role in member.roles:
            granted |= self.roles[role].permissions
        return permissions.ALL if granted & Permission.ADMINISTRATOR else int(granted & self._left(member))

    def rank(self, user_id: int) -> int:
        """The place of a member's highest role; the owner stands above all."""
        if user_id == ids.OLIVIA_ID:
            return max(role.position for role in self.roles.values()) + 1
        return max((self.roles[role].position for role in self.member(user_id).roles), default=0)

    def permissions_in(self, user_id: int, channel: Channel) -> int:
        """A user's permissions in a channel; none at all where they cannot be."""
        if channel.is_direct:
            return int(permissions.DIRECT) if user_id in (ids.BOT_ID, channel.person_id) else 0
        place = self.channels.get(channel.parent_id or 0, channel) if channel.is_thread else channel
        member, granted = self.member(user_id), self.guild_permissions(user_id)
        if granted == permissions.ALL:
            return granted
        pairs = {overwrite.id: (overwrite.allow, overwrite.deny) for overwrite in place.overwrites}
        return self._left(member) & permissions.apply_overwrites(
            granted,
            pairs.get(ids.EVERYONE_ROLE_ID, (0, 0)),
            [pairs[role] for role in member.roles if role in pairs],
            pairs.get(user_id, (0, 0)),
        )

    def _left(self, member: Member) -> int:
        """What a time-out leaves a member of their permissions."""
        until = member.timed_out_until
        return permissions.ALL if until is None or until <= self.clock.now() else permissions.TIMED_OUT

    def can(self, user_id: int, permission: int, channel: Channel) -> bool:
        """Whether the user has all of these permissions there."""
        return self.permissions_in(user_id, channel) & permission == permission

    def viewers(self, channel: Channel) -> list[int]:
        """The people, not the bot, who see a channel."""
        return [each.user.id for each in self.people if self.can(each.user.id, Permission.VIEW_CHANNEL, channel)]


def _names(member: Member) -> tuple[str | None, ...]:
    return member.user.username, member.user.name, member.nick
