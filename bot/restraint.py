"""Refused requests are counted where all of them pass, so that Discord never has a reason to ban this address.

Discord bans an address for 10,000 requests in ten minutes that it answered with 401, 403 or 429 (a 429 of a limit that
is shared with others does not count). This house stays below a hundred, whatever happens: once many were refused,
requests come one by one, 40 seconds after one more was refused, and sooner again with each that is accepted. Those that
an interaction's token opens stand in a file of their own: where many tokens end early, channels stay open. What was
refused before this process was started counts too (bot.refused_requests).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import aiohttp

from bot.refused_requests import SPAN, RefusedRequests
from bot.wire import HeldBack, TokensHeldBack

CALM = 35  # refused requests in that time from which on requests come one by one
CALM_BY_TOKEN = 25  # the same of those that a token opens
SPACING = 40.0  # seconds between two of a file after one was refused: fifteen more refused in ten minutes at most
SOONEST = 0.2  # seconds between two of them when all is well again: an answer is here before the next one is asked
TURN = 2.0  # seconds that a request waits for its turn; whoever would wait longer is told so
REFUSALS = frozenset({401, 403, 429})
API = re.compile(r"/api(?:/v\d+)?/")  # the gateway's address is another one, and connecting to it is no request
# A person waits three seconds for an answer; a process that starts has to log in before it can do anything.
FREE = re.compile(r"/interactions/\d+/[^/]+/callback$|/users/@me$|/oauth2/applications/@me$|/gateway/bot$")
BY_TOKEN = re.compile(r"/webhooks/\d+/")  # opened by an interaction's token, whose end is a normal thing


@dataclass(slots=True)
class _File:
    """Requests of one kind, one by one while many of them are refused."""

    calm: int
    refusals: deque[float] = field(default_factory=deque)  # when each was
    spacing: float = SOONEST
    next: float = 0.0  # when the next request may be made
    quiet_until: float = 0.0  # nothing is made before, not even what has waited for its turn

    def count(self, now: float) -> int:
        while self.refusals and self.refusals[0] <= now - SPAN:
            self.refusals.popleft()
        return len(self.refusals)

    def refused(self, now: float) -> None:
        self.refusals.append(now)
        self.spacing = SPACING
        self.next = self.quiet_until = now + SPACING

    def recall(self, age: float, now: float) -> None:
        """One of a former process, so many seconds ago."""
        self.refused(now - age)
        if age > SPACING:
            self.spacing = SOONEST

    def accepted(self, now: float) -> None:
        self.spacing = max(SOONEST, self.spacing / 4)
        self.next = min(self.next, now + self.spacing)


class Restraint:
    """Watches every request of the client; holds requests back when too many were refused, all once the token is."""

    def __init__(
        self,
        revoked: Callable[[], None],
        kept: RefusedRequests,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._revoked = revoked  # told once, when Discord does not accept the bot's token
        self._clock = clock
        self._kept = kept
        self._by_bot, self._by_token = _File(CALM), _File(CALM_BY_TOKEN)
        self._free_refused = False  # as long as they are not, they do not wait for any turn
        self._over = False
        self.held_back = 0  # requests that were not made
        for age, by_token in kept.recent():
            (self._by_token if by_token else self._by_bot).recall(age, clock())
        kept.tidy()

    def trace(self) -> aiohttp.TraceConfig:
        """What discord.py's HTTP client needs to be watched."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begins)
        trace.on_request_end.append(self._ends)
        return trace

    @property
    def refused(self) -> int:
        """Requests that were answered with 401, 403 or 429 in the last ten minutes."""
        now = self._clock()
        return self._by_bot.count(now) + self._by_token.count(now)

    async def _begins(self, _: object, __: SimpleNamespace, begun: aiohttp.TraceRequestStartParams) -> None:
        if self._over:
            self.held_back += 1
            raise HeldBack("the bot's token was refused")
        path, now = begun.url.path, self._clock()
        file = self._file_of(path)
        calm = file.count(now) < file.calm
        if calm or not API.search(path) or (FREE.search(path) and not self._free_refused):
            return
        turn = max(now, file.next)
        if turn - now <= TURN:
            file.next = turn + file.spacing
            await self._sleep(turn - now)
            if self._clock() >= file.quiet_until:  # nothing was refused meanwhile
                return
        self.held_back += 1
        kind = TokensHeldBack if file is self._by_token and file.spacing > TURN else HeldBack
        raise kind(f"{self.refused} requests were refused in the last ten minutes")

    async def _ends(self, _: object, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
        status, headers = ended.response.status, ended.response.headers
        if not API.search(ended.url.path):
            return
        now, file, is_free = self._clock(), self._file_of(ended.url.path), bool(FREE.search(ended.url.path))
        refused = status in REFUSALS and headers.get("X-RateLimit-Scope") != "shared"
        if is_free:
            self._free_refused = refused
        if refused:
            file.refused(now)
            await self._kept.add(by_token=file is self._by_token)
        elif status != 429 and not is_free:
            file.accepted(now)
        if status == 401 and not BY_TOKEN.search(ended.url.path) and not self._over:
            self._over = True
            self._revoked()

    def _file_of(self, path: str) -> _File:
        return self._by_token if BY_TOKEN.search(path) else self._by_bot
