"""What a person can do with their client, behind the page and behind the test controls alike."""

from __future__ import annotations

from collections.abc import Iterator

from bot.playground import ids
from bot.playground.attachments import attachment_json
from bot.playground.bodies import Upload
from bot.playground.documents import Json, missing_permissions, unknown
from bot.playground.messages import Message
from bot.playground.parts import Parts
from bot.playground.people import Member
from bot.playground.permissions import Permission
from bot.playground.places import Channel, Overwrite
from bot.playground.rules.message import read_draft

DEFAULT_PERSON = ids.ADA_ID
_WRITTEN = {"content", "attachments", "message_reference", "allowed_mentions", "nonce"}


class Persons:
    """Every person's client. Refusals are `ApiError`, with a sentence for the person."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._world = parts.world
        self._dismissed: set[tuple[int, int]] = set()

    def person(self, person_id: int | None) -> int:
        """The person whose client it is; the first member where nobody is named."""
        if person_id is None:
            return DEFAULT_PERSON
        if person_id not in self._world.roster or person_id == ids.BOT_ID:
            raise unknown("User", 10013)
        return person_id

    def state(self, person_id: int) -> Json:
        """Everything a page shows besides messages."""
        world, me = self._world, self._world.member(person_id)
        bot: Json = {"id": str(ids.APPLICATION_ID), "name": world.bot.name, "icon": None}
        bot |= {"online": self._parts.gateway.online(ids.APPLICATION_ID)}
        bot["commands"] = self._parts.asking.usable(person_id)
        granted = str(world.guild_permissions(person_id))
        people = [
            {"user": each.user.as_json(), "member": each.as_json(), "label": label} for each, label in self.labelled()
        ]
        return {
            "me": {**me.user.as_json(), "member": me.as_json(), "permissions": granted},
            "people": people,
            "guild": world.guild(),
            "channels": [self._channel(channel, person_id) for channel in self._places(person_id)],
            "roles": [role.as_json() for role in world.roles.values()],
            "applications": [bot],
        }

    def labelled(self) -> list[tuple[Member, str]]:
        """Everybody one can be, with what they are in the guild."""
        return [(each, self._label(each.user.id)) for each in self._world.people]

    def commands(self, person_id: int, channel_id: int) -> list[Json]:
        """Application commands of every type that the person may use there."""
        return self._parts.asking.usable(person_id, self._world.visible_channel(channel_id, person_id))

    def messages(self, person_id: int, channel_id: int, limit: int, before: int | None = None) -> list[Json]:
        """Newest first; ephemeral ones only to their person."""
        channel = self._world.visible_channel(channel_id, person_id)
        shown: list[Json] = []
        for message in self._world.messages.newest_first(channel.id):
            if len(shown) >= limit:
                break
            if self._sees(person_id, message) and (before is None or message.id < before):
                shown.append(self._parts.renderer.for_person(message, person_id))
        return shown

    def message(self, person_id: int, message_id: int) -> Json | None:
        """A message the person can see, wherever it is."""
        message = self._world.messages.get(message_id)
        if message is None or not self._sees(person_id, message):
            return None
        if not self._world.can(person_id, Permission.VIEW_CHANNEL, self._world.channel(message.channel_id)):
            return None
        return self._parts.renderer.for_person(message, person_id)

    def modals(self, person_id: int) -> list[Json]:
        """Modals that are open on the person's screen, oldest first."""
        return [modal.as_json() for modal in self._parts.asking.modals(person_id)]

    def upload(self, person_id: int, filename: str, content: bytes) -> Json:
        """Takes a file for an option or a modal; its `id` stands for it."""
        return attachment_json(self._parts.uploads.take(person_id, filename, content), self._parts.cdn)

    def say(self, person_id: int, channel_id: int, content: str) -> Json:
        """Posts a plain message of the person's own."""
        return self.post(person_id, channel_id, {"content": content}, [])

    def post(self, person_id: int, channel_id: int, payload: Json, files: list[Upload]) -> Json:
        """Posts a message with files; people write text, embeds and components are for applications."""
        channel = self._world.visible_channel(channel_id, person_id)
        needed = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
        if files:
            needed |= Permission.ATTACH_FILES
        if not self._world.can(person_id, needed, channel):
            raise missing_permissions()
        allowed = {
            key: payload[key] for key in ("content", "attachments", "message_reference", "nonce") if key in payload
        }
        message = self._parts.composer.post(read_draft(allowed, files), channel, person_id)
        return self._parts.renderer.for_person(message, person_id)

    def delete(self, person_id: int, channel_id: int, message_id: int) -> None:
        """Deletes one's own message or, with permission, another's; an ephemeral one is only dismissed."""
        channel = self._world.visible_channel(channel_id, person_id)
        message = self._world.messages.get(message_id)
        if message is None or message.channel_id != channel.id or not self._sees(person_id, message):
            raise unknown("Message", 10008)
        if message.is_ephemeral:
            self._dismissed.add((person_id, message.id))
            self._parts.herald.dismissed(message, person_id)
        elif message.author_id == person_id or self._world.can(person_id, Permission.MANAGE_MESSAGES, channel):
            self._parts.composer.delete(message)
        else:
            raise missing_permissions()

    async def interact(self, person_id: int, interaction: Json) -> Json:
        """Takes what the page posts to /client/interactions and answers the same."""
        return await self._parts.asking.ask(person_id, interaction)

    # What a test may break.

    def expire_tokens(self, interaction_id: int | None) -> int:
        """Makes one interaction's token, or all of them, too old; returns how many there were."""
        return self._parts.callbacks.expire(interaction_id)

    def delete_message(self, channel_id: int, message_id: int) -> bool:
        """Deletes a message as a moderator would; False when there is none."""
        message = self._world.messages.get(message_id)
        if message is None or message.channel_id != channel_id:
            return False
        self._parts.composer.delete(message)
        return True

    def _sees(self, person_id: int, message: Message) -> bool:
        return message.audience in (None, person_id) and (person_id, message.id) not in self._dismissed

    def _places(self, person_id: int) -> Iterator[Channel]:
        for channel in self._world.channels.values():
            if self._world.can(person_id, Permission.VIEW_CHANNEL, channel):
                yield channel

    def _channel(self, channel: Channel, person_id: int) -> Json:
        document = self._world.channel_json(channel, person_id)
        return {**document, "permissions": str(self._world.permissions_in(person_id, channel))}

    def _label(self, person_id: int) -> str:
        if person_id == ids.OLIVIA_ID:
            return "owner"
        member = self._world.member(person_id)
        return "moderator" if ids.MODERATORS_ROLE_ID in member.roles else "member"

    def deny(self, channel_id: int, permissions: int, *, unheard: bool) -> None:
        """Denies the bot these permissions in a channel, as its moderators would; and no others any more."""
        channel = self._world.channel(channel_id)
        others = tuple(each for each in channel.overwrites if each.id != ids.BOT_ID)
        own = (Overwrite(ids.BOT_ID, deny=permissions, is_member=True),) if permissions else ()
        channel.overwrites = others + own
        if not unheard:
            self._parts.herald.rearranged(channel)
