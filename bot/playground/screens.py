"""The open pages: one person's clients, each with a queue of what it has yet to be told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable
from typing import Any

from aiohttp import WSMsgType, web

MOST_WAITING = 500  # events; a page that is further behind is cut off and comes back by itself
PING_EVERY = 25.0


class Screens:
    """Tells open pages what happens."""

    def __init__(self) -> None:
        self._open: dict[int, set[asyncio.Queue[str | None]]] = {}

    def show(self, people: Iterable[int], name: str, data: dict[str, Any]) -> None:
        """Sends the same event to every open page of these people."""
        queues = [queue for person in people for queue in self._open.get(person, ())]
        if not queues:
            return
        frame = json.dumps({"t": name, "d": data})
        for queue in queues:
            if queue.qsize() >= MOST_WAITING:
                queue.put_nowait(None)
            else:
                queue.put_nowait(frame)

    def present(self, people: Iterable[int]) -> list[int]:
        """Those of these people who have a page open."""
        return [person for person in people if self._open.get(person)]

    def show_all(self, name: str, data: dict[str, Any]) -> None:
        """Sends an event to every open page."""
        self.show(list(self._open), name, data)

    async def serve(self, request: web.Request, person_id: int) -> web.WebSocketResponse:
        """One page's line, from its handshake to its end."""
        socket = web.WebSocketResponse(heartbeat=PING_EVERY, timeout=1.0)
        await socket.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._open.setdefault(person_id, set()).add(queue)
        writer = asyncio.create_task(_write(socket, queue))
        try:
            async for frame in socket:
                if frame.type is WSMsgType.ERROR:
                    break
        finally:
            self._open[person_id].discard(queue)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return socket

    def close(self) -> None:
        """Ends every line."""
        for queues in self._open.values():
            for queue in queues:
                queue.put_nowait(None)


async def _write(socket: web.WebSocketResponse, queue: asyncio.Queue[str | None]) -> None:
    while (frame := await queue.get()) is not None:
        await socket.send_str(frame)
    await socket.close(code=1001)
