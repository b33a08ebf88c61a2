"""The record of API exchanges over real HTTP: JSON, multipart, errors, faults."""

from __future__ import annotations

import io
import json

import aiohttp
import discord
import pytest
from aiohttp import web

from bot.playground.bodies import UnreadableBodyError, read_body
from bot.playground.clock import Clock
from bot.playground.control.exchanges import Exchanges
from bot.playground.control.fault import Fault, FaultKind
from bot.playground.control.faults import Faults
from tests.bot.playground.gateway_world import json_response
from tests.bot.playground.serving import serving

PATH = "/api/v10/channels/100000/messages"


class Recorded:
    """An API that echoes, with a recorder in front and faults between."""

    def __init__(self, kept: int = 100) -> None:
        clock = Clock()
        self.exchanges = Exchanges(clock, kept=kept)
        self.faults = Faults(clock)
        self.app = web.Application(middlewares=[self.exchanges.middleware, self.faults.middleware])
        self.app.router.add_post("/api/v10/channels/{channel}/messages", self.echo)
        self.app.router.add_delete("/api/v10/channels/{channel}/messages", self.nothing)
        self.app.router.add_get("/api/v10/users/@me", self.nothing)
        self.app.router.add_post("/client/messages", self.echo)

    async def echo(self, request: web.Request) -> web.Response:
        try:
            body = await read_body(request)
        except UnreadableBodyError:
            return json_response({"code": 50109}, 400)
        return json_response({"said": body.payload, "files": [len(file.content) for file in body.files]})

    async def nothing(self, _: web.Request) -> web.Response:
        return web.Response(status=204)


async def test_json_in_json_out() -> None:
    recorded = Recorded()
    async with serving(recorded.app) as client:
        await client.post(f"{PATH}?wait=1", json={"content": "hi"})
        await client.delete(PATH)
        await client.post("/client/messages", json={"content": "not the API"})
    first, second = recorded.exchanges.since()
    assert first["method"] == "POST"
    assert first["path"] == "/channels/100000/messages"
    assert first["route"] == "/channels/{channel}/messages"
    assert first["query"] == {"wait": "1"}
    assert first["request"] == {"content": "hi"}
    assert (first["status"], first["response"]) == (200, {"said": {"content": "hi"}, "files": []})
    assert (second["method"], second["request"], second["status"], second["response"]) == ("DELETE", None, 204, None)
    assert json.loads(json.dumps(recorded.exchanges.since(first["number"]))) == [second]


async def test_what_discord_py_uploads_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded()
    async with serving(recorded.app) as client, discord.Client(intents=discord.Intents(guilds=True)) as bot:
        assert client._base_url is not None
        monkeypatch.setattr(discord.http.Route, "BASE", str(client._base_url / "api/v10"))
        await bot.http.static_login("MQ.x.y")
        recorded.exchanges.clear()
        files = [discord.File(io.BytesIO(b"x" * 2_000_000), "a b.png", description="a cat")]
        parameters = discord.http.handle_message_parameters(content="hi", files=files)
        with parameters:
            await bot.http.send_message(100000, params=parameters)
    (exchange,) = recorded.exchanges.since()
    assert exchange["request"]["content"] == "hi"
    assert exchange["request"]["attachments"] == [{"id": 0, "filename": "a b.png", "description": "a cat"}]
    assert exchange["files"] == [{"field": "files[0]", "filename": "a b.png", "size": 2_000_000}]
    assert exchange["response"]["files"] == [2_000_000]


@pytest.mark.parametrize("broken", ["json", "form", "nested"])
async def test_an_unreadable_body_is_recorded_with_its_refusal(broken: str) -> None:
    recorded = Recorded()
    async with serving(recorded.app) as client:
        if broken == "json":
            await client.post(PATH, data=b"{", headers={"Content-Type": "application/json"})
        elif broken == "form":
            await client.post(PATH, data=b"--x\r\nrubbish", headers={"Content-Type": "multipart/form-data; boundary=x"})
        else:
            form = aiohttp.FormData()
            form.add_field("payload_json", "{")
            form.add_field("files[0]", io.BytesIO(b"x"), filename="a.png")
            await client.post(PATH, data=form)
    (exchange,) = recorded.exchanges.since()
    assert (exchange["request"], exchange["status"]) == (None, 400)


async def test_unknown_routes_and_faults_are_recorded() -> None:
    recorded = Recorded()
    recorded.faults.add(Fault(FaultKind.STATUS, "POST", status=502, count=1))
    async with serving(recorded.app) as client:
        await client.post(PATH, json={})
        await client.get("/api/v10/nowhere")
    broken, unknown = recorded.exchanges.since()
    assert (broken["status"], broken["fault"]) == (502, "status")
    assert (unknown["status"], unknown["route"], unknown["fault"]) == (404, None, None)


async def test_a_fault_of_the_server_itself_is_recorded() -> None:
    async def broken(_: web.Request) -> web.Response:
        raise RuntimeError("not meant to happen")

    recorded = Recorded()
    recorded.app.router.add_get("/api/v10/gateway", broken)
    async with serving(recorded.app) as client:
        assert (await client.get("/api/v10/gateway")).status == 500
    (exchange,) = recorded.exchanges.since()
    assert (exchange["status"], exchange["response"], exchange["fault"]) == (500, None, None)


async def test_only_the_latest_are_kept() -> None:
    recorded = Recorded(kept=3)
    async with serving(recorded.app) as client:
        for number in range(5):
            await client.post(PATH, json=number)
    assert [exchange["request"] for exchange in recorded.exchanges.since()] == [2, 3, 4]
    assert [exchange["number"] for exchange in recorded.exchanges.since()] == [3, 4, 5]
    recorded.exchanges.clear()
    assert recorded.exchanges.since() == []
