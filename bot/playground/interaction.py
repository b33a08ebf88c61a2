"""One interaction: a person asked the application something, and what has come of it so far."""

from __future__ import annotations

import asyncio
import base64
import secrets
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from bot.playground.clock import Clock, Timer
from bot.playground.documents import Json
from bot.playground.people import User
from bot.playground.places import Channel

ACKNOWLEDGE_WITHIN = 3.0  # seconds
TOKEN_LIFETIME = 900.0  # seconds
KEPT = 5_000  # interactions; more only for as long as their tokens are fresh


class Asked(IntEnum):
    """Interaction types."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Stage(Enum):
    """How far an interaction has come."""

    WAITING = "waiting"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(slots=True)
class Interaction:
    """What was asked, by whom, where; and the messages made with its token."""

    id: int
    token: str
    kind: Asked
    person: User
    channel: Channel
    created: float  # monotonic seconds
    nonce: str
    data: Json
    command_name: str | None = None
    source_id: int | None = None  # the message whose component was used
    cause: Interaction | None = None  # what opened the modal that was submitted
    target: Json = field(default_factory=dict)  # of a context menu, as the metadata names it
    stage: Stage = Stage.WAITING
    is_ephemeral: bool = False
    response_id: int | None = None  # what @original means
    message_ids: set[int] = field(default_factory=set)
    is_expired: bool = False
    deadline: Timer | None = None
    choices: asyncio.Future[list[Json]] | None = None

    def metadata(self) -> Json:
        """The interaction_metadata of messages that answer it."""
        document: Json = {
            "id": str(self.id),
            "type": int(self.kind),
            "user": self.person.as_json(),
            "authorizing_integration_owners": owners(self.channel),
        }
        if self.kind is Asked.COMMAND:
            return document | {"name": self.command_name, "command_type": self.data.get("type", 1)} | self.target
        if self.kind is Asked.COMPONENT:
            return document | {"interacted_message_id": str(self.source_id)}
        assert self.cause is not None, "a modal was opened by something"
        return document | {"triggering_interaction_metadata": self.cause.metadata()}


@dataclass(frozen=True, slots=True)
class Modal:
    """A form on a person's screen."""

    id: int
    opened_by: Interaction
    form: Json

    def as_json(self) -> Json:
        """The modal with where it belongs."""
        return {
            "id": str(self.id),
            "interaction_id": str(self.opened_by.id),
            "nonce": self.opened_by.nonce,
            "channel_id": str(self.opened_by.channel.id),
            **self.form,
        }


def owners(channel: Channel) -> Json:
    """For a guild install: the guild, or 0 in a direct message with the bot."""
    return {"0": str(channel.guild_id or 0)}


class Ledger:
    """Finds interactions by id and token, and lets tokens grow old."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_token: dict[str, Interaction] = {}

    def open(self, interaction_id: int, **about: Any) -> Interaction:
        """A new interaction with a token of its own."""
        secret = secrets.token_urlsafe(48)
        token = base64.urlsafe_b64encode(f"interaction:{interaction_id}:{secret}".encode()).decode().rstrip("=")
        interaction = Interaction(interaction_id, token, created=self._clock.monotonic(), **about)
        self._by_token[token] = interaction
        while len(self._by_token) > KEPT and not self.is_fresh(oldest := next(iter(self._by_token.values()))):
            del self._by_token[oldest.token]
        return interaction

    def find(self, token: str) -> Interaction | None:
        """The interaction of a token, however old."""
        return self._by_token.get(token)

    def is_fresh(self, interaction: Interaction) -> bool:
        """Whether its token still opens anything."""
        return not interaction.is_expired and self._clock.monotonic() - interaction.created < TOKEN_LIFETIME

    def everything(self) -> list[Interaction]:
        """All interactions that are remembered."""
        return list(self._by_token.values())
