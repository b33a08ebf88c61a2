"""The test controls over real HTTP, in front of a world of a few lines."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.playground.cdn import LIFETIME, Cdn
from bot.playground.clock import Clock
from bot.playground.control.breaking import Breaking
from bot.playground.control.controls import Controls
from bot.playground.control.exchanges import Exchanges
from bot.playground.control.faults import Faults
from bot.playground.control.journal import Journal
from bot.playground.gateway.gateway import Gateway
from bot.playground.messages import Messages
from tests.bot.playground.gateway_world import TwoGuilds, json_response, raw_client
from tests.bot.playground.serving import serving

ADA = 101
Json = dict[str, Any]


@dataclass
class OnePerson:
    """A person with one command, one message with a button and a select, and one open modal."""

    interactions: list[tuple[int, Json]] = field(default_factory=list)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    expired: list[int | None] = field(default_factory=list)

    def commands(self, person_id: int, channel_id: int) -> list[Json]:
        options = [{"type": 3, "name": "prompt"}, {"type": 11, "name": "image"}]
        return [{"id": "1", "type": 1, "name": "dream", "options": options}, {"id": "2", "type": 3, "name": "Report"}]

    def messages(self, person_id: int, channel_id: int, limit: int) -> list[Json]:
        components = [
            {
                "type": 1,
                "components": [
                    {"type": 2, "custom_id": "v1", "label": "V1"},
                    {"type": 3, "custom_id": "style", "options": [{"label": "Ink", "value": "i"}]},
                ],
            }
        ]
        return [{"id": "50", "channel_id": str(channel_id), "components": components}][:limit]

    def message(self, person_id: int, message_id: int) -> Json | None:
        return self.messages(person_id, 7, 1)[0] if message_id == 50 else None

    def modals(self, person_id: int) -> list[Json]:
        row = {"type": 1, "components": [{"type": 4, "custom_id": "prompt", "label": "Prompt"}]}
        picture = {"type": 18, "label": "Picture", "component": {"type": 19, "custom_id": "picture"}}
        modal = {"id": "70", "channel_id": "7", "custom_id": "edit", "components": [row, picture]}
        return [modal] if person_id == ADA else []

    def upload(self, person_id: int, filename: str, content: bytes) -> Json:
        self.uploads.append((filename, content))
        return {"id": str(900 + len(self.uploads)), "filename": filename}

    def say(self, person_id: int, channel_id: int, content: str) -> Json:
        self.said.append(content)
        return {"id": "60", "content": content}

    async def interact(self, person_id: int, interaction: Json) -> Json:
        self.interactions.append((person_id, interaction))
        if interaction["data"].get("name") == "Report":
            raise web.HTTPForbidden(text='{"message": "You may not use that."}', content_type="application/json")
        return {"id": "80"}

    def expire_tokens(self, interaction_id: int | None) -> int:
        self.expired.append(interaction_id)
        return 1

    def delete_message(self, channel_id: int, message_id: int) -> bool:
        return message_id == 50


class Bench:
    """Everything the controls hold, with a client to ask them."""

    def __init__(self, client: aiohttp.ClientSession, world: OnePerson, clock: Clock, gateway: Gateway) -> None:
        self.client = client
        self.world = world
        self.clock = clock
        self.gateway = gateway

    async def ask(self, method: str, path: str, fields: Json | None = None, status: int = 200) -> Any:
        given: Json = {"params" if method == "GET" else "json": fields or {}}
        async with self.client.request(method, f"/control/{path}", **given) as response:
            assert response.status == status, await response.text()
            return await response.json() if response.content_type == "application/json" else None


@contextlib.asynccontextmanager
async def bench(*, controls: bool = True, seen_from: str | None = None) -> AsyncIterator[Bench]:
    @web.middleware
    async def moved(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request.clone(remote=seen_from) if seen_from else request)

    async def hello(_: web.Request) -> web.Response:
        return json_response({"hello": True})

    async def sign(_: web.Request) -> web.Response:
        return web.Response(text=cdn.sign(1, 5, "a.gif"))

    clock, world = Clock(), OnePerson()
    faults, exchanges = Faults(clock), Exchanges(clock)
    gateway = Gateway(TwoGuilds(), clock, faults=faults)
    cdn = Cdn(clock, {5: (b"GIF", "image/gif")}.get)
    app = web.Application(middlewares=[moved, exchanges.middleware, faults.middleware])
    gateway.add_routes(app)
    cdn.add_routes(app)
    app.router.add_post("/api/v10/hello", hello)
    app.router.add_get("/sign", sign)
    if controls:
        journal = Journal(clock, Messages())
        Controls(world, Breaking(faults, gateway, cdn, world), exchanges, journal, clock).add_routes(app)
    async with serving(app) as client:
        yield Bench(client, world, clock, gateway)


async def test_without_controls_there_is_nothing() -> None:
    async with bench(controls=False) as it:
        before = it.clock.now()
        await it.ask("GET", "faults", status=404)
        await it.ask("POST", "clock", {"advance_s": 3600}, status=404)
        assert it.clock.now() - before < 60


async def test_another_machine_gets_nothing() -> None:
    async with bench(seen_from="192.0.2.7") as it:
        await it.ask("GET", "faults", status=404)
    async with bench(seen_from="::1") as it:
        assert await it.ask("GET", "faults") == []


async def test_a_command_with_a_file() -> None:
    async with bench() as it:
        picture = {"filename": "cat.png", "content_base64": base64.b64encode(b"\x89PNG").decode()}
        wish = {"as": str(ADA), "channel_id": 7, "command": "dream", "options": {"prompt": "x"}}
        assert await it.ask("POST", "invoke", {**wish, "files": {"image": picture}}) == {"id": "80"}
        person, interaction = it.world.interactions[0]
        assert person == ADA
        assert (interaction["type"], interaction["channel_id"]) == (2, "7")
        assert interaction["data"]["options"] == [
            {"type": 3, "name": "prompt", "value": "x"},
            {"type": 11, "name": "image", "value": "901"},
        ]
        assert it.world.uploads == [("cat.png", b"\x89PNG")]


async def test_autocompletion_and_context_menus() -> None:
    async with bench() as it:
        wish = {"as": ADA, "channel_id": 7, "command": "dream", "options": {"prompt": "x"}}
        await it.ask("POST", "complete", {**wish, "focused": "prompt"})
        assert it.world.interactions[0][1]["type"] == 4
        report = {"as": ADA, "channel_id": 7, "command": "Report", "target_id": "50"}
        refused = await it.ask("POST", "invoke", report, status=403)
        assert it.world.interactions[1][1]["data"]["target_id"] == "50"
        assert refused == {"message": "You may not use that."}


async def test_buttons_selects_and_modals() -> None:
    async with bench() as it:
        await it.ask("POST", "click", {"as": ADA, "message_id": "50", "label": "V1"})
        await it.ask("POST", "choose", {"as": ADA, "message_id": "50", "custom_id": "style", "values": ["Ink"]})
        picture = {"filename": "a.png", "content_base64": "AAAA"}
        await it.ask("POST", "submit", {"as": ADA, "values": {"Prompt": "y"}, "files": {"picture": picture}})
        click, choose, submit = [interaction for _, interaction in it.world.interactions]
        assert (click["type"], click["message_id"]) == (3, "50")
        assert click["data"] == {"custom_id": "v1", "component_type": 2}
        assert choose["data"]["values"] == ["i"]
        assert (submit["type"], submit["modal_id"], submit["channel_id"]) == (5, "70", "7")
        row, label = submit["data"]["components"]
        assert row["components"][0]["value"] == "y"
        assert label["component"]["values"] == ["901"]


async def test_messages_modals_uploads_and_words() -> None:
    async with bench() as it:
        here = {"as": ADA, "channel_id": 7}
        assert [message["id"] for message in await it.ask("GET", "messages", here)] == ["50"]
        assert await it.ask("GET", "messages", {**here, "limit": 0}) == []
        assert (await it.ask("GET", "modals", {"as": ADA}))[0]["id"] == "70"
        assert [command["name"] for command in await it.ask("GET", "commands", here)] == ["dream", "Report"]
        assert (await it.ask("POST", "upload", {"as": ADA, "filename": "a", "content_base64": "AAAA"}))["id"] == "901"
        assert (await it.ask("POST", "say", {**here, "content": "hello"}))["content"] == "hello"


@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        ("invoke", {}, "'as' is missing"),
        ("invoke", {"as": ADA, "channel_id": 7, "command": "paint"}, "no command 'paint'"),
        ("invoke", {"as": ADA, "channel_id": 7, "command": "dream", "options": {"hue": 1}}, "no option 'hue'"),
        ("invoke", {"as": ADA, "channel_id": 7, "command": "dream", "options": []}, "not an object"),
        ("invoke", {"as": ADA, "channel_id": 7, "command": "dream", "files": {"image": {}}}, "'filename'"),
        ("click", {"as": ADA, "message_id": 51, "label": "V1"}, "no message 51"),
        ("click", {"as": ADA, "message_id": 50, "label": "V9"}, "called 'V9'"),
        ("choose", {"as": ADA, "message_id": 50, "custom_id": "style", "values": "Ink"}, "list of strings"),
        ("submit", {"as": 5}, "no modal open"),
        ("submit", {"as": ADA, "modal_id": "71"}, "no such modal"),
        ("upload", {"as": ADA, "filename": "a", "content_base64": "?"}, "not base64"),
        ("clock", {"advance_s": -1}, "'advance_s'"),
        ("clock", {"advance_s": True}, "'advance_s'"),
        ("faults", {"kind": "flood"}, "no fault 'flood'"),
        ("faults", {"kind": "close_connections", "code": 5}, "close code"),
        ("faults", {"kind": "latency", "delay_s": "2"}, "delay_s"),
        ("faults", {"kind": "delete_message"}, "'channel_id'"),
    ],
)
async def test_mistakes_are_told_in_a_sentence(path: str, fields: Json, sentence: str) -> None:
    async with bench() as it:
        assert sentence in (await it.ask("POST", path, fields, status=400))["message"]
        assert it.world.interactions == []


async def test_an_upload_as_a_form() -> None:
    async with bench() as it:
        form = aiohttp.FormData({"as": str(ADA)})
        form.add_field("file", b"\x89PNG", filename="cat.png")
        assert (await (await it.client.post("/control/upload", data=form)).json())["id"] == "901"
        assert it.world.uploads == [("cat.png", b"\x89PNG")]


async def test_a_body_that_is_no_object_is_refused() -> None:
    async with bench() as it:
        for body in (b"[1]", b"{"):
            response = await it.client.post("/control/clock", data=body, headers={"Content-Type": "application/json"})
            assert response.status == 400


async def test_requests_are_read_and_forgotten() -> None:
    async with bench() as it:
        await it.client.post("/api/v10/hello", json={"a": 1})
        (exchange,) = await it.ask("GET", "requests")
        assert (exchange["path"], exchange["request"], exchange["response"]) == ("/hello", {"a": 1}, {"hello": True})
        assert await it.ask("GET", "requests", {"since": exchange["number"]}) == []
        await it.ask("DELETE", "requests", status=204)
        assert await it.ask("GET", "requests") == []


async def test_faults_for_requests_come_and_go() -> None:
    async with bench() as it:
        limit = {"kind": "rate_limit", "method": "POST", "path": "/hello", "scope": "shared"}
        armed = await it.ask("POST", "faults", limit)
        assert (await it.client.post("/api/v10/hello")).status == 429
        (listed,) = await it.ask("GET", "faults")
        assert (listed["id"], listed["hits"], listed["scope"]) == (armed["id"], 1, "shared")
        await it.ask("DELETE", "faults", {"id": armed["id"]}, status=204)
        assert (await it.client.post("/api/v10/hello")).status == 200
        await it.ask("POST", "faults", {"kind": "status", "status": 503})
        await it.ask("DELETE", "faults", status=204)
        assert (await it.client.post("/api/v10/hello")).status == 200


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"kind": "drop_connections"}, 1006),
        ({"kind": "close_connections", "code": 4009}, 4009),
        ({"kind": "reconnect"}, {"op": 7, "d": None, "s": None, "t": None}),
        ({"kind": "invalid_session", "resumable": True}, {"op": 9, "d": True, "s": None, "t": None}),
        ({"kind": "invalid_session"}, {"op": 9, "d": False, "s": None, "t": None}),
    ],
)
async def test_faults_of_the_gateway(fault: Json, seen: object) -> None:
    async with bench() as it, raw_client(str(it.client._base_url)) as client:
        await client.log_in()
        assert await it.ask("POST", "faults", fault) == {"connections": 1}
        assert (await client.close_code() if isinstance(seen, int) else await client.receive()) == seen


async def test_faults_of_the_world_and_the_cdn() -> None:
    async with bench() as it:
        assert await it.ask("POST", "faults", {"kind": "expire_tokens"}) == {"tokens": 1}
        assert await it.ask("POST", "faults", {"kind": "expire_tokens", "interaction_id": "80"}) == {"tokens": 1}
        assert it.world.expired == [None, 80]
        gone = {"kind": "delete_message", "channel_id": "7"}
        assert await it.ask("POST", "faults", {**gone, "message_id": "50"}) == {"deleted": True}
        assert await it.ask("POST", "faults", {**gone, "message_id": "51"}) == {"deleted": False}
        await it.ask("POST", "faults", {"kind": "cdn_lifetime", "lifetime_s": 30})
        url = await (await it.client.get("/sign")).text()
        assert (await it.client.get(url)).status == 200
        await it.ask("POST", "clock", {"advance_s": 31})
        assert (await it.client.get(url)).status == 404
        await it.ask("DELETE", "faults", status=204)
        longer = await (await it.client.get("/sign")).text()
        await it.ask("POST", "clock", {"advance_s": LIFETIME - 60})
        assert (await it.client.get(longer)).status == 200


async def test_the_clock_is_moved_and_read() -> None:
    async with bench() as it:
        before = (await it.ask("GET", "clock"))["now"]
        after = (await it.ask("POST", "clock", {"advance_s": 900}))["now"]
        assert 900 <= after - before < 902
