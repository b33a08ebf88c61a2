"""Sign-in with the local Discord: the consent page, the token routes and what a person's token opens."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web

from bot.playground import ids
from bot.playground.clock import Clock
from bot.playground.permissions import Permission
from bot.playground.rest.oauth import _only_from_here
from bot.playground.signing_in import CODE_LIFE, MOST, SigningIn
from tests.bot.playground.raw_discord import RawDiscord, raw_discord
from tests.discord_document import Oracle, document_path

BACK = "http://127.0.0.1:9/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": str(ids.APPLICATION_ID),
    "response_type": "code",
    "redirect_uri": BACK,
    "scope": "identify guilds",
    "state": "a state & more",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
async def discord() -> AsyncIterator[RawDiscord]:
    async with raw_discord() as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


async def ticket(discord: RawDiscord, http: aiohttp.ClientSession, **changes: str) -> tuple[int, str]:
    async with http.get(f"{discord.origin}/oauth2/authorize", params=ASKED | changes) as response:
        text = await response.text()
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        found = re.search(r'name="ticket" value="([^"]+)"', text)
        return response.status, found[1] if found else text


async def choose(discord: RawDiscord, http: aiohttp.ClientSession, ticket: str, person: object, **headers: str) -> Any:
    data = {"ticket": ticket, "person": str(person)}
    sent = {"Origin": discord.origin} | headers
    address = f"{discord.origin}/oauth2/authorize"
    async with http.post(address, data=data, headers=sent, allow_redirects=False) as response:
        query = {key: value[0] for key, value in parse_qs(urlsplit(response.headers.get("Location", "")).query).items()}
        return response.status, query


async def code(discord: RawDiscord, http: aiohttp.ClientSession, person: int = ids.MILO_ID, **changes: str) -> str:
    _, drawn = await ticket(discord, http, **changes)
    status, query = await choose(discord, http, drawn, person)
    assert (status, query["state"]) == (303, ASKED["state"])
    return query["code"]


async def token(discord: RawDiscord, http: aiohttp.ClientSession, given: str, **changes: str) -> tuple[int, Any]:
    secret = discord.playground.parts.signing_in.secret
    form = {"grant_type": "authorization_code", "code": given, "redirect_uri": BACK, "code_verifier": VERIFIER}
    form |= {"client_id": str(ids.APPLICATION_ID), "client_secret": secret} | changes
    async with http.post(f"{discord.origin}/api/v10/oauth2/token", data=form) as response:
        return response.status, await response.json()


async def ask(discord: RawDiscord, http: aiohttp.ClientSession, path: str, bearer: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {bearer}"}
    async with http.get(f"{discord.origin}/api/v10{path}", headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("person", "owner", "manages"),
    [(ids.OLIVIA_ID, True, True), (ids.MILO_ID, False, True), (ids.ADA_ID, False, False)],
)
async def test_a_token_tells_who_and_which_servers(discord, http, person: int, owner: bool, manages: bool) -> None:
    status, granted = await token(discord, http, await code(discord, http, person))
    assert (status, granted["token_type"], granted["scope"]) == (200, "Bearer", "identify guilds")
    status, me = await ask(discord, http, "/users/@me", granted["access_token"])
    assert (status, me["id"]) == (200, str(person))
    status, guilds = await ask(discord, http, "/users/@me/guilds", granted["access_token"])
    assert (status, guilds[0]["owner"]) == (200, owner)
    assert bool(int(guilds[0]["permissions"]) & Permission.MANAGE_GUILD) is manages
    if document_path().exists():
        oracle = Oracle.load()
        for path, answer in (("/users/@me", me), ("/users/@me/guilds", guilds)):
            exchange = {"method": "GET", "path": path, "request": None, "status": 200, "response": answer}
            assert oracle.check(exchange) == []


async def test_a_token_opens_nothing_else(discord, http) -> None:
    _, granted = await token(discord, http, await code(discord, http, scope="identify"))
    bearer = granted["access_token"]
    assert (await ask(discord, http, "/users/@me", bearer))[0] == 200
    for path in ("/users/@me/guilds", f"/guilds/{ids.GUILD_ID}", f"/channels/{ids.ART_ID}/messages", "/gateway/bot"):
        assert (await ask(discord, http, path, bearer))[0] == 401
    assert (await ask(discord, http, "/users/@me", "nonsense"))[0] == 401
    form = {"token": bearer, "client_id": str(ids.APPLICATION_ID)}
    form["client_secret"] = discord.playground.parts.signing_in.secret
    async with http.post(f"{discord.origin}/api/v10/oauth2/token/revoke", data=form) as response:
        assert response.status == 200
    assert (await ask(discord, http, "/users/@me", bearer))[0] == 401


async def test_a_code_is_good_once_and_for_its_own_application(discord, http) -> None:
    for changes, error in (
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "1"}, "invalid_client"),
        ({"code_verifier": "w" * 43}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "guessed"}, "invalid_grant"),
    ):
        status, refused = await token(discord, http, await code(discord, http), **changes)
        assert status in (400, 401)
        assert refused["error"] == error
    given = await code(discord, http)
    assert (await token(discord, http, given))[0] == 200
    assert (await token(discord, http, given))[1]["error"] == "invalid_grant"
    late = await code(discord, http)
    discord.playground.parts.clock.advance(CODE_LIFE + 1)
    assert (await token(discord, http, late))[1]["error"] == "invalid_grant"
    async with http.post(f"{discord.origin}/api/v10/oauth2/token", json={"code": "x"}) as response:
        assert response.status == 415


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "1"},
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": "http://127.0.0.1.evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1@evil.example/"},
        {"redirect_uri": "http://evil@127.0.0.1/"},
        {"response_type": "token"},
        {"scope": "identify guilds.join"},
        {"scope": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
    ],
)
async def test_what_an_application_may_not_ask(discord, http, changes: dict[str, str]) -> None:
    status, text = await ticket(discord, http, **changes)
    assert status == 400
    assert "That link does not work" in text
    assert 'name="ticket"' not in text


async def test_only_the_persons_own_form_counts(discord, http) -> None:
    _, drawn = await ticket(discord, http)
    for origin in ("https://evil.example", "null"):
        assert (await choose(discord, http, drawn, ids.MILO_ID, Origin=origin))[0] == 403
    assert (await choose(discord, http, "guessed", ids.MILO_ID))[0] == 400
    status, query = await choose(discord, http, drawn, "")
    assert (status, query["error"], query["state"]) == (303, "access_denied", ASKED["state"])
    assert (await choose(discord, http, drawn, ids.MILO_ID))[0] == 400  # used
    _, drawn = await ticket(discord, http)
    assert (await choose(discord, http, drawn, ids.BOT_ID))[0] == 404  # nobody is the bot


@pytest.mark.parametrize(
    ("address", "may"), [("127.0.0.1", True), ("::1", True), ("192.168.1.5", False), (None, False)]
)
async def test_whom_to_be_is_chosen_on_this_machine_only(address: str | None, may: bool) -> None:
    request = SimpleNamespace(remote=address)
    if may:
        _only_from_here(request)  # type: ignore[arg-type]
    else:
        with pytest.raises(web.HTTPForbidden):
            _only_from_here(request)  # type: ignore[arg-type]


async def test_wishes_are_bounded_and_secrets_differ() -> None:
    signing_in = SigningIn(Clock())
    first = signing_in.ask(ASKED)[1]
    for _ in range(MOST):
        last = signing_in.ask(ASKED)[1]
    assert signing_in.answer(last, ids.MILO_ID).startswith(BACK)
    with pytest.raises(ValueError, match="used already"):
        signing_in.answer(first, ids.MILO_ID)
    assert signing_in.secret != SigningIn(Clock()).secret
