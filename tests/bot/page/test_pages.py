"""The chapters over real HTTP: what they show, what they change, and what they never let through."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import update

from bot.page.chapters import CHAPTERS
from bot.page.guard import HEADERS
from bot.page.signin import PACE
from bot.playground import ids
from bot.store.schema import jobs
from generation.safety.level import Level
from tests.bot.page.office import HOME, Browser, Office, open_office
from tests.gated import GatedPainter, Scripted

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = """<script>alert("1")</script> ' onload=x <img src=x>"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Ben has a picture of two, Ada one with a hostile prompt, one that was withheld and one that is private."""
    painter = GatedPainter(Scripted(Level.NEUTRAL, Level.NEUTRAL, Level.NEUTRAL, Level.HIGH))
    async with open_office(tmp_path_factory.mktemp("office"), painter) as opened:
        town = opened.town
        await town.invoke(ids.BEN_ID, "dream", prompt="a red house", count=2)
        await town.result(1)
        await town.invoke(ids.ADA_ID, "dream", prompt=HOSTILE)
        await town.result(2)
        await town.invoke(ids.ADA_ID, "dream", prompt="something withheld")
        await town.until(lambda: opened.bot.has(posted=2, blocked=1))
        await town.invoke(ids.ADA_ID, "dream", prompt="my own secret", private=True)
        await town.until(lambda: opened.bot.has(posted=3, blocked=1))
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def browser(office: Office) -> AsyncIterator[Browser]:
    office.watch.now += PACE.burst * PACE.interval
    async with office.moderator() as signed_in:
        yield signed_in


async def jobs_of(office: Office) -> dict[str, str]:
    """Job ids by prompt."""
    found = {}
    async with office.bot.house.desk.jobs._database.read() as connection:
        for row in await connection.execute(jobs.select()):
            found[row.request["prompt"]] = row.id
    return found


# -- what every answer has -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        HOME,
        f"{HOME}/filter",
        f"{HOME}/nothing",
        "/nothing",
        "/static/page.css",
        "/static/../server.py",
        "/sign-in",
    ],
)
async def test_every_answer_has_the_headers(office: Office, browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    for name, value in HEADERS.items():
        if name != "Cache-Control" or "/static/page" not in path:
            assert answer.headers[name] == value, name
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "aiohttp" not in answer.headers["Server"]
    assert "Strict-Transport-Security" not in answer.headers  # there is no TLS here


async def test_pages_have_neither_scripts_nor_styles_in_them(browser: Browser) -> None:
    for slug in [chapter.slug and f"/{chapter.slug}" for chapter in CHAPTERS]:
        page = await browser.get(HOME + slug)
        assert page.status == 200, page.text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page.text.replace("onload=x", ""))
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page.text))
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)


async def test_foreign_names_and_origins_are_refused(office: Office, browser: Browser) -> None:
    for name in ("evil.example", "127.0.0.1.evil.example", f"localhost:{office.origin.rpartition(':')[2]}"):
        assert (await browser.get(HOME, Host=name)).status == 421
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", None):
        answer = await browser.post(f"{HOME}/filter/add", origin=origin, rule="foreign")
        assert answer.status == 403, origin
    assert "foreign" not in [entry.line for entry in office.bot.house.studio.rules.entries(ids.GUILD_ID)]


async def test_a_form_without_its_token_is_refused(office: Office, browser: Browser) -> None:
    async with office.moderator(ids.OLIVIA_ID) as olivia:
        for csrf in (None, "wrong", "é", olivia.csrf):
            for path in ("filter/add", "filter/remove", "filter/lint", "policy/change", "policy/reset", "line/cancel"):
                assert (await browser.post(f"{HOME}/{path}", csrf=csrf, rule="forged", channel="0")).status == 403
    assert "forged" not in [entry.line for entry in office.bot.house.studio.rules.entries(ids.GUILD_ID)]


async def test_bodies_are_bounded_and_of_known_kinds(browser: Browser) -> None:
    assert (await browser.post(f"{HOME}/filter/add", rule="x" * 70_000)).status == 413
    headers = {"Origin": browser.origin, "X-CSRF-Token": browser.csrf}
    for content, kind, status in (
        (b"rule=x", "text/plain", 415),
        (b"[" * 50_000, "application/json", 400),
        (b"{", "application/json", 400),
    ):
        answer = await browser._ask(
            "POST", f"{HOME}/filter/lint", data=content, headers=headers | {"Content-Type": kind}
        )
        assert answer.status == status


async def test_other_servers_are_not_open(browser: Browser) -> None:
    for server in (1, ids.GUILD_ID + 1, 10**20 - 1):
        for path in ("", "/pictures", "/filter/filter.json"):
            answer = await browser.get(f"/servers/{server}{path}")
            assert answer.status == 403
            assert "people who may manage a server" in answer.text


async def test_an_error_says_nothing_of_its_cause(office: Office, browser: Browser, monkeypatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr(office.bot.house.studio, "line", broken)
    answer = await browser.get(f"{HOME}/line")
    assert answer.status == 500
    assert "secret cause" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


# -- overview, line, limits ------------------------------------------------------------------------------------------


async def test_the_overview_counts(browser: Browser) -> None:
    page = (await browser.get(HOME)).text
    figures = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page)
    assert dict(figures)["Pictures"] == "4"
    assert dict(figures)["Requests"] == "4"
    assert dict(figures)["Withheld pictures"] == "1"
    assert dict(figures)["Begun within 15 s"] == "100 %"
    assert page.count("<svg") == 4
    assert dict(figures)["Cases waiting"] == "1"
    assert re.search(r"<title>[^<]+: 4 pictures</title>", page)


async def test_limits_show_tiers_and_who_used_most(browser: Browser) -> None:
    page = (await browser.get(f"{HOME}/limits")).text
    assert "everybody" in page
    assert page.index(">Ada<") > 0
    assert page.index(">Ben<") > 0


async def test_the_line_is_shown_and_somebody_is_taken_out_of_it(office: Office, browser: Browser) -> None:
    painter = office.bot.house.painter
    assert isinstance(painter, GatedPainter)
    let_go = asyncio.Event()
    paint = painter.paint

    async def slowly(*given):
        await let_go.wait()
        return await paint(*given)

    painter.paint = slowly  # type: ignore[method-assign]
    try:
        for prompt in ("first in line", "second <b>in line</b>"):
            await office.town.invoke(ids.ADA_ID, "dream", prompt=prompt)
        await office.town.until(lambda: office.bot.has(posted=3, blocked=1, running=1, accepted=1))
        page = (await browser.get(f"{HOME}/line")).text
        assert "second &lt;b&gt;in line&lt;/b&gt;" in page
        assert page.index("first in line") < page.index("second")
        assert "my own secret" not in page
        waiting = re.findall(r'name="job" value="([^"]+)"', page)[1]
        assert (await browser.post(f"{HOME}/line/cancel", job=waiting)).status == 303
        assert "Cancelled" in (await browser.get(f"{HOME}/line")).text
        assert (await office.bot.house.studio.get(waiting)).state == "cancelled"  # type: ignore[union-attr]
        await browser.post(f"{HOME}/line/cancel", job="0" * 16)
        assert "not known here" in (await browser.get(f"{HOME}/line")).text
    finally:
        let_go.set()
        painter.paint = paint  # type: ignore[method-assign]
    await office.town.until(lambda: office.bot.has(posted=4, blocked=1, cancelled=1))


# -- pictures --------------------------------------------------------------------------------------------------------


async def test_pictures_are_listed_with_hostile_words_made_harmless(browser: Browser) -> None:
    page = (await browser.get(f"{HOME}/pictures")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "a red house" in page
    assert "Not shown" in page
    assert "my own secret" not in page


async def test_only_approved_files_are_served_and_opened_alone_they_can_do_nothing(
    office: Office, browser: Browser
) -> None:
    known = await jobs_of(office)
    red, withheld, secret = known["a red house"], known["something withheld"], known["my own secret"]
    for index in ("0", "1", "grid"):
        answer = await browser.get(f"{HOME}/pictures/{red}/{index}")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "image/webp"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        number = -1 if index == "grid" else int(index)
        approved = await office.bot.house.desk.pictures.load(red, number)
        assert approved is not None
        assert answer.data == approved.data
    assert (await browser.get(f"{HOME}/pictures/{red}/2")).status == 404
    assert (await browser.get(f"{HOME}/pictures/{withheld}/0")).status == 404  # no likeness of it by another way
    evidence = await office.bot.house.desk.pictures.load_evidence(withheld, 0)
    assert evidence is not None
    assert (await browser.get(f"{HOME}/pictures/{withheld}/0/likeness")).data == evidence.data
    assert (await browser.get(f"{HOME}/pictures/{red}/0/likeness")).status == 404
    page = (await browser.get(f"{HOME}/pictures/{withheld}")).text
    assert "scripted high" in page
    for path in (secret, f"{secret}/0", "0" * 16, f"{'0' * 16}/0", "x", "../../static/page.css"):
        assert (await browser.get(f"{HOME}/pictures/{path}")).status == 404


async def test_a_picture_of_another_server_is_not_found(office: Office, browser: Browser) -> None:
    red = (await jobs_of(office))["a red house"]
    database = office.bot.house.desk.jobs._database

    async def belongs_to(guild_id: int | None) -> None:
        async with database.write() as connection:
            await connection.execute(update(jobs).where(jobs.c.id == red).values(guild_id=guild_id))

    for elsewhere in (ids.GUILD_ID + 1, None):
        await belongs_to(elsewhere)
        for path in (f"pictures/{red}", f"pictures/{red}/0", f"pictures/{red}/0/likeness"):
            assert (await browser.get(f"{HOME}/{path}")).status == 404
        assert "a red house" not in (await browser.get(f"{HOME}/pictures")).text
    await belongs_to(ids.GUILD_ID)
    assert (await browser.get(f"{HOME}/pictures/{red}/0")).status == 200


async def test_a_damaged_file_is_not_served(office: Office, browser: Browser) -> None:
    red = (await jobs_of(office))["a red house"]
    approved = await office.bot.house.desk.pictures.load(red, 1)
    assert approved is not None
    path = office.bot.house.desk.pictures._files._path(approved.sha256)
    path.write_bytes(approved.data + b"x")
    assert (await browser.get(f"{HOME}/pictures/{red}/1")).status == 404
    path.write_bytes(approved.data)


# -- filter and policy -----------------------------------------------------------------------------------------------


async def test_rules_are_added_listed_saved_and_removed(office: Office, browser: Browser) -> None:
    rules = office.bot.house.studio.rules
    hostile = 're:<script>|"quoted"'
    for rule in ("zebra*", hostile):
        assert (await browser.post(f"{HOME}/filter/add", rule=rule)).status == 303
    assert {"zebra*", hostile} <= {entry.line for entry in rules.entries(ids.GUILD_ID)}
    page = (await browser.get(f"{HOME}/filter")).text
    assert "re:<script>" not in page
    assert "re:&lt;script&gt;|&#34;quoted&#34;" in page
    saved = await browser.get(f"{HOME}/filter/filter.json")
    assert hostile in [each["rule"] for each in json.loads(saved.text)["rules"]]
    assert saved.headers["Content-Type"].startswith("application/json")
    assert "attachment" in saved.headers["Content-Disposition"]
    assert (await browser.post(f"{HOME}/filter/remove", rule=hostile)).status == 303
    assert hostile not in [entry.line for entry in rules.entries(ids.GUILD_ID)]


async def test_what_cannot_be_a_rule_is_explained_and_not_lost(browser: Browser) -> None:
    assert (await browser.post(f"{HOME}/filter/add", rule="re:(")).status == 303
    page = (await browser.get(f"{HOME}/filter")).text
    assert 'role="alert"' in page
    assert 'value="re:("' in page
    assert 'role="alert"' not in (await browser.get(f"{HOME}/filter")).text  # said once
    await browser.post(f"{HOME}/filter/add", rule="   ")
    assert "fill in the field" in (await browser.get(f"{HOME}/filter")).text


async def test_words_are_tried_and_explained(browser: Browser) -> None:
    await browser.post(f"{HOME}/filter/add", rule="giraffe")
    page = (await browser.post(f"{HOME}/filter/test", text="a g1raffe <i>here</i>")).text
    assert "Blocked" in page
    assert "<mark>g1raffe</mark>" in page
    assert "Read as <strong>leet</strong>, characters 3 to 9" in page
    assert "&lt;i&gt;here" in page
    assert "No rule matches" in (await browser.post(f"{HOME}/filter/test", text="a red house")).text


async def test_the_linter_answers_a_script_and_a_form(browser: Browser) -> None:
    headers = {"Origin": browser.origin, "X-CSRF-Token": browser.csrf, "Accept": "application/json"}

    async def lint(rule: str) -> tuple[int, dict]:
        async with browser.http.post(
            f"{browser.origin}{HOME}/filter/lint", json={"rule": rule}, headers=headers
        ) as response:
            return response.status, await response.json()

    status, found = await lint("*house*")
    assert status == 200
    assert found["prompts"] == ["a red house"]
    assert found["prompt_count"] == 1
    if found["dictionary"]:
        assert "greenhouse" in found["words"] or found["word_count"] > len(found["words"])
    status, found = await lint("re:(")
    assert status == 400
    assert found["error"].endswith(".")
    page = (await browser.post(f"{HOME}/filter/check", rule="*house*")).text
    assert "<li>a red house</li>" in page
    assert 'value="*house*"' in page


async def test_policy_of_the_server_and_of_a_channel(office: Office, browser: Browser) -> None:
    book = office.bot.house.studio.policies

    async def change(**fields: str) -> str:
        assert (await browser.post(f"{HOME}/policy/change", **fields)).status == 303
        return (await browser.get(f"{HOME}/policy")).text

    assert "Saved" in await change(channel="0", level="1", restricted_level="2", spoiler_from="1")
    assert book.settings(ids.GUILD_ID) == {"level": 1, "restricted_level": 2, "spoiler_from": 1}
    page = await change(channel=str(ids.ART_ADULTS_ID), restricted_level="3")
    assert "#art-adults" in page
    assert book.settings(ids.GUILD_ID, ids.ART_ADULTS_ID) == {"restricted_level": 3}
    await change(channel="0", spoiler_from="")
    assert "spoiler_from" not in book.settings(ids.GUILD_ID)
    for wrong, words in (
        ({"channel": "0", "level": "3"}, "Ordinary channels show low at most"),
        ({"channel": "0", "level": "9"}, "There is no such level"),
        ({"channel": "12345", "level": "1"}, "no such channel"),
        ({"channel": "", "level": "1"}, "Choose a channel"),
        ({"channel": "0"}, "Choose what to change"),
        ({"channel": str(ids.ART_ID), "level": "", "spoiler_from": ""}, "Choose what is different there"),
    ):
        assert words in await change(**wrong)
    assert (await browser.post(f"{HOME}/policy/reset", channel=str(ids.ART_ADULTS_ID))).status == 303
    assert book.channels(ids.GUILD_ID) == []
    assert (await browser.post(f"{HOME}/policy/reset", channel="0")).status == 303
    assert book.settings(ids.GUILD_ID) == {}
