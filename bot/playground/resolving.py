"""The `resolved` part of interaction data: the objects behind the ids a person gave."""

from __future__ import annotations

from collections.abc import Iterable

from bot.playground.attachments import attachment_json
from bot.playground.cdn import Cdn
from bot.playground.documents import Json, snowflake
from bot.playground.places import Channel
from bot.playground.uploads import Uploads
from bot.playground.world import World


class UnresolvableError(ValueError):
    """There is nothing behind an id; the sentence is for the person."""


class Resolver:
    """Collects objects for one interaction."""

    def __init__(self, world: World, uploads: Uploads, cdn: Cdn, person_id: int, channel: Channel) -> None:
        self._world = world
        self._uploads = uploads
        self._cdn = cdn
        self._person_id = person_id
        self._channel = channel
        self._found: dict[str, Json] = {}

    def as_json(self) -> Json:
        """Everything so far, by kind and id."""
        return self._found

    def add(self, kind: str, value: object) -> None:
        """Resolves one id; `kind` is user, role, mentionable, channel or attachment."""
        key = snowflake(value)
        if key is None:
            raise UnresolvableError(f"{str(value)[:40]!r} is not an id.")
        if kind == "mentionable":
            kind = "role" if key in self._world.roles else "user"
        {"user": self._user, "role": self._role, "channel": self._place, "attachment": self._file}[kind](key)

    def add_all(self, kind: str, values: Iterable[object]) -> None:
        """Resolves several ids."""
        for value in values:
            self.add(kind, value)

    def put(self, kind: str, key: int, document: Json) -> None:
        """Adds an object that is at hand, such as a message."""
        self._found.setdefault(kind, {})[str(key)] = document

    def _user(self, key: int) -> None:
        member = self._world.roster.get(key)
        if member is None:
            raise UnresolvableError("There is no such person here.")
        self.put("users", key, member.user.as_json())
        if self._channel.guild_id is not None:
            granted = self._world.permissions_in(key, self._channel)
            self.put("members", key, {**member.as_resolved_json(), "permissions": str(granted)})

    def _role(self, key: int) -> None:
        if key not in self._world.roles or self._channel.is_direct:
            raise UnresolvableError("There is no such role here.")
        self.put("roles", key, self._world.roles[key].as_json())

    def _place(self, key: int) -> None:
        channel = self._world.channels.get(key)
        if channel is None or channel.is_direct or not self._world.permissions_in(self._person_id, channel):
            raise UnresolvableError("There is no such channel here.")
        granted = str(self._world.permissions_in(self._person_id, channel))
        self.put("channels", key, {**channel.as_json(), "permissions": granted})

    def _file(self, key: int) -> None:
        attachment = self._uploads.find(self._person_id, key)
        if attachment is None:
            raise UnresolvableError("That file is no longer here; please upload it again.")
        self.put("attachments", key, attachment_json(attachment, self._cdn))
