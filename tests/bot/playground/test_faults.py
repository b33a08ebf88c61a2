"""Programmed faults over real HTTP: what they hit, how often, for how long, and what the client sees."""

from __future__ import annotations

import asyncio
import io
import json
import time

import aiohttp
import pytest
from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.control.fault import Fault, FaultKind, fault_from_json
from bot.playground.control.faults import Faults
from tests.bot.playground.gateway_world import json_response, raw_client, serve_gateway
from tests.bot.playground.serving import serving

MESSAGES = "/api/v10/channels/1/messages"


class Target:
    """An application that counts what reached it, behind programmed faults."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.faults = Faults(self.clock)
        self.reached: list[str] = []
        self.app = web.Application(middlewares=[self.faults.middleware], client_max_size=2**25)
        self.app.router.add_route("*", "/{path:.*}", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.reached.append(request.path)
        return json_response({"filler": "x" * 10_000})


def upload(size: int = 1000) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("files[0]", io.BytesIO(b"x" * size), filename="a.png")
    return form


@pytest.mark.parametrize("via", [True, False])
async def test_a_429_with_its_scope_as_often_as_asked(via: bool) -> None:
    target = Target()
    target.faults.add(Fault(FaultKind.RATE_LIMIT, "POST", "/channels/*/messages", 2, scope="shared", via=via))
    async with serving(target.app) as client:
        for _ in range(2):
            refused = await client.post(MESSAGES)
            assert (refused.status, refused.headers["X-RateLimit-Scope"]) == (429, "shared")
            assert ("Via" in refused.headers) is via
            assert (await refused.json())["retry_after"] == 1
        assert (await client.post(MESSAGES)).status == 200
        assert target.faults.as_json() == []


async def test_only_the_requests_that_match() -> None:
    target = Target()
    target.faults.add(Fault(FaultKind.STATUS, "PATCH", "/webhooks/*/*/messages/@original", status=503, skip=1))
    async with serving(target.app) as client:
        original = "/api/v10/webhooks/9/token/messages/@original"
        assert (await client.get(original)).status == 200
        assert (await client.patch(MESSAGES)).status == 200
        assert [(await client.patch(original)).status for _ in range(3)] == [200, 503, 503]
        assert target.faults.as_json()[0]["hits"] == 2
        target.faults.clear()
        assert (await client.patch(original)).status == 200


async def test_a_fault_lasts_its_time_on_the_clock() -> None:
    target = Target()
    target.faults.add(Fault(FaultKind.STATUS, duration_s=60, status=502))
    async with serving(target.app) as client:
        assert (await client.get(MESSAGES)).status == 502
        target.clock.advance(60)
        assert (await client.get(MESSAGES)).status == 200


async def test_an_error_may_hide_that_the_request_took_effect() -> None:
    target = Target()
    target.faults.add(Fault(FaultKind.STATUS, executed=True, count=1))
    async with serving(target.app) as client:
        assert (await client.post(MESSAGES)).status == 500
        assert target.reached == [MESSAGES]


async def test_latency_is_added_before_any_other_fault() -> None:
    target = Target()
    target.faults.add(Fault(FaultKind.LATENCY, delay_s=0.2))
    target.faults.add(Fault(FaultKind.STATUS, count=1, status=504))
    async with serving(target.app) as client:
        started = time.monotonic()
        assert (await client.get(MESSAGES)).status == 504
        assert time.monotonic() - started > 0.19


async def test_the_line_is_cut_before_or_in_the_middle_of_the_response() -> None:
    target = Target()
    async with serving(target.app) as client:
        target.faults.add(Fault(FaultKind.DISCONNECT, count=1))
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.post(MESSAGES)
        assert target.reached == []
        target.faults.add(Fault(FaultKind.DISCONNECT, count=1, executed=True))
        response = await client.post(MESSAGES)
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
        assert target.reached == [MESSAGES]


async def test_uploads_fail_or_crawl_while_other_requests_pass() -> None:
    target = Target()
    async with serving(target.app) as client:
        target.faults.add(Fault(FaultKind.DISCONNECT, uploads_only=True, count=1))
        assert (await client.post(MESSAGES, json={})).status == 200
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.post(MESSAGES, data=upload(8_000_000))
        target.faults.add(Fault(FaultKind.SLOW_UPLOAD, bytes_per_s=5_000, count=1))
        started = time.monotonic()
        assert (await client.post(MESSAGES, data=upload())).status == 200
        assert time.monotonic() - started > 0.19


async def test_a_crawling_upload_arrives_when_time_jumps() -> None:
    target = Target()
    target.faults.add(Fault(FaultKind.SLOW_UPLOAD, bytes_per_s=1))
    async with serving(target.app) as client:
        sending = asyncio.create_task(client.post(MESSAGES, data=upload()).__aenter__())
        await asyncio.sleep(0.1)
        assert not sending.done()
        target.clock.advance(3600)
        assert (await asyncio.wait_for(sending, 2)).status == 200


async def test_only_what_the_bot_asks_for_is_hit() -> None:
    target = Target()
    target.faults.add(Fault(FaultKind.STATUS))
    async with serving(target.app) as client:
        for path in ("/control/faults", "/client/state", "/", "/gateway"):
            assert (await client.get(path)).status == 200
        assert (await client.get("/api/v10/users/@me")).status == 500
        assert (await client.get("/cdn/attachments/1/2/a.png")).status == 500


async def test_gateway_connections_are_turned_away_and_heartbeats_ignored() -> None:
    faults = Faults(Clock())
    async with serve_gateway(faults=faults) as served:
        faults.add(Fault(FaultKind.REJECT_CONNECT, count=1))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with raw_client(served):
                pass
        assert refused.value.status == 503
        async with raw_client(served) as client:
            faults.add(Fault(FaultKind.WITHHOLD_ACK, count=1))
            await client.send(1)
            await client.log_in()
            await client.send(1)
            assert (await client.receive())["op"] == 11


def test_faults_travel_as_json() -> None:
    fault = Fault(FaultKind.RATE_LIMIT, "POST", "/channels/*/messages", count=3, scope="global", via=False)
    assert fault_from_json(json.loads(json.dumps(fault.as_json()))) == fault
    assert fault_from_json({"kind": "latency", "delay_s": 2}) == Fault(FaultKind.LATENCY, delay_s=2)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"kind": "earthquake"},
        {"kind": "status", "colour": "red"},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": True},
        {"kind": "status", "count": 0},
        {"kind": "rate_limit", "scope": "everyone"},
        {"kind": "slow_upload", "bytes_per_s": 0},
        {"kind": "latency", "delay_s": "2"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        fault_from_json(document)
