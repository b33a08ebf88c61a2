"""Messages and where they are kept: bounded histories, newest found first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from bot.playground.documents import Json

KEPT_PER_CHANNEL = 500
KEPT_UNDER_TEST = 20_000  # who tests a client looks for what it said long ago, as Discord forgets nothing


class MessageFlag(IntFlag):
    """The message flags that mean something here."""

    CROSSPOSTED = 1 << 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


class MessageKind(IntEnum):
    """The message types that exist here."""

    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    CONTEXT_MENU_COMMAND = 23


@dataclass(slots=True)
class Contents:
    """What an author decides about a message. Embeds and components are normalised, files are meant by name."""

    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[int] = field(default_factory=list)
    flags: int = 0
    mentions: list[int] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    poll: Json | None = None
    nonce: str | int | None = None
    tts: bool = False


@dataclass(slots=True)
class Message:
    """One message, whoever may see it."""

    id: int
    channel_id: int
    author_id: int
    created: float
    contents: Contents
    kind: MessageKind = MessageKind.DEFAULT
    edited: float | None = None
    audience: int | None = None  # the only person who sees it; ephemeral
    interaction: Json | None = None  # its interaction_metadata
    command_name: str | None = None
    reference: tuple[int, int] | None = None  # channel and message it answers
    is_webhook: bool = False
    is_pinned: bool = False
    thread_id: int | None = None
    gave_up: bool = False  # the application never finished it
    reactions: dict[str, list[int]] = field(default_factory=dict)  # by emoji, in order of arrival

    @property
    def is_ephemeral(self) -> bool:
        """Whether one person alone sees it."""
        return self.audience is not None

    @property
    def is_loading(self) -> bool:
        """Whether it still says that the application is thinking."""
        return bool(self.contents.flags & MessageFlag.LOADING)


class Messages:
    """Every message by id, and each channel's in order. The oldest go when a channel is full."""

    def __init__(self, *, kept: int = KEPT_PER_CHANNEL) -> None:
        self._kept = kept
        self._by_id: dict[int, Message] = {}
        self._channels: dict[int, dict[int, Message]] = {}

    def get(self, message_id: int) -> Message | None:
        """The message, if it is still here."""
        return self._by_id.get(message_id)

    def add(self, message: Message) -> list[Message]:
        """Keeps a message; returns the old ones that had to go."""
        channel = self._channels.setdefault(message.channel_id, {})
        self._by_id[message.id] = channel[message.id] = message
        gone = [channel[key] for key in list(channel)[: max(0, len(channel) - self._kept)]]
        for old in gone:
            self.remove(old)
        return gone

    def remove(self, message: Message) -> None:
        """Forgets a message."""
        self._by_id.pop(message.id, None)
        self._channels.get(message.channel_id, {}).pop(message.id, None)

    def is_full(self, channel_id: int) -> bool:
        """Whether the next message there makes the oldest one go."""
        return len(self._channels.get(channel_id, {})) >= self._kept

    def newest_first(self, channel_id: int) -> Iterator[Message]:
        """A channel's history backwards."""
        yield from reversed(list(self._channels.get(channel_id, {}).values()))

    def everything(self) -> list[Message]:
        """All messages."""
        return list(self._by_id.values())
