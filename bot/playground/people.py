"""Who lives in the local Discord: users, roles and members, and their API objects."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.playground import ids, permissions
from bot.playground.documents import Json
from bot.playground.moments import iso, iso_or_none

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class User:
    """An account, of a person or of the bot."""

    id: int
    username: str
    name: str  # the global display name
    is_bot: bool = False

    def as_json(self) -> Json:
        """A user object as others see it."""
        return {
            "id": str(self.id),
            "username": self.username,
            "discriminator": "0",
            "global_name": None if self.is_bot else self.name,
            "avatar": None,
            "banner": None,
            "accent_color": None,
            "avatar_decoration_data": None,
            "collectibles": None,
            "primary_guild": None,
            "bot": self.is_bot,
            "system": False,
            "flags": 0,
            "public_flags": 0,
        }

    def as_own_json(self) -> Json:
        """The user object as only its owner sees it."""
        own = {"mfa_enabled": False, "verified": True, "email": None, "locale": "en-US", "premium_type": 0}
        return {**self.as_json(), **own, "bio": ""}


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the guild."""

    id: int
    name: str
    permissions: int
    position: int
    color: int = 0
    hoist: bool = False
    tags: Json | None = None

    def as_json(self) -> Json:
        """The role object."""
        role = {
            "id": str(self.id),
            "name": self.name,
            "description": None,
            "permissions": str(int(self.permissions)),
            "position": self.position,
            "color": self.color,
            "colors": {"primary_color": self.color, "secondary_color": None, "tertiary_color": None},
            "hoist": self.hoist,
            "managed": self.tags is not None,
            "mentionable": False,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }
        return role if self.tags is None else {**role, "tags": self.tags}


@dataclass(slots=True)
class Member:
    """A user in the guild."""

    user: User
    joined_at: float
    roles: list[int] = field(default_factory=list)
    nick: str | None = None
    timed_out_until: float | None = None
    boosting_since: float | None = None

    def as_partial_json(self) -> Json:
        """The member without its user, as messages carry it."""
        return {
            "avatar": None,
            "avatar_decoration_data": None,
            "banner": None,
            "collectibles": None,
            "communication_disabled_until": iso_or_none(self.timed_out_until),
            "deaf": False,
            "flags": 0,
            "joined_at": iso(self.joined_at),
            "mute": False,
            "nick": self.nick,
            "pending": False,
            "premium_since": iso_or_none(self.boosting_since),
            "roles": [str(role) for role in self.roles],
        }

    def as_json(self) -> Json:
        """The whole member object."""
        return {**self.as_partial_json(), "user": self.user.as_json()}

    def as_resolved_json(self) -> Json:
        """The member as interactions resolve it: neither user nor voice state."""
        partial = self.as_partial_json()
        return {key: value for key, value in partial.items() if key not in ("deaf", "mute")}


def first_roles() -> dict[int, Role]:
    """The roles every world begins with."""
    bot_tags: Json = {"bot_id": str(ids.BOT_ID)}
    booster_tags: Json = {"premium_subscriber": None}
    roles = (
        Role(ids.EVERYONE_ROLE_ID, "@everyone", permissions.EVERYONE, 0),
        Role(ids.BOOSTERS_ROLE_ID, "Boosters", permissions.EVERYONE, 1, color=0xF47FFF, tags=booster_tags),
        Role(ids.BOT_ROLE_ID, "Atelier", permissions.BOT, 2, tags=bot_tags),
        Role(ids.MODERATORS_ROLE_ID, "Moderators", permissions.MODERATORS, 3, color=0x2ECC71, hoist=True),
    )
    return {role.id: role for role in roles}


def first_members(now: float) -> dict[int, Member]:
    """The people every world begins with; `now` is in epoch seconds."""
    members = (
        Member(User(ids.BOT_ID, "Atelier", "Atelier", is_bot=True), now - 300 * DAY, [ids.BOT_ROLE_ID]),
        Member(User(ids.OLIVIA_ID, "olivia", "Olivia"), now - 400 * DAY),
        Member(User(ids.MILO_ID, "milo", "Milo"), now - 380 * DAY, [ids.MODERATORS_ROLE_ID]),
        Member(User(ids.ADA_ID, "ada", "Ada"), now - 200 * DAY),
        Member(User(ids.BEN_ID, "ben", "Ben"), now - 120 * DAY, [ids.BOOSTERS_ROLE_ID], boosting_since=now - 30 * DAY),
        Member(User(ids.CLEO_ID, "cleo", "Cleo"), now - 40 * DAY),
        Member(User(ids.DANA_ID, "dana", "Dana"), now - 3600.0),
    )
    return {member.user.id: member for member in members}


def crowd(count: int, now: float) -> dict[int, Member]:
    """So many more members, for measuring what happens when many come at once."""
    users = [User(ids.CROWD_ID + number, f"guest{number}", f"Guest {number}") for number in range(1, count + 1)]
    return {user.id: Member(user, now - 10 * DAY) for user in users}
