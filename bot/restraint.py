"""Refused requests are counted where all of them pass, so that Discord never has a reason to ban this address.

Discord bans an address for 10,000 requests in ten minutes that it answered with 401, 403 or 429 (a 429 of a limit that
is shared with others does not count). This process stays below a hundred, whatever happens, since what was refused in
ten minutes and what may still be, because it is under way, are together never more than 93: a request that finds no
room waits two seconds for some at most, and is not made otherwise. A house that is well has 40 under way of each kind,
which are 200 a second where an answer takes 0.2 s, and twice as many answers.

That work goes on when Discord takes requests again: of each kind (the bot's own; those that an interaction's token
opens, since many tokens end early while channels stay open; answers and logging in, which a person or a start waits
for), once 28, 25 or 10 were refused, requests come one by one, 60 seconds after the last that was refused. These are
ten more of each kind in ten minutes at most, 93 in all.

Former processes on the data folder count too, and others beside this one, of which it hears whenever a request of its
own was refused (bot.refused_requests). What those have under way is not known: three of them stay below a hundred as
long as their requests come one by one, and may come to more by what each had under way when the refusals began. A
request that was given up may still be refused, and keeps its place for 30 seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import aiohttp

from bot.refused_requests import SPAN, Kind, RefusedRequests
from bot.wire import HeldBack, TokensHeldBack

CEILING = 93  # refused in ten minutes, and what may still be
AT_ONCE = 40  # of one kind
AT_ONCE_FREE = 80  # answers: a crowd may ask in one moment
CALM = 28  # refused requests in that time from which on requests come one by one
CALM_BY_TOKEN = 25  # the same of those that a token opens
CALM_FREE = 10  # and of answers and logging in
SPACING = 60.0  # seconds after one was refused in which no other one of its kind is made then
TURN = 2.0  # seconds that a request waits for room; whoever would wait longer is told so
LOOK = 0.05  # seconds between two looks for it
ANSWER = 30.0  # seconds after which no answer to a request is counted on
REFUSALS = frozenset({401, 403, 429})
API = re.compile(r"/api(?:/v\d+)?/")  # the gateway's address is another one, and connecting to it is no request
# A person waits three seconds for an answer; a process that starts has to log in before it can do anything.
FREE = re.compile(r"/interactions/\d+/[^/]+/callback$|/users/@me$|/oauth2/applications/@me$|/gateway/bot$")
BY_TOKEN = re.compile(r"/webhooks/\d+/")  # opened by an interaction's token, whose end is a normal thing


@dataclass(slots=True)
class _File:
    """Requests of one kind, one by one while many of them are refused."""

    kind: Kind
    calm: int
    at_once: int
    refusals: deque[float] = field(default_factory=deque)  # when each was, in this process
    others: list[float] = field(default_factory=list)  # in other ones and before, oldest first
    under_way: dict[int, float] = field(default_factory=dict)  # since when, by number

    def refused(self, now: float) -> int:
        while self.refusals and self.refusals[0] <= now - SPAN:
            self.refusals.popleft()
        return len(self.refusals) + sum(at > now - SPAN for at in self.others)

    def refusable(self, now: float) -> int:
        """What was refused, and what may still be."""
        for number in [number for number, since in self.under_way.items() if since <= now - ANSWER]:
            del self.under_way[number]
        return self.refused(now) + len(self.under_way)

    def quiet_until(self, now: float) -> float:
        """When one may be made again, although so many were refused."""
        if self.refused(now) < self.calm:
            return now
        return max([*list(self.refusals)[-1:], *self.others[-1:]]) + SPACING

    def is_open(self, now: float) -> bool:
        if self.refused(now) < self.calm:
            return self.refusable(now) < self.at_once
        return not self.under_way and now >= self.quiet_until(now)


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
        bounds = {
            Kind.BOT: (CALM, AT_ONCE),
            Kind.TOKEN: (CALM_BY_TOKEN, AT_ONCE),
            Kind.FREE: (CALM_FREE, AT_ONCE_FREE),
        }
        self._files = {kind: _File(kind, calm, at_once) for kind, (calm, at_once) in bounds.items()}
        self._heard: object = ()
        self._numbers = itertools.count()
        self._over = False
        self.held_back = 0  # requests that were not made
        kept.begin()

    def trace(self) -> aiohttp.TraceConfig:
        """What discord.py's HTTP client needs to be watched."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begins)
        trace.on_request_end.append(self._ends)
        trace.on_request_exception.append(self._fails)
        return trace

    @property
    def refused(self) -> int:
        """Requests that were answered with 401, 403 or 429 in the last ten minutes, as far as it is known."""
        now = self._hear()
        return sum(file.refused(now) for file in self._files.values())

    @property
    def under_way(self) -> int:
        """Requests that may still be refused."""
        now = self._clock()
        return sum(file.refusable(now) - file.refused(now) for file in self._files.values())

    async def _begins(self, _: object, request: SimpleNamespace, begun: aiohttp.TraceRequestStartParams) -> None:
        file = self._file_of(begun.url.path)
        if self._over or (file is not None and not await self._has_turn(file)):
            self.held_back += 1
            raise self._reason(file)
        if file is not None:  # nothing is awaited between finding room and taking it
            request.file, request.number = file, next(self._numbers)
            file.under_way[request.number] = self._clock()

    async def _has_turn(self, file: _File) -> bool:
        last = self._clock() + TURN
        while not self._over:
            now = self._hear()
            if self._is_room(now) and file.is_open(now):
                return True
            if max(now + LOOK, file.quiet_until(now)) > last:
                return False
            await self._sleep(LOOK)
        return False

    def _is_room(self, now: float) -> bool:
        return sum(file.refusable(now) for file in self._files.values()) < CEILING

    def _reason(self, file: _File | None) -> HeldBack:
        if self._over or file is None:
            return HeldBack("the bot's token was refused")
        now = self._clock()
        kind = TokensHeldBack if file.kind is Kind.TOKEN and file.quiet_until(now) > now else HeldBack
        return kind(f"{self.refused} requests were refused in the last ten minutes")

    async def _ends(self, _: object, request: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
        file: _File | None = getattr(request, "file", None)
        if file is None:
            return
        file.under_way.pop(request.number, None)
        status, headers = ended.response.status, ended.response.headers
        if status in REFUSALS and headers.get("X-RateLimit-Scope") != "shared":
            file.refusals.append(self._clock())
            self._kept.note(file.kind)
        if status == 401 and file.kind is not Kind.TOKEN and not self._over:
            self._over = True
            self._revoked()

    async def _fails(self, _: object, request: SimpleNamespace, failed: aiohttp.TraceRequestExceptionParams) -> None:
        file: _File | None = getattr(request, "file", None)
        # Whoever waits no longer does not know what Discord says in the end: such a place is given back in its time.
        if file is not None and not isinstance(failed.exception, (asyncio.CancelledError, TimeoutError)):
            file.under_way.pop(request.number, None)

    def _hear(self) -> float:
        """Count what other processes were refused, as far as it is known by now; returns the time."""
        now = self._clock()
        if self._heard is not self._kept.heard:
            self._heard = heard = self._kept.heard
            for file in self._files.values():
                file.others = [now - self._kept.age(at) for at, kind in heard if kind is file.kind]
        return now

    def _file_of(self, path: str) -> _File | None:
        if not API.search(path):
            return None
        if FREE.search(path):
            return self._files[Kind.FREE]
        return self._files[Kind.TOKEN if BY_TOKEN.search(path) else Kind.BOT]
