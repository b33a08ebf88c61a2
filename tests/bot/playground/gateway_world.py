"""A gateway on a real port with two guilds behind it, and just enough REST for discord.py to log in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.gateway.gateway import Gateway
from bot.playground.gateway.identify import IdentifyLimit
from bot.playground.gateway.seams import GatewayFaults

APPLICATION_ID = 9000 << 22
BOT_ID = APPLICATION_ID
TOKEN = "MzQwMjgyMzI.x.y"
GUILD_EVEN, GUILD_ODD = 2 << 22, 3 << 22
MEMBERS_FLAG, CONTENT_FLAG = 1 << 15, 1 << 19


def user(user_id: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(user_id),
        "username": name,
        "discriminator": "0",
        "global_name": name,
        "avatar": None,
        "bot": bot,
        "flags": 0,
        "public_flags": 0,
    }


def member(user_id: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    who = user(user_id, name, bot=bot)
    return {"user": who, "roles": [], "flags": 0, "joined_at": None, "deaf": False, "mute": False}


@dataclass
class TwoGuilds:
    """Guilds with ids that fall on different shards of two."""

    flags: int = 0
    people: dict[int, str] = field(default_factory=lambda: {101: "Ada", 102: "Ben", 103: "Adele"})

    def self_user(self) -> dict[str, Any]:
        return {**user(BOT_ID, "Atelier", bot=True), "mfa_enabled": False, "verified": True, "email": None}

    def application(self) -> dict[str, Any]:
        return {"id": str(APPLICATION_ID), "name": "Atelier", "flags": self.flags}

    def guilds(self) -> list[dict[str, Any]]:
        return [self._guild(GUILD_EVEN), self._guild(GUILD_ODD)]

    def token_is_valid(self, token: str) -> bool:
        return token == TOKEN

    def members(self, guild_id: int, query: str | None, limit: int, user_ids: list[int] | None) -> list[dict[str, Any]]:
        everyone = {BOT_ID: "Atelier", **self.people}
        if user_ids is not None:
            return [member(key, everyone[key]) for key in user_ids if key in everyone]
        found = [key for key, name in everyone.items() if name.lower().startswith((query or "").lower())]
        return [member(key, everyone[key], bot=key == BOT_ID) for key in found[: limit or None]]

    def _guild(self, guild_id: int) -> dict[str, Any]:
        return {
            "id": str(guild_id),
            "name": f"Guild {guild_id >> 22}",
            "owner_id": "101",
            "member_count": len(self.people) + 1,
            "large": False,
            "unavailable": False,
            "roles": [{"id": str(guild_id), "name": "@everyone", "position": 0, "permissions": "0", "color": 0}],
            "channels": [{"id": str(guild_id + 1), "type": 0, "name": "art", "position": 0}],
            "members": self.members(guild_id, "", 0, None),
            "threads": [],
            "presences": [],
            "voice_states": [],
            "emojis": [],
            "stickers": [],
            "features": [],
        }


def json_response(document: object, status: int = 200) -> web.Response:
    # discord.py takes the media type literally, so there is no charset parameter.
    return web.Response(status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"})


@dataclass
class Served:
    """A running gateway and where it is."""

    gateway: Gateway
    clock: Clock
    world: TwoGuilds
    origin: str

    @property
    def gateway_url(self) -> str:
        return f"{self.origin.replace('http', 'ws', 1)}/gateway"


@contextlib.asynccontextmanager
async def serve_gateway(
    *,
    world: TwoGuilds | None = None,
    faults: GatewayFaults | None = None,
    heartbeat_interval: float = 41.25,
    concurrency: int = 16,
    identify_interval: float = 0.0,
) -> AsyncIterator[Served]:
    clock = Clock()
    the_world = world or TwoGuilds()
    gateway = Gateway(
        the_world,
        clock,
        faults=faults,
        heartbeat_interval=heartbeat_interval,
        identify_limit=IdentifyLimit(clock, concurrency=concurrency, interval=identify_interval),
    )
    app = web.Application()
    gateway.add_routes(app)
    _add_login_routes(app, gateway, the_world)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Served(gateway, clock, the_world, f"http://127.0.0.1:{port}")
    finally:
        await runner.cleanup()


def _add_login_routes(app: web.Application, gateway: Gateway, world: TwoGuilds) -> None:
    async def me(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return json_response({"message": "401: Unauthorized", "code": 0}, 401)
        return json_response(world.self_user())

    async def application(_: web.Request) -> web.Response:
        owner = user(101, "Ada")
        extra = {"icon": None, "description": "", "verify_key": "0" * 64, "owner": owner, "bot_public": True}
        return json_response({**world.application(), **extra, "bot_require_code_grant": False})

    async def gateway_bot(request: web.Request) -> web.Response:
        url = f"ws://{request.host}/gateway"
        return json_response({"url": url, "shards": 2, "session_start_limit": gateway.identify_limit.as_json()})

    app.router.add_get("/api/v10/users/@me", me)
    app.router.add_get("/api/v10/oauth2/applications/@me", application)
    app.router.add_get("/api/v10/gateway/bot", gateway_bot)


class RawClient:
    """A client that speaks the protocol by hand, in text frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.sequence = 0
        self.key = ""

    async def send(self, op: int, data: object = None) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def receive(self) -> dict[str, Any]:
        frame = await self.socket.receive(timeout=5)
        assert frame.type == aiohttp.WSMsgType.TEXT, f"closed with {self.socket.close_code}"
        payload: dict[str, Any] = json.loads(frame.data)
        self.sequence = payload["s"] or self.sequence
        if payload["t"] == "READY":
            self.key = payload["d"]["session_id"]
        return payload

    async def event(self, name: str) -> Any:
        """The next event, which must be of this name."""
        payload = await self.receive()
        assert payload["t"] == name, payload
        return payload["d"]

    async def close_code(self) -> int:
        """Reads on until the server has closed the connection."""
        while not self.socket.closed:
            await self.socket.receive(timeout=5)
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def identify(self, *, intents: int = 1, **more: object) -> None:
        await self.send(2, {"token": TOKEN, "intents": intents, "properties": {}, **more})

    async def log_in(self, *, intents: int = 1, **more: object) -> Any:
        """Identifies and reads READY and every GUILD_CREATE; returns READY."""
        await self.identify(intents=intents, **more)
        ready = await self.event("READY")
        for _ in ready["guilds"] if intents & 1 else ():
            await self.event("GUILD_CREATE")
        return ready

    async def resume(self, key: str, sequence: int, token: str = TOKEN) -> None:
        await self.send(6, {"token": token, "session_id": key, "seq": sequence})


@contextlib.asynccontextmanager
async def raw_client(server: Served | str) -> AsyncIterator[RawClient]:
    """A connection to a served gateway, or to one below an HTTP origin, that has had its HELLO."""
    origin = server if isinstance(server, str) else server.origin
    url = f"{origin.rstrip('/')}/gateway?v=10&encoding=json"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        client = RawClient(socket)
        hello = await client.receive()
        assert hello["op"] == 10
        yield client
