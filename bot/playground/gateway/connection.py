"""One client's WebSocket to the gateway: what comes is decoded, what goes is queued."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.gateway.compression import Stream
from bot.playground.gateway.opcodes import Close, Op

log = logging.getLogger(__name__)

MAX_SENDS, SENDS_WINDOW = 120, 60.0
MAX_PAYLOAD = 4096
MAX_BACKLOG = 10_000
CLOSE_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Payload:
    """One decoded payload from the client."""

    op: int
    data: Any


class Connection:
    """A WebSocket that never makes the server wait: payloads are queued and one task writes them."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, stream: Stream, clock: Clock) -> None:
        self._request = request
        self._socket = socket
        self._stream = stream
        self._clock = clock
        self._outgoing: deque[str | tuple[int, str]] = deque()
        self._wake = asyncio.Event()
        self._sends: deque[float] = deque()
        self._closing = False
        self._last_heartbeat = asyncio.get_running_loop().time()

    def send(self, op: Op, data: object = None) -> None:
        """Queues one payload that is not an event."""
        self.send_text(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def send_text(self, payload: str) -> None:
        """Queues one encoded payload; a client too far behind loses the connection and may resume."""
        if self._closing:
            return
        if len(self._outgoing) >= MAX_BACKLOG:
            log.warning("dropping a gateway client that reads too slowly: %d payloads behind", len(self._outgoing))
            self.abort()
            return
        self._outgoing.append(payload)
        self._wake.set()

    def close(self, code: int, reason: str = "") -> None:
        """Ends the connection after what is queued, or by force when the client does not take it."""
        if self._closing:
            return
        self._outgoing.append((code, reason))
        self._closing = True
        self._wake.set()
        asyncio.get_running_loop().call_later(CLOSE_PATIENCE, self.abort)

    def abort(self) -> None:
        """Cuts the line without a word, as a failing network does."""
        self._closing = True
        self._outgoing.clear()
        self._wake.set()
        if self._request.transport is not None:
            self._request.transport.abort()

    def heard_heartbeat(self) -> None:
        """Starts the client's patience anew, in real time: its heart does not follow the clock."""
        self._last_heartbeat = asyncio.get_running_loop().time()

    async def write(self) -> None:
        """Writes what is queued until the connection ends."""
        with contextlib.suppress(ConnectionError):
            while not self._socket.closed and not (self._closing and not self._outgoing):
                await self._wake.wait()
                self._wake.clear()
                while self._outgoing:
                    item = self._outgoing.popleft()
                    if isinstance(item, tuple):
                        await self._socket.close(code=item[0], message=item[1].encode())
                        return
                    frame = self._stream.encode(item)
                    if isinstance(frame, str):
                        await self._socket.send_str(frame)
                    else:
                        await self._socket.send_bytes(frame)
                    # A full socket buffer waits by itself; a long replay must let the others run, too.
                    await asyncio.sleep(0)

    async def payloads(self, heartbeat_timeout: float) -> AsyncIterator[Payload]:
        """What the client sends, decoded. Closes by itself on silence, on rubbish and on too much."""
        loop = asyncio.get_running_loop()
        while not self._closing:
            patience = self._last_heartbeat + heartbeat_timeout - loop.time()
            try:
                frame = await self._socket.receive(timeout=max(patience, 0.001))
            except TimeoutError:
                self.close(Close.TIMED_OUT, "Session timed out.")
                return
            if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return
            if self._too_many():
                self.close(Close.RATE_LIMITED, "You are being rate limited.")
                return
            payload = decode(frame.data)
            if payload is None:
                self.close(Close.DECODE_ERROR, "Error while decoding payload.")
                return
            yield payload

    async def finish(self, writer: asyncio.Task[None]) -> None:
        """Lets the writer send its goodbye if there is one, then ends it."""
        if not self._closing:
            writer.cancel()
        await asyncio.wait([writer], timeout=CLOSE_PATIENCE)
        writer.cancel()
        self._closing = True

    @property
    def was_left(self) -> bool:
        """Whether the client ended it for good: closing with 1000 or 1001 gives up the right to resume."""
        return not self._closing and self._socket.close_code in (1000, 1001)

    def _too_many(self) -> bool:
        now = self._clock.monotonic()
        while self._sends and self._sends[0] <= now - SENDS_WINDOW:
            self._sends.popleft()
        self._sends.append(now)
        return len(self._sends) > MAX_SENDS


def decode(frame: str | bytes) -> Payload | None:
    """The payload in a text or binary frame, or None when there is none."""
    if len(frame) > MAX_PAYLOAD:
        return None
    try:
        document = json.loads(frame)
    except ValueError:
        return None
    if not isinstance(document, dict) or type(document.get("op")) is not int:
        return None
    return Payload(document["op"], document.get("d"))
