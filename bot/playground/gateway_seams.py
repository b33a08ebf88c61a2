"""What the gateway asks of its surroundings."""

from __future__ import annotations

from typing import Any, Protocol


class World(Protocol):
    """The state behind the gateway. Every object is a whole Discord API object."""

    def self_user(self) -> dict[str, Any]: ...

    def application(self) -> dict[str, Any]: ...

    def guilds(self) -> list[dict[str, Any]]:
        """One GUILD_CREATE payload for each guild the bot is in."""

    def token_is_valid(self, token: str) -> bool: ...

    def members(self, guild_id: int, query: str | None, limit: int, user_ids: list[int] | None) -> list[dict[str, Any]]:
        """Members by name prefix (an empty one matches all; limit 0 is no limit) or by id."""


class GatewayFaults(Protocol):
    """Faults that are asked for at the moment they would happen, so that they can be counted down."""

    def rejects_connect(self) -> bool: ...

    def withholds_ack(self) -> bool: ...


class NoFaults:
    """A gateway on a good day."""

    def rejects_connect(self) -> bool:
        return False

    def withholds_ack(self) -> bool:
        return False
