"""Refused requests are counted where all of them pass, so that Discord never has a reason to ban this address.

Discord bans an address for 10,000 requests in ten minutes that it answered with 401, 403 or 429 (a 429 of a limit that
is shared with others does not count). This house stays below a hundred, whatever happens.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from bot.wire import HeldBack

WINDOW = 600.0  # seconds in which Discord counts
CALM = 50  # refused requests in that time from which on few new ones are made
SPACING = 15.0  # seconds between two requests then: forty more in ten minutes at most
REFUSALS = frozenset({401, 403, 429})
ANSWERS = re.compile(r"/interactions/\d+/[^/]+/callback$")  # a person waits three seconds for these: never held back
BY_TOKEN = re.compile(r"/webhooks/\d+/")  # opened by an interaction's token, whose end is a normal thing


class Restraint:
    """Watches every request of the client; holds requests back when too many were refused, all once the token is."""

    def __init__(self, revoked: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._revoked = revoked  # told once, when Discord does not accept the bot's token
        self._clock = clock
        self._refused: deque[float] = deque()
        self._next = 0.0  # when the next request may be made, while there are many
        self._over = False
        self.held_back = 0  # requests that were not made

    def trace(self) -> aiohttp.TraceConfig:
        """What discord.py's HTTP client needs to be watched."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begins)
        trace.on_request_end.append(self._ends)
        return trace

    @property
    def refused(self) -> int:
        """Requests that were answered with 401, 403 or 429 in the last ten minutes."""
        while self._refused and self._refused[0] <= self._clock() - WINDOW:
            self._refused.popleft()
        return len(self._refused)

    async def _begins(self, _: object, __: SimpleNamespace, begun: aiohttp.TraceRequestStartParams) -> None:
        if self._over:
            self.held_back += 1
            raise HeldBack("the bot's token was refused")
        if self.refused < CALM or ANSWERS.search(begun.url.path):
            return
        now = self._clock()
        if now < self._next:
            self.held_back += 1
            raise HeldBack(f"{self.refused} requests were refused in the last ten minutes")
        self._next = now + SPACING

    async def _ends(self, _: object, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
        status, headers = ended.response.status, ended.response.headers
        if status not in REFUSALS or headers.get("X-RateLimit-Scope") == "shared":
            return
        self._refused.append(self._clock())
        if status == 401 and not BY_TOKEN.search(ended.url.path) and not self._over:
            self._over = True
            self._revoked()
