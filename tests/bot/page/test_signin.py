"""Signing in by way of the local Discord, over real HTTP: every step, and every way to do it wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.page.sessions import IDLE, LONGEST, MOST, MOST_EACH, Person, Rights, Sessions
from bot.page.signin import FRESH, PACE, UNDER_WAY
from bot.playground import ids
from tests.bot.page.office import HOME, Office, Watch, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(tmp_path_factory.mktemp("office")) as opened:
        yield opened


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def pause(office: Office) -> None:
    """No test pays for the pace of the one before."""
    office.watch.now += PACE.burst * PACE.interval


async def test_a_moderator_signs_in_and_out(office: Office) -> None:
    async with office.browser() as browser:
        assert "Sign in with Discord" in (await browser.get("/")).text
        assert (await browser.get(HOME)).headers["Location"] == "/"
        answer = await browser.sign_in(ids.MILO_ID)
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        assert (await browser.get("/")).headers["Location"] == HOME
        await browser.at_home(ids.MILO_ID)
        assert (await browser.post("/sign-out", csrf="wrong")).status == 403
        assert (await browser.get(HOME)).status == 200
        assert (await browser.post("/sign-out")).status == 303
        assert (await browser.get(HOME)).headers["Location"] == "/"


async def test_the_cookie_is_nobody_elses_and_holds_no_token(office: Office) -> None:
    async with office.browser() as browser:
        there = await browser.get("/sign-in")
        back = await browser.consent(there.headers["Location"], ids.MILO_ID)
        answer = await browser.get(back)
        (session,) = (line for line in answer.headers.getall("Set-Cookie") if line.startswith("atelier-session="))
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in session.split(";")}
        assert "Secure" not in session  # plain HTTP on this machine; with TLS see below
        held = next(iter(office.page._door.sessions._sessions.values()))
        pages = [answer.text, (await browser.get(HOME)).text, str(answer.headers)]
        assert all(held.token.get_secret_value() not in page for page in pages)
        assert held.token.get_secret_value() not in repr(held)
        assert office.town.client_secret not in "".join(pages)


@pytest.mark.parametrize(("person", "may"), [(ids.OLIVIA_ID, True), (ids.MILO_ID, True), (ids.ADA_ID, False)])
async def test_only_who_may_manage_the_server_sees_it(office: Office, person: int, may: bool) -> None:
    async with office.browser() as browser:
        back = await browser.sign_in(person)
        assert back.status == (303 if may else 403)
        assert (await browser.get(HOME)).status == (200 if may else 303)
        if not may:
            assert "people who may manage a server" in back.text
            assert "atelier-session" not in str(back.headers)


async def test_who_may_no_longer_manage_the_server_sees_and_changes_nothing(office: Office, monkeypatch) -> None:
    async def of_nobody(_: object) -> Rights:
        return Rights()

    async with office.moderator() as browser:
        monkeypatch.setattr(office.page._door._discord, "rights", of_nobody)
        assert (await browser.get(HOME)).status == 200  # Discord was asked a moment ago
        office.watch.now += FRESH + 1
        assert (await browser.post(f"{HOME}/filter/add", rule="late")).status == 403
        for path in (HOME, f"{HOME}/pictures", f"{HOME}/filter/filter.json"):
            answer = await browser.get(path)
            assert answer.status == 403
            assert "people who may manage a server" in answer.text
        assert "no server here that you may manage" in (await browser.get("/")).text
    assert "late" not in [entry.line for entry in office.bot.house.studio.rules.entries(ids.GUILD_ID)]


async def test_somebody_who_says_no_is_let_go_kindly(office: Office) -> None:
    async with office.browser() as browser:
        there = await browser.get("/sign-in")
        answer = await browser.get(await browser.consent(there.headers["Location"], None))
        assert answer.status == 403
        assert "You have not signed in" in answer.text


async def test_an_answer_is_taken_once_from_the_browser_that_asked(office: Office) -> None:
    async with office.browser() as browser, office.browser() as other:
        there = await browser.get("/sign-in")
        await other.get("/sign-in")
        back = await browser.consent(there.headers["Location"], ids.MILO_ID)
        assert (await other.get(back)).status == 400  # somebody else's link: no session of theirs is forced on anybody
        assert (await browser.get(back)).status == 400  # and the state is used up
        assert (await browser.get("/sign-in/return?code=x&state=y")).status == 400
        there = await browser.get("/sign-in")
        back = await browser.consent(there.headers["Location"], ids.MILO_ID)
        assert (await browser.get(back + "&iss=https://evil.example")).status == 400
        there = await browser.get("/sign-in")
        back = await browser.consent(there.headers["Location"], ids.MILO_ID)
        office.watch.now += UNDER_WAY + 1
        assert (await browser.get(back)).status == 400


async def test_the_proof_key_and_the_address_are_sent(office: Office) -> None:
    async with office.browser() as browser:
        there = urlsplit((await browser.get("/sign-in")).headers["Location"])
    asked = parse_qs(there.query)
    assert asked["redirect_uri"] == [f"{office.origin}/sign-in/return"]
    assert asked["scope"] == ["identify guilds"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43


async def test_sign_ins_are_not_endless(office: Office) -> None:
    async with office.browser() as browser:
        found = [(await browser.get("/sign-in")).status for _ in range(int(PACE.burst) + 5)]
        assert found.count(303) == PACE.burst
        assert set(found[int(PACE.burst) :]) == {429}


async def test_a_session_ends_when_it_is_left_alone(office: Office) -> None:
    async with office.moderator() as browser:
        office.watch.now += IDLE - 1
        assert (await browser.get(HOME)).status == 200
        office.watch.now += IDLE
        assert (await browser.get(HOME)).status == 303
        assert (await browser.post(f"{HOME}/filter/add", rule="x")).status == 401


async def test_rights_are_asked_again_before_anything_is_changed(office: Office) -> None:
    async with office.moderator() as browser:
        session = max(office.page._door.sessions._sessions.values(), key=lambda each: each.began)
        asked = session.checked
        office.watch.now += FRESH + 1
        assert (await browser.get(f"{HOME}/filter")).status == 200
        assert session.checked == asked  # looking needs no fresh word
        assert (await browser.post(f"{HOME}/filter/add", rule="fresh")).status == 303
        assert session.checked == office.watch.now
        # Discord does not answer: nothing is changed.
        office.watch.now += FRESH + 1
        await office.town.breaks("status", status=503, path="/users/@me/guilds")
        answer = await browser.post(f"{HOME}/filter/add", rule="stale")
        await office.town.mends()
        assert answer.status == 400
        assert "Discord does not answer" in answer.text
        assert "stale" not in [entry.line for entry in office.bot.house.studio.rules.entries(ids.GUILD_ID)]


async def test_a_token_that_discord_no_longer_knows_ends_the_session(office: Office) -> None:
    async with office.moderator() as browser:
        await office.town.passes(8 * 86_400)
        office.watch.now += FRESH + 1
        assert (await browser.post(f"{HOME}/filter/add", rule="late")).status == 401
        assert (await browser.get(HOME)).status == 303


async def test_sessions_are_bounded() -> None:
    watch = Watch()
    sessions = Sessions(watch)
    opened = []
    for number in range(MOST + 3):
        watch.now += 1
        opened.append(sessions.open(Person(number, "x"), SecretStr("t"))[0])
    assert [sessions.find(each) is not None for each in opened[:4]] == [False, False, False, True]
    assert len(set(opened)) == len(opened)
    own = [sessions.open(Person(MOST + 2, "x"), SecretStr("t"))[0] for _ in range(MOST_EACH)]
    assert sessions.find(opened[-1]) is None  # one person has a few, and takes nobody else's place
    assert sessions.find(opened[3]) is not None
    opened[-1] = own[-1]
    for _ in range(int(LONGEST // (IDLE / 2))):
        watch.now += IDLE / 2
        sessions.find(opened[-1])
    assert sessions.find(opened[-1]) is None  # however often it was used
