"""A local Discord spoken to by hand: raw REST calls, raw gateway frames, raw page calls."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from bot.playground import ids
from bot.playground.clock import Clock
from bot.playground.server import Playground, build, listen
from tests.bot.playground.gateway_world import RawClient, raw_client

Json = dict[str, Any]
Files = Mapping[str, tuple[str, bytes]]
ART = f"/channels/{ids.ART_ID}/messages"
COMMANDS = f"/applications/{ids.APPLICATION_ID}/commands"


class Answer:
    """Status, headers and decoded body of a response."""

    def __init__(self, status: int, headers: Mapping[str, str], document: Any) -> None:
        self.status = status
        self.headers = headers
        self.document = document

    @property
    def code(self) -> int:
        return self.document["code"]

    def errors(self, *path: str | int) -> list[str]:
        """The codes at one place of a 50035."""
        assert self.document["code"] == 50035, self.document
        place = self.document["errors"]
        for step in path:
            assert str(step) in place, self.document
            place = place[str(step)]
        return [error["code"] for error in place["_errors"]]


class RawDiscord:
    """One server. `api` calls as the bot, `client` as a person, `event` waits for the gateway."""

    def __init__(self, playground: Playground, origin: str, http: aiohttp.ClientSession) -> None:
        self.playground = playground
        self.origin = origin
        self._http = http
        self.gateway: RawClient | None = None

    async def api(
        self, method: str, path: str, document: Any = None, files: Files | None = None, **more: Any
    ) -> Answer:
        headers = {"Authorization": f"Bot {ids.BOT_TOKEN}", **more.pop("headers", {})}
        return await self._call(method, f"/api/v10{path}", document, files, headers=headers, **more)

    async def client(
        self, method: str, path: str, document: Any = None, *, person: int = ids.ADA_ID, **more: Any
    ) -> Answer:
        params = {"as": str(person), **more.pop("params", {})}
        return await self._call(method, f"/client{path}", document, params=params, **more)

    async def _call(self, method: str, path: str, document: Any, files: Files | None = None, **more: Any) -> Answer:
        body: Any = None
        if files is not None:
            body = aiohttp.FormData()
            if document is not None:
                body.add_field("payload_json", json.dumps(document), content_type="text/plain")
            for name, (filename, content) in files.items():
                body.add_field(name, io.BytesIO(content), filename=filename, content_type="application/octet-stream")
            document = None
        async with self._http.request(method, self.origin + path, json=document, data=body, **more) as response:
            text = await response.read()
            is_json = response.content_type == "application/json"
            return Answer(response.status, response.headers, json.loads(text) if is_json and text else text)

    async def event(self, name: str) -> Any:
        """The next gateway event of this name."""
        assert self.gateway is not None
        while (payload := await self.gateway.receive())["t"] != name:
            continue
        return payload["d"]

    async def register(self, *commands: Json) -> list[Json]:
        answer = await self.api("PUT", COMMANDS, list(commands))
        assert answer.status == 200, answer.document
        return answer.document

    async def invoke(self, command: Json, *options: Json, person: int = ids.ADA_ID, channel: int = ids.ART_ID) -> Json:
        """A person uses a slash command; returns the bot's INTERACTION_CREATE."""
        data = {"id": command["id"], "name": command["name"], "type": command["type"], "options": list(options)}
        wish = {"type": 2, "channel_id": str(channel), "nonce": "n", "data": data}
        answer = await self.client("POST", "/interactions", wish, person=person)
        assert answer.status == 202, answer.document
        return await self.event("INTERACTION_CREATE")

    async def click(self, message: Json, custom_id: str, kind: int = 2, **more: Any) -> Answer:
        data = {"custom_id": custom_id, "component_type": kind, **more}
        wish = {"type": 3, "channel_id": message["channel_id"], "message_id": message["id"], "nonce": "n", "data": data}
        return await self.client("POST", "/interactions", wish)

    async def answer(self, interaction: Json, kind: int, data: Any = None, files: Files | None = None) -> Answer:
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback?with_response=1"
        document = {"type": kind} if data is None else {"type": kind, "data": data}
        return await self.api("POST", path, document, files)

    async def webhook(
        self, method: str, interaction: Json, rest: str = "", document: Any = None, **more: Any
    ) -> Answer:
        return await self.api(method, f"/webhooks/{ids.APPLICATION_ID}/{interaction['token']}{rest}", document, **more)


@contextlib.asynccontextmanager
async def raw_discord(clock: Clock | None = None) -> AsyncIterator[RawDiscord]:
    playground = build(clock=clock)
    runner, origin = await listen(playground, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as http:
            yield RawDiscord(playground, origin, http)
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def online(discord: RawDiscord) -> AsyncIterator[None]:
    """Logs a bot in that answers nothing by itself."""
    async with raw_client(discord.origin) as gateway:
        discord.gateway = gateway
        intents = 1 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 15
        await gateway.send(2, {"token": ids.BOT_TOKEN, "intents": intents, "properties": {}})
        await gateway.event("READY")
        await gateway.event("GUILD_CREATE")
        yield


@contextlib.asynccontextmanager
async def page(discord: RawDiscord, person: int = ids.ADA_ID) -> AsyncIterator[Page]:
    """One person's open page."""
    url = f"{discord.origin}/client/events?as={person}"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        yield Page(socket)


class Page:
    """Frames of /client/events."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def event(self, name: str) -> Json:
        """The next event of this name."""
        while (frame := await self._socket.receive_json(timeout=5))["t"] != name:
            continue
        return frame["d"]

    async def is_quiet(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self._socket.receive(timeout=seconds)
        except TimeoutError:
            return True
        return False
