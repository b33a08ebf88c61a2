"""The gateway protocol, payload by payload, over a raw WebSocket."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable

import aiohttp
import pytest
import zstandard

from bot.playground.gateway.intents import Intent
from tests.bot.playground.gateway_world import (
    APPLICATION_ID,
    BOT_ID,
    CONTENT_FLAG,
    GUILD_EVEN,
    GUILD_ODD,
    MEMBERS_FLAG,
    TOKEN,
    RawClient,
    TwoGuilds,
    raw_client,
    serve_gateway,
)

ALL_UNPRIVILEGED = 1 | int(Intent.GUILD_MESSAGES) | int(Intent.DIRECT_MESSAGES)


async def test_hello_heartbeat_identify_ready_and_guilds() -> None:
    async with serve_gateway(heartbeat_interval=20) as served, raw_client(served) as client:
        await client.send(1, None)
        assert (await client.receive())["op"] == 11
        await client.identify()
        ready = await client.event("READY")
        assert ready["user"]["id"] == str(BOT_ID)
        assert ready["application"]["id"] == str(APPLICATION_ID)
        assert ready["guilds"] == [{"id": str(key), "unavailable": True} for key in (GUILD_EVEN, GUILD_ODD)]
        assert ready["resume_gateway_url"] == served.gateway_url
        assert "shard" not in ready
        guild = await client.event("GUILD_CREATE")
        assert [entry["user"]["id"] for entry in guild["members"]] == [str(BOT_ID)]
        assert (await client.event("GUILD_CREATE"))["id"] == str(GUILD_ODD)
        assert client.sequence == 3
        await client.send(3, {"status": "idle", "since": 0, "activities": [], "afk": False})
        await client.send(1, client.sequence)
        assert (await client.receive())["op"] == 11


@pytest.mark.parametrize(
    ("identify", "code"),
    [
        ({"token": "MQ.wrong.y"}, 4004),
        ({"intents": 1 | 1 << 1}, 4014),
        ({"intents": 1 | 1 << 8}, 4014),
        ({"intents": 1 | 1 << 15}, 4014),
        ({"intents": 1 << 40}, 4013),
        ({"intents": "1"}, 4013),
        ({"shard": [2, 2]}, 4010),
        ({"shard": "0"}, 4010),
        ({"properties": None}, 4002),
    ],
)
async def test_refused_identifies(identify: dict[str, object], code: int) -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.send(2, {"token": TOKEN, "intents": 1, "properties": {}, **identify})
        assert await client.close_code() == code
        assert not served.gateway.online(APPLICATION_ID)


async def test_privileged_intents_are_allowed_by_the_application_flags() -> None:
    async with serve_gateway(world=TwoGuilds(flags=MEMBERS_FLAG)) as served, raw_client(served) as client:
        await client.log_in(intents=1 | 1 << 1)
        assert served.gateway.online(APPLICATION_ID)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 4002),
        ("[]", 4002),
        ('{"op": true}', 4002),
        (json.dumps({"op": 1, "d": "x" * 4096}), 4002),
        ('{"op": 99, "d": null}', 4001),
        ('{"op": 3, "d": {}}', 4003),
        ('{"op": 8, "d": {}}', 4003),
        ('{"op": 6, "d": {}}', 4002),
        ('{"op": 6, "d": {"token": "MQ.wrong.y", "session_id": "", "seq": 0}}', 4004),
    ],
)
async def test_bad_payloads_close_with_discords_code(frame: str, code: int) -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.socket.send_str(frame)
        assert await client.close_code() == code


async def test_identifying_twice_is_4005() -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.log_in()
        await client.identify()
        assert await client.close_code() == 4005


@pytest.mark.parametrize(("query", "code"), [("v=6", 4012), ("v=10&encoding=etf", 4002)])
async def test_unknown_version_or_encoding(query: str, code: int) -> None:
    async with (
        serve_gateway() as served,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{served.gateway_url}/?{query}") as socket,
    ):
        assert await RawClient(socket).close_code() == code


async def test_more_than_120_sends_a_minute_is_4008_and_the_minute_follows_the_clock() -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        for _ in range(120):
            await client.send(1)
        for _ in range(120):
            assert (await client.receive())["op"] == 11
        served.clock.advance(61)
        for _ in range(120):
            await client.send(1)
        for _ in range(120):
            assert (await client.receive())["op"] == 11
        await client.send(1)
        assert await client.close_code() == 4008


async def test_binary_frames_are_accepted() -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.socket.send_bytes(b'{"op": 1, "d": null}')
        assert (await client.receive())["op"] == 11


@pytest.mark.parametrize("compress", ["zlib-stream", "zstd-stream"])
async def test_one_compressed_stream_for_the_connection(compress: str) -> None:
    inflate = zlib.decompressobj() if compress.startswith("zlib") else zstandard.ZstdDecompressor().decompressobj()
    query = f"v=10&encoding=json&compress={compress}"
    async with (
        serve_gateway() as served,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{served.gateway_url}?{query}") as socket,
    ):
        assert json.loads(inflate.decompress(await socket.receive_bytes()))["op"] == 10
        for _ in range(3):
            await socket.send_str('{"op": 1, "d": null}')
            frame = await socket.receive_bytes()
            assert compress.startswith("zstd") or frame.endswith(b"\x00\x00\xff\xff")
            assert json.loads(inflate.decompress(frame))["op"] == 11
        assert not inflate.eof


async def test_a_silent_client_is_closed_but_may_resume() -> None:
    async with serve_gateway(heartbeat_interval=0.1) as served, raw_client(served) as client:
        await client.log_in()
        assert await client.close_code() == 4009
        async with raw_client(served) as again:
            await again.resume(client.key, client.sequence)
            await again.event("RESUMED")


async def test_events_go_to_the_shard_that_owns_the_guild() -> None:
    async with serve_gateway() as served, raw_client(served) as first, raw_client(served) as second:
        ready = await first.log_in(intents=ALL_UNPRIVILEGED, shard=[0, 2])
        assert ready["shard"] == [0, 2]
        assert ready["guilds"] == [{"id": str(GUILD_EVEN), "unavailable": True}]
        assert (await second.log_in(intents=ALL_UNPRIVILEGED, shard=[1, 2]))["guilds"][0]["id"] == str(GUILD_ODD)
        served.gateway.dispatch("INTERACTION_CREATE", {"id": "1"}, guild_id=GUILD_ODD)
        served.gateway.dispatch("INTERACTION_CREATE", {"id": "2"}, guild_id=None)
        served.gateway.dispatch("INTERACTION_CREATE", {"id": "3"}, guild_id=GUILD_EVEN)
        assert (await second.event("INTERACTION_CREATE"))["id"] == "1"
        assert (await first.event("INTERACTION_CREATE"))["id"] == "2"
        assert (await first.event("INTERACTION_CREATE"))["id"] == "3"


async def test_a_shard_identifies_only_on_its_turn() -> None:
    async with (
        serve_gateway(concurrency=2, identify_interval=5) as served,
        raw_client(served) as zero,
        raw_client(served) as one,
        raw_client(served) as two,
    ):
        await zero.log_in(shard=[0, 3])
        await one.log_in(shard=[1, 3])
        await two.identify(shard=[2, 3])
        assert await two.receive() == {"op": 9, "d": False, "s": None, "t": None}
        served.clock.advance(5)
        await two.log_in(shard=[2, 3])
        assert served.gateway.identify_limit.as_json()["remaining"] == 997


async def test_only_wanted_events_arrive() -> None:
    message = {"id": "5", "content": "hi", "author": {"id": "101"}}
    async with serve_gateway() as served, raw_client(served) as client:
        await client.log_in(intents=1 | int(Intent.DIRECT_MESSAGES))
        served.gateway.dispatch("MESSAGE_CREATE", {**message, "guild_id": "1"}, guild_id=GUILD_EVEN)
        served.gateway.dispatch("TYPING_START", {}, guild_id=None)
        served.gateway.dispatch("GUILD_MEMBER_ADD", {"user": {"id": "102"}}, guild_id=GUILD_EVEN)
        served.gateway.dispatch("MESSAGE_CREATE", message, guild_id=None, user_ids={101, 102})
        served.gateway.dispatch("GUILD_MEMBER_UPDATE", {"user": {"id": str(BOT_ID)}}, guild_id=GUILD_EVEN)
        served.gateway.dispatch("MESSAGE_CREATE", message, guild_id=None, user_ids={101, BOT_ID})
        assert (await client.event("GUILD_MEMBER_UPDATE"))["user"]["id"] == str(BOT_ID)
        assert (await client.event("MESSAGE_CREATE"))["content"] == "hi"


@pytest.mark.parametrize("allowed", [False, True])
async def test_strangers_words_take_the_message_content_intent(allowed: bool) -> None:
    intents = ALL_UNPRIVILEGED | (int(Intent.MESSAGE_CONTENT) if allowed else 0)
    message = {"id": "5", "guild_id": "1", "content": "hi", "author": {"id": "101"}, "mentions": []}
    async with serve_gateway(world=TwoGuilds(flags=CONTENT_FLAG)) as served, raw_client(served) as client:
        await client.log_in(intents=intents)
        for change in ({}, {"author": {"id": str(BOT_ID)}}, {"mentions": [{"id": str(BOT_ID)}]}):
            served.gateway.dispatch("MESSAGE_CREATE", {**message, **change}, guild_id=GUILD_EVEN)
        heard = [(await client.event("MESSAGE_CREATE"))["content"] for _ in range(3)]
        assert heard == ["hi" if allowed else "", "hi", "hi"]


async def test_events_missed_in_a_gap_are_replayed() -> None:
    async with serve_gateway() as served:
        async with raw_client(served) as client:
            await client.log_in()
            served.gateway.drop()
            assert await client.close_code() == 1006
        data = {"id": "7"}
        served.gateway.dispatch("INTERACTION_CREATE", data, guild_id=None)
        data["id"] = "changed afterwards"
        async with raw_client(served) as again:
            await again.resume(client.key, client.sequence)
            assert (await again.event("INTERACTION_CREATE"))["id"] == "7"
            await again.event("RESUMED")
            served.gateway.dispatch("INTERACTION_CREATE", {"id": "8"}, guild_id=None)
            assert (await again.event("INTERACTION_CREATE"))["id"] == "8"


async def test_resume_is_refused_when_it_cannot_be_whole() -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.log_in()
        async with raw_client(served) as stranger:
            await stranger.resume("unknown", 1)
            assert (await stranger.receive())["d"] is False
            await stranger.resume(client.key, client.sequence + 1)
            assert await stranger.close_code() == 4007
        for number in range(2100):
            served.gateway.dispatch("INTERACTION_CREATE", {"id": str(number)}, guild_id=None)
        async with raw_client(served) as late:
            await late.resume(client.key, client.sequence)
            assert (await late.receive())["d"] is False


async def test_a_login_expires_on_the_clock_and_ends_with_a_goodbye() -> None:
    async with serve_gateway() as served:
        for goodbye in (False, True):
            async with raw_client(served) as client:
                await client.log_in()
                await client.socket.close(code=1000 if goodbye else 4000)
            await until(lambda: not served.gateway.online(APPLICATION_ID))
            if not goodbye:
                served.clock.advance(121)
            async with raw_client(served) as again:
                await again.resume(client.key, client.sequence)
                assert (await again.receive())["op"] == 9


async def test_a_resume_takes_over_from_a_connection_that_hangs() -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.log_in()
        async with raw_client(served) as again:
            await again.resume(client.key, client.sequence)
            await again.event("RESUMED")
            assert await client.close_code() == 4000
            assert served.gateway.online(APPLICATION_ID)


async def test_the_server_asks_for_reconnects_and_invalidates() -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.log_in()
        assert served.gateway.ask_reconnect() == 1
        assert (await client.receive())["op"] == 7
        served.gateway.invalidate(resumable=True)
        assert (await client.receive())["d"] is True
        served.gateway.invalidate(resumable=False)
        assert (await client.receive())["d"] is False
        assert not served.gateway.online(APPLICATION_ID)
        await client.log_in()
        served.gateway.close(4000)
        assert await client.close_code() == 4000


async def test_members_are_sent_in_chunks() -> None:
    people = {1000 + number: f"Person{number}" for number in range(1200)}
    world = TwoGuilds(flags=MEMBERS_FLAG, people=people)
    async with serve_gateway(world=world) as served, raw_client(served) as client:
        await client.log_in(intents=1 | int(Intent.GUILD_MEMBERS))
        await client.send(8, {"guild_id": str(GUILD_EVEN), "query": "", "limit": 0, "nonce": "n1"})
        first, second = [await client.event("GUILD_MEMBERS_CHUNK") for _ in range(2)]
        assert (len(first["members"]), len(second["members"])) == (1000, 201)
        assert (second["chunk_index"], second["chunk_count"], second["nonce"]) == (1, 2, "n1")
        await client.send(8, {"guild_id": str(GUILD_EVEN), "user_ids": ["1000", "5"], "limit": 0})
        chunk = await client.event("GUILD_MEMBERS_CHUNK")
        assert chunk["members"][0]["user"]["username"] == "Person0"
        assert chunk["not_found"] == ["5"]
        await client.send(8, {"guild_id": str(GUILD_EVEN), "query": "person11", "limit": 3})
        assert len((await client.event("GUILD_MEMBERS_CHUNK"))["members"]) == 3


async def test_the_whole_member_list_takes_the_members_intent() -> None:
    async with serve_gateway() as served, raw_client(served) as client:
        await client.log_in()
        await client.send(8, {"guild_id": str(GUILD_EVEN), "query": "", "limit": 0})
        assert (await client.event("GUILD_MEMBERS_CHUNK"))["members"] == []


async def test_a_client_that_does_not_read_delays_nobody() -> None:
    big = {"id": "1", "filler": "x" * 50_000}
    async with serve_gateway() as served, raw_client(served) as slow, raw_client(served) as quick:
        await slow.log_in()
        await quick.log_in()
        connection = slow.socket._response.connection
        assert connection is not None
        transport = connection.transport
        assert transport is not None
        transport.pause_reading()
        loop = asyncio.get_running_loop()
        longest = 0.0
        for _ in range(200):
            started = loop.time()
            served.gateway.dispatch("INTERACTION_CREATE", big, guild_id=None)
            longest = max(longest, loop.time() - started)
            await quick.event("INTERACTION_CREATE")
        assert longest < 0.05
        transport.resume_reading()
        for _ in range(200):
            await slow.event("INTERACTION_CREATE")


async def test_a_client_hopelessly_behind_loses_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.playground.gateway.connection.MAX_BACKLOG", 20)
    async with serve_gateway() as served, raw_client(served) as client:
        await client.log_in()
        for _ in range(30):
            served.gateway.dispatch("INTERACTION_CREATE", {"id": "1"}, guild_id=None)
        await until(lambda: not served.gateway.online(APPLICATION_ID))
        assert await client.close_code() == 1006


async def test_watchers_hear_of_online_and_offline() -> None:
    async with serve_gateway() as served:
        heard: list[tuple[int, bool]] = []
        served.gateway.watch(lambda application, online: heard.append((application, online)))
        async with raw_client(served) as first, raw_client(served) as second:
            await first.log_in(shard=[0, 2])
            await second.log_in(shard=[1, 2])
            assert heard == [(APPLICATION_ID, True)]
        await until(lambda: len(heard) == 2)
        assert heard[-1] == (APPLICATION_ID, False)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)
