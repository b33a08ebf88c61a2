"""The ways in which something reaches a person, by ids alone; Discord's refusals are translated here, once."""

from __future__ import annotations

import io
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import discord

from bot.card import Face, Rows
from bot.order import Address, Commission, Place
from bot.press import PREFIX, CasePress, Press
from bot.wire import Forbidden as Forbidden
from bot.wire import Gone as Gone
from bot.wire import Rejected as Rejected
from bot.wire import TokenEnded as TokenEnded
from bot.wire import TokenRefused as TokenRefused
from bot.wire import TooLarge as TooLarge
from bot.wire import Unavailable as Unavailable
from bot.wire import WayClosed as WayClosed
from bot.wire import translated as translated
from generation.safety.approved import Approved

TOKEN_MARGIN = 10.0  # seconds before an interaction token ends from which it is not trusted any more
SCAN_DEPTH = 1000  # messages of a channel that are searched for one of ours at most; ten requests
CLOCKS_APART = 600.0  # seconds by which Discord's clock and this machine's may differ in a search
NEEDED = (  # permissions that the invitation asks for
    "view_channel",
    "send_messages",
    "send_messages_in_threads",
    "embed_links",
    "attach_files",
    "read_message_history",
)
SPEAKING = ("send_messages_in_threads", "send_messages")  # in threads, and outside of them
CLOSED_FOR = 300.0  # seconds in which a channel that was closed to the bot is not tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A picture on its way out; there is no other way for a finished picture to leave."""

    picture: Approved
    name: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message to be."""

    text: str
    enclosures: tuple[Enclosure, ...] = ()
    rows: Rows = ()
    mention: int | None = None  # the only person it may ping
    preview: bytes | None = field(default=None, repr=False)  # a coarse unfinished picture; tickets only


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a message is."""

    channel_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A person in a list of allowed mentions; Discord's document has ids as text there, discord.Object as numbers."""

    id: str


class Presser(Protocol):
    """Whoever answers pressed buttons."""

    async def pressed(self, interaction: discord.Interaction[Any], press: Press | None) -> None:
        """Answer the press; None stands for a button nobody here has written."""
        ...


class Decider(Protocol):
    """Whoever answers the buttons of cases."""

    async def pressed(self, interaction: discord.Interaction[Any], press: CasePress) -> None:
        """Answer the press."""
        ...


class Button(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=f"{PREFIX}.*"):
    """Every button of ours: what it means stands in its custom_id, so it works after any restart."""

    def __init__(self, custom_id: str, face: Face | None = None) -> None:
        self._press: Press | CasePress | None = Press.read(custom_id) or CasePress.read(custom_id)
        button = discord.ui.Button[discord.ui.View](custom_id=custom_id)
        if face is not None:
            button.label, button.emoji = face.label, face.emoji
            button.style = discord.ButtonStyle.danger if face.danger else discord.ButtonStyle.secondary
        super().__init__(button)

    @classmethod
    async def from_custom_id(cls, _interaction: object, item: discord.ui.Item[Any], _match: object) -> Button:
        """The pressed button again, from its custom_id."""
        return cls(str(getattr(item, "custom_id", PREFIX)))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press over."""
        if isinstance(self._press, CasePress):
            decider: Decider = interaction.client.review
            await decider.pressed(interaction, self._press)
            return
        presser: Presser = interaction.client.presses
        await presser.pressed(interaction, self._press)


def view_of(rows: Rows) -> discord.ui.View:
    """The buttons as discord.py sends them."""
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(row for row in rows if row):
        for face in row:
            button = Button(face.press.custom_id, face)
            button.row = number
            view.add_item(button)
    return view


class Courier:
    """Carries parcels to channels, tickets and people; works before and after any restart."""

    def __init__(self, client: discord.Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        # Channels that were closed to the bot, or to files of it: until when they are left alone.
        self._closed: dict[tuple[int, bool], float] = {}
        self._ended: dict[str, float] = {}  # tokens that Discord took back too soon: until when they would live
        self.tried: list[Callable[[int, WayClosed | None], None]] = []  # a post to a channel came to this; at once

    def token_lives(self, address: Address) -> bool:
        """Whether the interaction's token can still be used."""
        return self._clock() < address.token_expires - TOKEN_MARGIN and address.token not in self._ended

    async def to_channel(self, channel_id: int, parcel: Parcel, nonce: str) -> Sent:
        """A new message; sent twice with one nonce within a few minutes it is posted once (discord.py enforces it).

        A channel that was closed to the bot is not tried again for a while, but for the first that comes then.
        """
        what = (channel_id, bool(parcel.enclosures))
        if self._closed.get(what, 0.0) > time.monotonic():
            raise WayClosed("This channel was closed to the bot a moment ago.")
        channel = self._client.get_partial_messageable(channel_id)
        try:
            with translated():
                message = await channel.send(nonce=nonce, **_new(parcel))
        except WayClosed as error:
            now = time.monotonic()
            self._closed = {key: until for key, until in self._closed.items() if until > now}
            self._closed[what] = now + CLOSED_FOR
            self._tell_tried(channel_id, error)
            raise
        self._tell_tried(channel_id, None)
        return Sent(message.channel.id, message.id)

    def _tell_tried(self, channel_id: int, refused: WayClosed | None) -> None:
        for listener in self.tried:
            listener(channel_id, refused)

    def reopened(self) -> None:
        """Permissions or channels have changed: every channel may be tried again."""
        self._closed.clear()

    async def to_person(self, person_id: int, parcel: Parcel, nonce: str) -> Sent:
        """A direct message."""
        return await self.to_channel(await self.direct_channel(person_id), parcel, nonce)

    async def direct_channel(self, person_id: int) -> int:
        """The channel of direct messages with a person."""
        with translated():
            return (await self._client.create_dm(discord.Object(person_id))).id

    async def follow_up(self, address: Address, parcel: Parcel, *, ephemeral: bool) -> Sent:
        """A new message by the interaction's token."""
        with self._opened(address) as webhook:
            message = await webhook.send(wait=True, ephemeral=ephemeral, **_new(parcel))
        return Sent(address.channel_id, message.id)

    async def rewrite(self, address: Address, message_id: int, parcel: Parcel) -> Sent:
        """Make an existing message of the interaction into `parcel`; doing it twice changes nothing."""
        with self._opened(address) as webhook:
            await webhook.edit_message(message_id, **_changed(parcel))
        return Sent(address.channel_id, message_id)

    async def remove(self, address: Address, message_id: int) -> None:
        """Delete a message of the interaction, by its token or else as one of the bot's own."""
        try:
            with self._opened(address) as webhook:
                await webhook.delete_message(message_id)
        except WayClosed:
            if address.private:
                raise
            channel = self._client.get_partial_messageable(address.channel_id)
            with translated():
                await channel.get_partial_message(message_id).delete()

    async def withdraw(self, channel_id: int, message_id: int) -> None:
        """Delete one of the bot's own messages; nothing happens when it is gone or out of reach."""
        with suppress(WayClosed):
            await self.delete(channel_id, message_id)

    async def change(self, channel_id: int, message_id: int, parcel: Parcel, *, keep_files: bool = False) -> None:
        """Make one of the bot's own messages into `parcel`, with the files it has when `keep_files`."""
        changes = _changed(parcel)
        if keep_files:
            del changes["attachments"]
        channel = self._client.get_partial_messageable(channel_id)
        with translated():
            await channel.get_partial_message(message_id).edit(**changes)

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Delete one of the bot's own messages."""
        channel = self._client.get_partial_messageable(channel_id)
        with translated():
            await channel.get_partial_message(message_id).delete()

    async def time_out(self, guild_id: int, member_id: int, until: datetime | None, reason: str) -> None:
        """Let Discord keep a member from speaking until then; None ends that. `reason` is for Discord's own log."""
        moment = until.isoformat() if until is not None else None
        with translated():
            await self._client.http.edit_member(guild_id, member_id, reason=reason, communication_disabled_until=moment)

    async def timed_out_until(self, guild_id: int, member_id: int) -> float | None:
        """When a member's present time-out ends (epoch seconds); None when there is none. Raises WayClosed."""
        with translated():
            member = await self._client.http.get_member(guild_id, member_id)
        until = member.get("communication_disabled_until")
        return datetime.fromisoformat(until).timestamp() if until else None

    async def find(
        self, channel_id: int, mark: str | None, text: str, since: float, known: Callable[[int], Awaitable[bool]]
    ) -> Sent | None:
        """The bot's own message in a channel, not older than `since` (epoch seconds), with the button `mark`.

        Without a mark it is known by its words, which another job may have said too: `known` tells whether a message
        id is another one's. Raises WayClosed where that cannot be found out: no right to read the
        history, or too much has been said since.
        """
        channel = self._client.get_partial_messageable(channel_id)
        own = self._client.user.id if self._client.user is not None else 0
        oldest = datetime.fromtimestamp(since - CLOCKS_APART, UTC)
        seen = 0
        with translated():
            async for message in channel.history(limit=SCAN_DEPTH):
                if message.created_at < oldest:
                    return None
                seen += 1
                if message.author.id != own:
                    continue
                alike = mark in custom_ids(message) if mark is not None else message.content == text
                if alike and not await known(message.id):
                    return Sent(channel_id, message.id)
        if seen == SCAN_DEPTH or not self._reads_history(channel_id, seen):
            raise WayClosed("What was said here cannot be read back.")
        return None

    def _reads_history(self, channel_id: int, seen: int) -> bool:
        """Discord answers who may not read a history with an empty one, like that of a channel without messages."""
        channel = self._client.get_channel(channel_id)
        if seen or isinstance(channel, discord.abc.PrivateChannel):
            return True
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return False
        return channel.permissions_for(channel.guild.me).read_message_history

    async def exists(self, channel_id: int, message_id: int) -> bool:
        """Whether a message is still there for the bot to see."""
        channel = self._client.get_partial_messageable(channel_id)
        try:
            with translated():
                await channel.get_partial_message(message_id).fetch()
        except WayClosed:
            return False
        return True

    def place_now(self, commission: Commission) -> Place:
        """Where a job was asked, as far as its channel is still what it was then.

        Raises Unavailable where that matters and Discord has not yet told, since a start, what the channel is.
        """
        place, address = commission.place, commission.address
        if place.guild_id is None or not place.age_restricted:
            return place
        guild = self._client.get_guild(place.guild_id)
        if guild is None and self._client.is_ready():
            return place  # the bot is no member there, and will not be told
        if guild is None or guild.unavailable:
            raise Unavailable
        # Archived threads are not told of at a start; what a thread is its channel says.
        channel = guild.get_channel_or_thread(address.channel_id) or guild.get_channel(address.parent_channel_id or 0)
        restricted = getattr(channel, "is_nsfw", None)
        return replace(place, age_restricted=bool(restricted())) if callable(restricted) else place

    def discreet(self, channel_id: int) -> bool:
        """Whether a channel is closed to a server's everybody or is age-restricted; False when it cannot be seen."""
        channel = self._client.get_channel(channel_id)
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return False
        restricted = getattr(channel, "is_nsfw", None)
        if callable(restricted) and restricted():
            return True
        return not channel.permissions_for(channel.guild.default_role).view_channel

    def standing(self, channel_id: int) -> tuple[int, frozenset[str]] | None:
        """A channel's server and which of NEEDED the bot lacks there, as far as is known; None where it is in none.

        What Discord takes away together with another permission is not named.
        """
        channel = self._client.get_channel(channel_id)
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return None
        rights = channel.permissions_for(channel.guild.me)
        speak, other = SPEAKING if isinstance(channel, discord.Thread) else SPEAKING[::-1]
        lacking = {name for name in NEEDED if name != other and not getattr(rights, name)}
        if "view_channel" in lacking:
            lacking = {"view_channel"}
        elif speak in lacking:
            lacking -= {"attach_files", "embed_links"}
        return channel.guild.id, frozenset(lacking)

    def size_limit(self, guild_id: int | None) -> int:
        """Bytes that one file may have."""
        guild = self._client.get_guild(guild_id) if guild_id is not None else None
        return guild.filesize_limit if guild is not None else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    @contextmanager
    def _opened(self, address: Address) -> Iterator[discord.Webhook]:
        """What the interaction's token opens; once Discord says that it has ended it is not asked again."""
        if not self.token_lives(address):
            raise TokenEnded
        webhook = discord.Webhook.partial(address.application_id, address.token, client=self._client)
        webhook.type = discord.WebhookType.application  # what an interaction's token is; only those may be ephemeral
        try:
            with translated():
                yield webhook
        except TokenEnded:
            now = self._clock()
            self._ended = {token: until for token, until in self._ended.items() if until > now}
            self._ended[address.token] = address.token_expires
            raise


def custom_ids(message: discord.Message) -> set[str]:
    """What the buttons of a message stand for."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return {child.custom_id for row in rows for child in row.children if child.custom_id is not None}


def _files(parcel: Parcel) -> list[discord.File]:
    files = [
        discord.File(io.BytesIO(enclosure.picture.data), enclosure.name, description=enclosure.alt)
        for enclosure in parcel.enclosures
    ]
    if parcel.preview is not None:
        files.append(discord.File(io.BytesIO(parcel.preview), "preview.jpg", description="An unfinished picture"))
    return files


def _mentions(parcel: Parcel) -> discord.AllowedMentions:
    users: Any = [Mentioned(str(parcel.mention))] if parcel.mention is not None else False
    return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=users)


def _new(parcel: Parcel) -> dict[str, Any]:
    arguments: dict[str, Any] = {"content": parcel.text, "allowed_mentions": _mentions(parcel), "suppress_embeds": True}
    if files := _files(parcel):
        arguments["files"] = files
    if parcel.rows:
        arguments["view"] = view_of(parcel.rows)
    return arguments


def _changed(parcel: Parcel) -> dict[str, Any]:
    return {
        "content": parcel.text,
        "attachments": _files(parcel),
        "view": view_of(parcel.rows) if parcel.rows else None,
        "allowed_mentions": _mentions(parcel),
    }
