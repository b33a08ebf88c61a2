"""What the test controls ask of the world: to act as a person's client does, and to break things."""

from __future__ import annotations

from typing import Protocol

from bot.playground.documents import Json


class People(Protocol):
    """The same functions that stand behind the page, for any person. Refusals are aiohttp's HTTP exceptions."""

    def commands(self, person_id: int, channel_id: int) -> list[Json]:
        """Application commands of every type that the person may use there."""

    def messages(self, person_id: int, channel_id: int, limit: int) -> list[Json]:
        """Newest first; ephemeral ones only to their person."""

    def message(self, person_id: int, message_id: int) -> Json | None:
        """A message the person can see, wherever it is."""

    def modals(self, person_id: int) -> list[Json]:
        """Modals that are open on the person's screen, oldest first, each with the `channel_id` it belongs to."""

    def upload(self, person_id: int, filename: str, content: bytes) -> Json:
        """Takes a file for an option or a modal; its `id` stands for it."""

    def say(self, person_id: int, channel_id: int, content: str) -> Json:
        """Posts a plain message of the person's own."""

    async def interact(self, person_id: int, interaction: Json) -> Json:
        """Takes what the page posts to /client/interactions and answers the same."""


class Breakables(Protocol):
    """Parts of the world a test may break."""

    def expire_tokens(self, interaction_id: int | None) -> int:
        """Makes one interaction's token, or all of them, too old; returns how many there were."""

    def delete_message(self, channel_id: int, message_id: int) -> bool:
        """Deletes a message as a moderator would; False when there is none."""

    def deny(self, channel_id: int, permissions: int, *, unheard: bool) -> None:
        """Denies the bot these permissions in a channel, and no others any more; `unheard`: without an event."""
