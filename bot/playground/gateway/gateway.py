"""The gateway of the local Discord: a WebSocket where bots log in, resume and receive events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.gateway.compression import stream_for
from bot.playground.gateway.connection import CLOSE_PATIENCE, Connection
from bot.playground.gateway.conversation import Conversation
from bot.playground.gateway.identify import IdentifyLimit
from bot.playground.gateway.logins import Logins, StatusWatcher
from bot.playground.gateway.opcodes import Close, Op
from bot.playground.gateway.seams import GatewayFaults, NoFaults, World

HEARTBEAT_GRACE = 1.5  # intervals without a heartbeat before the connection counts as dead


class Gateway:
    """Serves the WebSocket and sends every event to the clients it is for. All of it runs in one event loop."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        faults: GatewayFaults | None = None,
        heartbeat_interval: float = 41.25,
        identify_limit: IdentifyLimit | None = None,
    ) -> None:
        self._world = world
        self._clock = clock
        self._faults = faults or NoFaults()
        self._heartbeat_interval = heartbeat_interval
        self._logins = Logins(clock)
        self._connections: set[Connection] = set()
        self.identify_limit = identify_limit or IdentifyLimit(clock)

    def add_routes(self, app: web.Application, path: str = "/gateway") -> None:
        """Serves the WebSocket at the path, with and without a final slash."""
        app.router.add_get(path, self.connect)
        app.router.add_get(f"{path}/", self.connect)
        app.on_shutdown.append(self._shut_down)

    def dispatch(
        self, event: str, data: dict[str, Any], *, guild_id: int | None, user_ids: set[int] | None = None
    ) -> None:
        """Sends an event to every client that may see it, now or when it resumes. Never blocks.

        `user_ids` narrows it to bots that are one of these users.
        """
        self._logins.dispatch(event, data, guild_id=guild_id, user_ids=user_ids)

    def online(self, application_id: int) -> bool:
        """Whether any client of the application is logged in on an open connection."""
        return self._logins.online(application_id)

    def watch(self, watcher: StatusWatcher) -> None:
        """The watcher is called with an application id and whether it is online now, on every change."""
        self._logins.watch(watcher)

    def drop(self) -> int:
        """Cuts every line without a close frame; returns how many there were."""
        return self._for_all(lambda connection: connection.abort())

    def close(self, code: int, reason: str = "") -> int:
        """Closes every connection with this code; returns how many there were."""
        return self._for_all(lambda connection: connection.close(code, reason))

    def ask_reconnect(self) -> int:
        """Tells every client to come back and resume (op 7)."""
        return self._for_all(lambda connection: connection.send(Op.RECONNECT))

    def invalidate(self, *, resumable: bool) -> int:
        """Tells every client its login is no longer good (op 9); unless it may resume, it is forgotten too."""
        if not resumable:
            self._logins.forget_all()
        return self._for_all(lambda connection: connection.send(Op.INVALID_SESSION, resumable))

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """One client's WebSocket, from the handshake to its end."""
        if self._faults.rejects_connect():
            return web.Response(status=503, text="The gateway is not available.")
        socket = web.WebSocketResponse(timeout=CLOSE_PATIENCE, compress=False)
        await socket.prepare(request)
        connection = Connection(request, socket, stream_for(request.query.get("compress")), self._clock)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        try:
            await self._converse(request, connection)
        finally:
            self._connections.discard(connection)
            await connection.finish(writer)
        return socket

    async def _converse(self, request: web.Request, connection: Connection) -> None:
        if request.query.get("v", "10") not in ("9", "10"):
            connection.close(Close.INVALID_API_VERSION, "Invalid API version.")
            return
        if request.query.get("encoding", "json") != "json":
            connection.close(Close.DECODE_ERROR, "Only JSON is spoken here.")
            return
        conversation = Conversation(
            connection,
            world=self._world,
            logins=self._logins,
            limit=self.identify_limit,
            faults=self._faults,
            resume_url=f"ws://{request.host}{request.path}",
        )
        interval = self._heartbeat_interval
        connection.send(Op.HELLO, {"heartbeat_interval": round(interval * 1000), "_trace": ["local"]})
        try:
            async for payload in connection.payloads(interval * HEARTBEAT_GRACE):
                conversation.answer(payload)
        finally:
            if conversation.login is not None:
                self._logins.detach(conversation.login, connection, resumable=not connection.was_left)

    def _for_all(self, action: Callable[[Connection], object]) -> int:
        connections = list(self._connections)
        for connection in connections:
            action(connection)
        return len(connections)

    async def _shut_down(self, _: web.Application) -> None:
        self.close(1001, "The server is going away.")
