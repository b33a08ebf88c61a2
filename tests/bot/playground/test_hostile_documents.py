"""Thousands of broken documents: each is refused in Discord's words or taken whole, and never breaks the server."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from bot.playground import ids
from tests.bot.playground.gateway_world import raw_client
from tests.discord_document import Oracle
from tests.local_discord import LocalDiscord
from tests.test_discord_document import COMMAND, LAYOUT, MESSAGE, MODAL

Json = dict[str, Any]
Path = tuple[str | int, ...]
VALUES: list[Any] = [None, True, 5, -1, 2**70, 1.5, "", "x" * 7000, "\0", "\ud800", [], [[]], {}, {"a": {}}]
MESSAGES = f"/channels/{ids.ART_ID}/messages"
APPLICATION = f"/applications/{ids.APPLICATION_ID}"


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a document, the whole of it first."""
    yield path
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield from places(value, (*path, key))


def broken(document: Any) -> Iterator[tuple[Path, Any, Any]]:
    """The document with one place after another replaced, or gone."""
    for path in places(document):
        for value in [*VALUES, ...]:
            changed: list[Any] = [copy.deepcopy(document)]
            place: Any = changed
            for step in (0, *path)[:-1]:
                place = place[step]
            last = (0, *path)[-1]
            if value is not ...:
                place[last] = value
            elif path:
                del place[last]
            yield path, value, changed[0]


class Attacker:
    """Sends what it likes, as fast as it likes: the server's clock jumps over its rate limits."""

    def __init__(self, discord: LocalDiscord, http: aiohttp.ClientSession) -> None:
        self.discord = discord
        self.http = http
        self.sent: list[tuple[str, Json]] = []

    async def send(self, method: str, path: str, document: Any) -> Json:
        """The exchange, as the record would have it; the record itself does not fit so many."""
        body = json.dumps(document)
        while True:
            headers = {"Content-Type": "application/json"}
            async with self.http.request(method, self.discord.api_url + path, data=body, headers=headers) as response:
                is_json = response.content_type == "application/json"
                answer = await response.json() if is_json else None
            if response.status != 429:
                break
            await self.discord.advance(answer["retry_after"] + 0.001)
        return {
            "method": method,
            "path": path,
            "request": None,
            "status": response.status,
            "response": answer,
            "fault": None,
        }

    async def attack(self, method: str, path: str, documents: Iterator[tuple[Path, Any, Any]]) -> None:
        """Sends them all."""
        for place, value, document in documents:
            self.sent.append((f"{place} = {str(value)[:20]!r}", await self.send(method, path, document)))


def compare(attacker: Attacker, oracle: Oracle) -> None:
    """Every answer is one that Discord's document knows, and enough are refusals."""
    found = [f"{what}: {line}" for what, exchange in attacker.sent for line in oracle.check(exchange)]
    found = [line for line in found if "there is no body" not in line]
    assert not found, f"{len(found)}:\n" + "\n".join(found[:20])
    seen = Counter(exchange["status"] for _, exchange in attacker.sent)
    assert seen.keys() <= {200, 201, 204, 400}
    assert seen[400] > seen.total() // 4, "hardly anything was refused"


@pytest.fixture
async def attacker(playground: LocalDiscord) -> AsyncIterator[Attacker]:
    playground.excuse(
        lambda _: True
    )  # wrong on purpose, and too many for the record: the attacker compares the answers
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {playground.token}"}) as http:
        yield Attacker(playground, http)


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("POST", MESSAGES, {**MESSAGE, "attachments": []}),
        ("POST", MESSAGES, LAYOUT),
        ("PUT", f"{APPLICATION}/commands", [COMMAND]),
        ("POST", f"{APPLICATION}/guilds/{ids.GUILD_ID}/commands", COMMAND),
    ],
    ids=["message", "layout", "commands", "guild command"],
)
async def test_no_document_breaks_the_server(
    attacker: Attacker, oracle: Oracle, method: str, path: str, document: Any
) -> None:
    await attacker.attack(method, path, broken(document))
    compare(attacker, oracle)
    hello = await attacker.send("POST", MESSAGES, {"content": "still here"})
    assert hello["status"] == 200


@pytest.mark.parametrize("document", [{"type": 4, "data": LAYOUT}, {"type": 9, "data": MODAL}], ids=["answer", "modal"])
async def test_no_callback_breaks_the_server(attacker: Attacker, oracle: Oracle, document: Any) -> None:
    """A refused answer leaves the question open; each one that is taken needs a new question."""
    await attacker.send("PUT", f"{APPLICATION}/commands", [COMMAND])
    async with raw_client(attacker.discord.origin) as gateway:
        await gateway.log_in(token=attacker.discord.token)
        for change in broken(document):
            await attacker.discord.invoke(ids.ADA_ID, "dream", {"prompt": "a red house"})
            asked = await gateway.event("INTERACTION_CREATE")
            path = f"/interactions/{asked['id']}/{asked['token']}/callback"
            await attacker.attack("POST", path, iter([change]))
    compare(attacker, oracle)
    assert len(attacker.sent) > 100


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/channels/seven/messages", 404),
        ("GET", f"/channels/{2**70}/messages", 400),
        ("GET", f"/channels/{'9' * 5000}/messages", 400),
        ("GET", f"{MESSAGES}?limit=0", 400),
        ("GET", f"{MESSAGES}?limit=١", 400),
        ("GET", f"{MESSAGES}?limit=99999999999999999999", 400),
        ("GET", f"{MESSAGES}?before=x", 400),
        ("GET", f"{MESSAGES}?around={'9' * 5000}", 400),
        ("GET", f"/guilds/{ids.GUILD_ID}/members?limit=x", 400),
        ("GET", "/users/²", 404),
        ("PUT", f"{MESSAGES}/5/reactions/%00/@me", 404),
        ("PATCH", "/webhooks/1/x/messages/@original", 404),
        ("DELETE", f"{MESSAGES}/{'9' * 5000}", 400),
    ],
)
async def test_no_path_breaks_the_server(attacker: Attacker, method: str, path: str, status: int) -> None:
    exchange = await attacker.send(method, path, {})
    assert (exchange["status"], type(exchange["response"]["code"])) == (status, int)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"content": NaN}', b"\xff\xfe{", b'{"content": 1e999}'])
async def test_no_body_breaks_the_server(attacker: Attacker, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with attacker.http.post(attacker.discord.api_url + MESSAGES, data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["code"] in (50006, 50035, 50109)
