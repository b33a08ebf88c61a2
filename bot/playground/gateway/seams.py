"""What the gateway asks of its surroundings."""

from __future__ import annotations

from typing import Any, Protocol


class World(Protocol):
    """The state behind the gateway. Every object is a whole Discord API object."""

    def self_user(self) -> dict[str, Any]:
        """The bot's own user, with the keys only its owner sees."""

    def application(self) -> dict[str, Any]:
        """The application; its `flags` say which privileged intents are switched on."""

    def guilds(self) -> list[dict[str, Any]]:
        """One GUILD_CREATE payload for each guild the bot is in."""

    def token_is_valid(self, token: str) -> bool:
        """Whether the bot may log in with this."""

    def members(self, guild_id: int, query: str | None, limit: int, user_ids: list[int] | None) -> list[dict[str, Any]]:
        """Members by name prefix (an empty one matches all; limit 0 is no limit) or by id."""


class GatewayFaults(Protocol):
    """Faults that are asked for at the moment they would happen, so that they can be counted down."""

    def rejects_connect(self) -> bool:
        """Whether the next connection is turned away before it opens."""

    def withholds_ack(self) -> bool:
        """Whether this heartbeat is left unanswered."""


class NoFaults:
    """A gateway on a good day."""

    def rejects_connect(self) -> bool:
        """Every connection is welcome."""
        return False

    def withholds_ack(self) -> bool:
        """Every heartbeat is answered."""
        return False
