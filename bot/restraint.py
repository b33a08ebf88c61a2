"""Refused requests are counted where all of them pass, so that Discord never has a reason to ban this address.

Discord bans an address for 10,000 requests in ten minutes that it answered with 401, 403 or 429 (a 429 of a limit that
is shared with others does not count). This house stays below a hundred, whatever happens: once many were refused,
requests come one by one, 15 seconds after one more was refused, and sooner again with each that is accepted.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import aiohttp

from bot.wire import HeldBack

WINDOW = 600.0  # seconds in which Discord counts
CALM = 50  # refused requests in that time from which on requests come one by one
SPACING = 15.0  # seconds between two of them after one was refused: forty more refused in ten minutes at most
SOONEST = 0.2  # seconds between two of them when all is well again: an answer is here before the next one is asked
TURN = 2.0  # seconds that a request waits for its turn; whoever would wait longer is told so
REFUSALS = frozenset({401, 403, 429})
API = re.compile(r"/api(?:/v\d+)?/")  # the gateway's address is another one, and connecting to it is no request
ANSWERS = re.compile(r"/interactions/\d+/[^/]+/callback$")  # a person waits three seconds for these
BY_TOKEN = re.compile(r"/webhooks/\d+/")  # opened by an interaction's token, whose end is a normal thing


class Restraint:
    """Watches every request of the client; holds requests back when too many were refused, all once the token is."""

    def __init__(
        self,
        revoked: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._revoked = revoked  # told once, when Discord does not accept the bot's token
        self._clock = clock
        self._refused: deque[float] = deque()
        self._spacing = SOONEST
        self._next = 0.0  # when the next request may be made, while there are many
        self._quiet_until = 0.0  # nothing is made before, not even what has waited for its turn
        self._answers_refused = False  # as long as they are not, they do not wait for any turn
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
        path = begun.url.path
        if self.refused < CALM or not API.search(path) or (ANSWERS.search(path) and not self._answers_refused):
            return
        now = self._clock()
        turn = max(now, self._next)
        if turn - now <= TURN:
            self._next = turn + self._spacing
            await self._sleep(turn - now)
            if self._clock() >= self._quiet_until:  # nothing was refused meanwhile
                return
        self.held_back += 1
        raise HeldBack(f"{self.refused} requests were refused in the last ten minutes")

    async def _ends(self, _: object, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
        status, headers = ended.response.status, ended.response.headers
        if not API.search(ended.url.path):
            return
        now, is_answer = self._clock(), bool(ANSWERS.search(ended.url.path))
        refused = status in REFUSALS and headers.get("X-RateLimit-Scope") != "shared"
        if is_answer:
            self._answers_refused = refused
        if refused:
            self._refused.append(now)
            self._spacing = SPACING
            self._next = self._quiet_until = now + SPACING
        elif status != 429 and not is_answer:
            self._spacing = max(SOONEST, self._spacing / 2)
            self._next = min(self._next, now + self._spacing)
        if status == 401 and not BY_TOKEN.search(ended.url.path) and not self._over:
            self._over = True
            self._revoked()
