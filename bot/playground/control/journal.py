"""A record of every message that came, changed or went, whoever saw it, for a test that counts what was shown."""

from __future__ import annotations

from collections import deque

from bot.playground.clock import Clock
from bot.playground.documents import Json
from bot.playground.messages import Message, Messages
from bot.playground.rules.controls import walk

KEPT = 20_000  # far more than happens between two looks


class Journal:
    """The latest changes of messages; watches the composer."""

    def __init__(self, clock: Clock, messages: Messages, *, kept: int = KEPT) -> None:
        self._clock = clock
        self._messages = messages
        self._entries: deque[Json] = deque(maxlen=kept)
        self._count = 0

    def note(self, message: Message, exists: bool) -> None:
        """For the composer's watchers. A message that only made room for newer ones counts as still there."""
        if not exists and self._messages.is_full(message.channel_id):
            return
        self._count += 1
        contents = message.contents
        self._entries.append(
            {
                "number": self._count,
                "at": self._clock.now(),
                "exists": exists,
                "id": str(message.id),
                "channel_id": str(message.channel_id),
                "author_id": str(message.author_id),
                "asked_by": message.interaction["user"]["id"] if message.interaction else None,
                "interaction_id": message.interaction["id"] if message.interaction else None,
                "audience": None if message.audience is None else str(message.audience),
                "content": contents.content,
                "mentions": [str(each) for each in contents.mentions],
                "files": len(contents.attachments),
                "custom_ids": [each["custom_id"] for each in walk(contents.components) if each.get("custom_id")],
                "thinking": message.is_loading,
            }
        )

    def since(self, number: int = 0) -> list[Json]:
        """Every kept entry with a greater number, oldest first."""
        return [entry for entry in self._entries if entry["number"] > number]
