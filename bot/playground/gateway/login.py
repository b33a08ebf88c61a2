"""What of a gateway client survives a dropped connection."""

from __future__ import annotations

import json
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any

from bot.playground.clock import Timer
from bot.playground.gateway.connection import Connection
from bot.playground.gateway.intents import readable, wants

MAX_REPLAY = 2_000


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of the guilds a client takes."""

    index: int = 0
    count: int = 1

    def owns(self, guild_id: int | None) -> bool:
        """Direct messages belong to the first shard."""
        return self.index == (0 if guild_id is None else (guild_id >> 22) % self.count)


class Login:
    """An identified client: its intents and shard, and the events it may still ask for after a gap."""

    def __init__(self, *, application_id: int, self_id: str, intents: int, shard: Shard) -> None:
        self.key = secrets.token_hex(16)
        self.application_id = application_id
        self.self_id = self_id
        self.intents = intents
        self.shard = shard
        self.sequence = 0
        self.connection: Connection | None = None
        self.expiry: Timer | None = None
        self._sent: deque[tuple[int, str]] = deque(maxlen=MAX_REPLAY)

    def sees(self, event: str, data: dict[str, Any], *, guild_id: int | None, user_ids: set[int] | None) -> bool:
        """Whether the event is for this client: its people, its shard, its intents."""
        if user_ids is not None and int(self.self_id) not in user_ids:
            return False
        about_itself = event == "GUILD_MEMBER_UPDATE" and data["user"]["id"] == self.self_id
        return self.shard.owns(guild_id) and (about_itself or wants(self.intents, event, in_guild=guild_id is not None))

    def emit(self, event: str, data: dict[str, Any]) -> None:
        """Sends an event now, or keeps it for the resume. The data is copied by encoding it here."""
        self.sequence += 1
        body = readable(self.intents, event, data, self.self_id)
        payload = json.dumps({"t": event, "s": self.sequence, "op": 0, "d": body})
        self._sent.append((self.sequence, payload))
        if self.connection is not None:
            self.connection.send_text(payload)

    def can_replay(self, sequence: int) -> bool:
        """Whether every event after this sequence number is still here."""
        return sequence == self.sequence or bool(self._sent and self._sent[0][0] <= sequence + 1)

    def replay(self, sequence: int) -> None:
        """Sends again every event after this sequence number."""
        assert self.connection is not None
        for number, payload in self._sent:
            if number > sequence:
                self.connection.send_text(payload)
