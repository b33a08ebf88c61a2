"""Checks of an IDENTIFY payload and the limit on how often one may be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.playground.clock import Clock
from bot.playground.gateway.intents import KNOWN_INTENTS, allowed_intents
from bot.playground.gateway.login import Shard
from bot.playground.gateway.opcodes import Close

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Identify:
    """What a client says about itself when it logs in."""

    token: str
    intents: int
    shard: Shard
    is_sharded: bool


class RefusedError(Exception):
    """The payload cannot be accepted; the connection ends with this code."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class IdentifyLimit:
    """At most `concurrency` shards may identify in one interval, each on its own turn, and so many in a day."""

    def __init__(self, clock: Clock, *, concurrency: int = 1, interval: float = 5.0, per_day: int = 1000) -> None:
        self._clock = clock
        self.concurrency = concurrency
        self._interval = interval
        self._per_day = per_day
        self._last: dict[int, float] = {}
        self._day_started = clock.monotonic()
        self._used = 0

    def take(self, shard: Shard) -> bool:
        """Counts one identify; False when this shard's turn has not come yet."""
        self._roll_day()
        now = self._clock.monotonic()
        turn = shard.index % self.concurrency
        if now - self._last.get(turn, -self._interval) < self._interval or self._used >= self._per_day:
            return False
        self._last[turn] = now
        self._used += 1
        return True

    def as_json(self) -> dict[str, int]:
        """The `session_start_limit` object of GET /gateway/bot."""
        self._roll_day()
        reset_after = DAY - (self._clock.monotonic() - self._day_started)
        return {
            "total": self._per_day,
            "remaining": max(0, self._per_day - self._used),
            "reset_after": int(reset_after * 1000),
            "max_concurrency": self.concurrency,
        }

    def _roll_day(self) -> None:
        if self._clock.monotonic() - self._day_started >= DAY:
            self._day_started = self._clock.monotonic()
            self._used = 0


def read_identify(data: Any, application_flags: int) -> Identify:
    """Raises `RefusedError` with the close code Discord uses for each mistake."""
    if not isinstance(data, dict) or not isinstance(data.get("token"), str):
        raise RefusedError(Close.DECODE_ERROR, "Error while decoding payload.")
    if not isinstance(data.get("properties"), dict):
        raise RefusedError(Close.DECODE_ERROR, "Error while decoding payload.")
    intents = data.get("intents")
    if type(intents) is not int or intents < 0 or intents & ~KNOWN_INTENTS:
        raise RefusedError(Close.INVALID_INTENTS, "Invalid intent(s).")
    if intents & ~allowed_intents(application_flags):
        raise RefusedError(Close.DISALLOWED_INTENTS, "Disallowed intent(s).")
    shard = _read_shard(data.get("shard"))
    return Identify(data["token"], intents, shard or Shard(), shard is not None)


def _read_shard(value: Any) -> Shard | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(type(part) is int for part in value):
        raise RefusedError(Close.INVALID_SHARD, "Invalid shard.")
    index, count = value
    if not 0 <= index < count:
        raise RefusedError(Close.INVALID_SHARD, "Invalid shard.")
    return Shard(index, count)
