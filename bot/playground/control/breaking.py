"""Faults by name, as the controls take them: those that wait for requests, and those that happen at once."""

from __future__ import annotations

from collections.abc import Callable

from bot.playground.cdn import LIFETIME, Cdn
from bot.playground.control.fault import FaultKind, fault_from_json
from bot.playground.control.faults import Faults
from bot.playground.control.seams import Breakables
from bot.playground.control.wish import Wish
from bot.playground.documents import Json
from bot.playground.gateway.gateway import Gateway
from bot.playground.gateway.opcodes import Close


class Breaking:
    """Everything a test can break, and mend again."""

    def __init__(self, faults: Faults, gateway: Gateway, cdn: Cdn, world: Breakables) -> None:
        self.faults = faults
        self._gateway = gateway
        self._cdn = cdn
        self._world = world
        self._at_once: dict[str, Callable[[Wish], Json]] = {
            "drop_connections": lambda _: {"connections": gateway.drop()},
            "close_connections": self._close,
            "reconnect": lambda _: {"connections": gateway.ask_reconnect()},
            "invalid_session": self._invalidate,
            "expire_tokens": self._expire_tokens,
            "delete_message": self._delete_message,
            "deny": self._deny,
            "cdn_lifetime": self._set_lifetime,
        }

    def do(self, wish: Wish) -> Json:
        """Breaks one thing. Raises ValueError with a sentence when the description makes no sense."""
        kind = wish.text("kind")
        if kind in self._at_once:
            return self._at_once[kind](wish)
        if kind not in list(FaultKind):
            raise ValueError(f"There is no fault {kind!r}; there are {', '.join([*FaultKind, *self._at_once])}.")
        return {"id": self.faults.add(fault_from_json(wish.fields))}

    def mend(self) -> None:
        """Takes back every fault that is still waiting, and the CDN's lifetime."""
        self.faults.clear()
        self._cdn.lifetime = LIFETIME

    def _close(self, wish: Wish) -> Json:
        code = wish.number("code", Close.UNKNOWN_ERROR)
        if not 1000 <= code <= 4999:
            raise ValueError("'code' is a WebSocket close code, 1000 to 4999.")
        return {"connections": self._gateway.close(code)}

    def _invalidate(self, wish: Wish) -> Json:
        return {"connections": self._gateway.invalidate(resumable=wish.fields.get("resumable") is True)}

    def _expire_tokens(self, wish: Wish) -> Json:
        interaction_id = wish.number("interaction_id") if "interaction_id" in wish else None
        return {"tokens": self._world.expire_tokens(interaction_id)}

    def _delete_message(self, wish: Wish) -> Json:
        return {"deleted": self._world.delete_message(wish.number("channel_id"), wish.number("message_id"))}

    def _deny(self, wish: Wish) -> Json:
        unheard = wish.fields.get("unheard") is True
        self._world.deny(wish.number("channel_id"), wish.number("permissions"), unheard=unheard)
        return {"permissions": str(wish.number("permissions"))}

    def _set_lifetime(self, wish: Wish) -> Json:
        self._cdn.lifetime = wish.seconds("lifetime_s")
        return {"lifetime_s": self._cdn.lifetime}
