"""The guild and its channels, threads and direct messages, with their API objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from bot.playground import ids
from bot.playground.documents import Json
from bot.playground.moments import iso
from bot.playground.people import User
from bot.playground.permissions import Permission


class ChannelKind(IntEnum):
    """The channel types that exist here."""

    TEXT = 0
    DIRECT = 1
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies one role or member."""

    id: int
    allow: int = 0
    deny: int = 0
    is_member: bool = False

    def as_json(self) -> Json:
        """The overwrite object."""
        kind = 1 if self.is_member else 0
        return {"id": str(self.id), "type": kind, "allow": str(int(self.allow)), "deny": str(int(self.deny))}


@dataclass(slots=True)
class Channel:
    """A place where messages are."""

    id: int
    kind: ChannelKind
    name: str = ""
    position: int = 0
    topic: str | None = None
    nsfw: bool = False
    overwrites: tuple[Overwrite, ...] = ()
    person_id: int | None = None  # the other side of a direct message with the bot
    parent_id: int | None = None  # of a thread
    owner_id: int | None = None  # of a thread
    created: float = 0.0
    archive_minutes: int = 1440
    last_message_id: int | None = None
    message_count: int = 0
    thread_members: list[int] = field(default_factory=list)

    @property
    def is_direct(self) -> bool:
        """Whether it is a conversation of one person with the bot."""
        return self.kind is ChannelKind.DIRECT

    @property
    def is_thread(self) -> bool:
        """Whether it hangs on another channel."""
        return self.kind in (ChannelKind.PUBLIC_THREAD, ChannelKind.PRIVATE_THREAD)

    @property
    def guild_id(self) -> int | None:
        """The guild it belongs to; direct messages belong to none."""
        return None if self.is_direct else ids.GUILD_ID

    def as_json(self) -> Json:
        """A guild channel or thread; direct messages depend on who looks, see `direct_json`."""
        shared: Json = {
            "id": str(self.id),
            "type": int(self.kind),
            "guild_id": str(ids.GUILD_ID),
            "name": self.name,
            "parent_id": _id_or_none(self.parent_id),
            "last_message_id": _id_or_none(self.last_message_id),
            "flags": 0,
            "rate_limit_per_user": 0,
        }
        return shared | (self._thread_json() if self.is_thread else self._text_json())

    def direct_json(self, recipients: Iterable[User]) -> Json:
        """A direct message as one side sees it."""
        return {
            "id": str(self.id),
            "type": int(self.kind),
            "flags": 0,
            "last_message_id": _id_or_none(self.last_message_id),
            "recipients": [user.as_json() for user in recipients],
        }

    def _text_json(self) -> Json:
        return {
            "position": self.position,
            "topic": self.topic,
            "nsfw": self.nsfw,
            "permission_overwrites": [overwrite.as_json() for overwrite in self.overwrites],
        }

    def _thread_json(self) -> Json:
        return {
            "owner_id": str(self.owner_id),
            "message_count": self.message_count,
            "member_count": len(self.thread_members),
            "total_message_sent": self.message_count,
            "applied_tags": [],
            "thread_metadata": {
                "archived": False,
                "archive_timestamp": iso(self.created),
                "auto_archive_duration": self.archive_minutes,
                "locked": False,
                "create_timestamp": iso(self.created),
            },
        }

    def thread_member_json(self, user_id: int) -> Json:
        """One follower of the thread."""
        return {"id": str(self.id), "user_id": str(user_id), "join_timestamp": iso(self.created), "flags": 0}


def first_channels() -> dict[int, Channel]:
    """The channels every world begins with."""
    hidden = Overwrite(ids.EVERYONE_ROLE_ID, deny=Permission.VIEW_CHANNEL)
    shown = tuple(
        Overwrite(role, allow=Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES)
        for role in (ids.MODERATORS_ROLE_ID, ids.BOT_ROLE_ID)
    )
    text = ChannelKind.TEXT
    channels = [
        Channel(ids.ART_ID, text, "art", 0, "Type /dream and say what you would like to see."),
        Channel(ids.ART_ADULTS_ID, text, "art-adults", 1, "Age-restricted.", nsfw=True),
        Channel(ids.MODS_ID, text, "mods", 2, "For moderators.", overwrites=(hidden, *shown)),
    ]
    channels += [Channel(dm, ChannelKind.DIRECT, person_id=person) for person, dm in ids.DM_IDS.items()]
    return {channel.id: channel for channel in channels}


def guild_json(*, roles: list[Json]) -> Json:
    """The guild as REST answers it."""
    return {
        "id": str(ids.GUILD_ID),
        "name": "Atelier",
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": [],
        "banner": None,
        "owner_id": str(ids.OLIVIA_ID),
        "application_id": None,
        "region": "us-west",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 1,
        "roles": roles,
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": None,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 1,
        "preferred_locale": "en-US",
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "premium_progress_bar_enabled_user_updated_at": None,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": None,
    }


def _id_or_none(value: int | None) -> str | None:
    return None if value is None else str(value)
