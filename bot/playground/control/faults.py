"""Programmed faults of the local Discord: requests and gateway connections that go wrong on purpose."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.playground.bodies import UnreadableBodyError, read_body
from bot.playground.buckets import api_path, rate_limited
from bot.playground.clock import Clock
from bot.playground.control.fault import GATEWAY_KINDS, Fault, FaultKind
from bot.playground.documents import respond

FAULT = web.RequestKey("fault", FaultKind)  # set on a request that a fault ended


@dataclass(slots=True)
class Armed:
    """A fault waiting for its requests."""

    key: int
    fault: Fault
    until: float | None
    left: int | None
    skip: int
    hits: int = 0

    def strike(self) -> bool:
        """Counts one matching request; False while the fault still lets them pass."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The fault, and how often it has struck."""
        return {"id": self.key, **self.fault.as_json(), "left": self.left, "hits": self.hits}


class Faults:
    """Holds what is to go wrong and makes it so; several faults may fit one request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys = itertools.count(1)
        self._armed: dict[int, Armed] = {}

    def add(self, fault: Fault) -> int:
        """Arms a fault; its key takes it back."""
        key = next(self._keys)
        until = None if fault.duration_s is None else self._clock.monotonic() + fault.duration_s
        self._armed[key] = Armed(key, fault, until, fault.count, fault.skip)
        return key

    def remove(self, key: int) -> bool:
        """Takes one fault back; False when there is none of this key."""
        return self._armed.pop(key, None) is not None

    def clear(self) -> None:
        """Takes every fault back."""
        self._armed.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """Every fault that may still strike."""
        return [armed.as_json() for armed in self._live()]

    def rejects_connect(self) -> bool:
        """Whether the next gateway connection is turned away."""
        return self._strikes(FaultKind.REJECT_CONNECT)

    def withholds_ack(self) -> bool:
        """Whether this heartbeat is left unanswered."""
        return self._strikes(FaultKind.WITHHOLD_ACK)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For the application's list of middlewares, before the rate limits; hits the API and the CDN only."""
        ending: Fault | None = None
        for fault in self._struck_by(request):
            if fault.kind is FaultKind.LATENCY:
                if fault.executed:
                    with suppress(UnreadableBodyError):
                        await read_body(request)  # while its sender is still there
                await self._clock.sleep(fault.delay_s)
            elif fault.kind is FaultKind.SLOW_UPLOAD:
                await self._clock.sleep((request.content_length or 0) / fault.bytes_per_s)
            else:
                ending = fault
        if ending is None:
            return await handler(request)
        return await _end(ending, request, handler)

    def _live(self) -> list[Armed]:
        now = self._clock.monotonic()
        return [
            armed for armed in self._armed.values() if armed.left != 0 and (armed.until is None or now < armed.until)
        ]

    def _strikes(self, kind: FaultKind) -> bool:
        return any(armed.fault.kind is kind and armed.strike() for armed in self._live())

    def _struck_by(self, request: web.Request) -> list[Fault]:
        """The faults for this request, at most one of which ends it."""
        path = api_path(request.path)
        if path is None and request.path.startswith("/cdn/"):
            path = request.path
        if path is None:
            return []
        is_upload = request.content_type.startswith("multipart/")
        struck: list[Fault] = []
        is_over = False
        for armed in self._live():
            ends = armed.fault.kind not in (FaultKind.LATENCY, FaultKind.SLOW_UPLOAD)
            if armed.fault.kind in GATEWAY_KINDS or (ends and is_over):
                continue
            if armed.fault.matches(request.method, path, is_upload=is_upload) and armed.strike():
                struck.append(armed.fault)
                is_over |= ends
        return struck


async def _end(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    request[FAULT] = fault.kind
    if fault.kind is FaultKind.RATE_LIMIT:
        await request.release()
        return rate_limited(fault.scope, fault.retry_after, via=fault.via)
    response = await handler(request) if fault.executed else None
    if fault.kind is FaultKind.DISCONNECT:
        return await _cut(request, response)
    await request.release()
    if fault.body is not None:
        kind = "text/html" if fault.body.startswith("<") else "application/json"
        return web.Response(text=fault.body, status=fault.status, content_type=kind)
    document = {"message": f"{fault.status}: made to fail", "code": fault.code}
    return respond(document, fault.status)


async def _cut(request: web.Request, response: web.StreamResponse | None) -> web.StreamResponse:
    """Ends the connection, after the first half of the response if there is one."""
    body = response.body if isinstance(response, web.Response) else None
    if response is None or not isinstance(body, bytes):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    half = web.StreamResponse(status=response.status, headers=response.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
