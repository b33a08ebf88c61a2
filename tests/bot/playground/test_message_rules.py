"""Discord's limits on messages over real HTTP: which requests are refused, at which field, with which code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.playground import ids
from tests.bot.playground.raw_discord import ART, RawDiscord, raw_discord

MIB = 2**20
BUTTON = {"type": 2, "style": 1, "label": "Again", "custom_id": "again"}
LINK = {"type": 2, "style": 5, "label": "Docs", "url": "https://example.org"}
SELECT = {"type": 3, "custom_id": "style", "options": [{"label": "Ink", "value": "ink"}]}
V2 = 1 << 15
WORDS = {"type": 10, "content": "Words"}


@pytest.fixture
async def discord() -> AsyncIterator[RawDiscord]:
    async with raw_discord() as served:
        yield served


def row(*components: Any) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def layout(*components: Any, **more: Any) -> dict[str, Any]:
    return {"flags": V2, "components": list(components), **more}


@pytest.mark.parametrize(
    ("document", "place", "code"),
    [
        ({"content": "x" * 2001}, ["content"], "BASE_TYPE_MAX_LENGTH"),
        ({"content": ["x"]}, ["content"], "BASE_TYPE_BAD_TYPE"),
        ({"embeds": [{"title": "x"}] * 11}, ["embeds"], "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"title": "x" * 257}]}, ["embeds", 0, "title"], "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{}]}, ["embeds", 0, "description"], "BASE_TYPE_REQUIRED"),
        (
            {"embeds": [{"title": "x", "fields": [{"name": "", "value": "v"}]}]},
            ["embeds", 0, "fields", 0, "name"],
            "BASE_TYPE_REQUIRED",
        ),
        ({"embeds": [{"description": "x" * 4096}, {"description": "x" * 1905}]}, ["embeds"], "MAX_EMBED_SIZE_EXCEEDED"),
        ({"embeds": [{"title": "x", "url": "javascript://alert"}]}, ["embeds", 0, "url"], "URL_TYPE_INVALID_SCHEME"),
        (
            {"embeds": [{"title": "x", "image": {"url": "no url"}}]},
            ["embeds", 0, "image", "url"],
            "URL_TYPE_INVALID_URL",
        ),
        ({"embeds": [{"title": "x", "color": 2**24}]}, ["embeds", 0, "color"], "NUMBER_TYPE_MAX"),
        ({"embeds": [{"title": "x", "timestamp": "noon"}]}, ["embeds", 0, "timestamp"], "DATE_TIME_TYPE_PARSE"),
        ({"content": "x", "components": [row(BUTTON)] * 6}, ["components"], "BASE_TYPE_MAX_LENGTH"),
        (
            {"content": "x", "components": [row(*[{**BUTTON, "custom_id": str(n)} for n in range(6)])]},
            ["components", 0, "components"],
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {"content": "x", "components": [row(BUTTON, BUTTON)]},
            ["components", 0, "components", 1, "custom_id"],
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            {"content": "x", "components": [row(SELECT, BUTTON)]},
            ["components", 0, "components", 1],
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ),
        (
            {"content": "x", "components": [row({**BUTTON, "label": "x" * 81})]},
            ["components", 0, "components", 0, "label"],
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            {"content": "x", "components": [row({**BUTTON, "custom_id": "x" * 101})]},
            ["components", 0, "components", 0, "custom_id"],
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {"content": "x", "components": [row({**LINK, "custom_id": "x"})]},
            ["components", 0, "components", 0, "custom_id"],
            "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
        ),
        (
            {"content": "x", "components": [row({**LINK, "url": None})]},
            ["components", 0, "components", 0, "url"],
            "BASE_TYPE_REQUIRED",
        ),
        (
            {"content": "x", "components": [row({**BUTTON, "emoji": {"name": "x"}})]},
            ["components", 0, "components", 0, "emoji", "name"],
            "BUTTON_COMPONENT_INVALID_EMOJI",
        ),
        (
            {"content": "x", "components": [row({**SELECT, "options": SELECT["options"] * 2})]},
            ["components", 0, "components", 0, "options", 1, "value"],
            "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        ),
        (
            {"content": "x", "components": [row({**SELECT, "options": []})]},
            ["components", 0, "components", 0, "options"],
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {"content": "x", "components": [row({**SELECT, "min_values": 2})]},
            ["components", 0, "components", 0, "min_values"],
            "BASE_TYPE_BAD_LENGTH",
        ),
        ({"content": "x", "components": [WORDS]}, ["components", 0, "type"], "UNION_TYPE_CHOICES"),
        (layout(WORDS, content="x"), ["content"], "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"),
        (layout(WORDS, embeds=[{"title": "x"}]), ["embeds"], "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"),
        (layout(), ["components"], "BASE_TYPE_REQUIRED"),
        (layout({"type": 17, "components": [WORDS] * 40}), ["components"], "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"),
        (
            layout({**WORDS, "content": "x" * 2500}, {**WORDS, "content": "x" * 1501}),
            ["components"],
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
        ),
        (layout({"type": 9, "components": [WORDS]}), ["components", 0, "accessory"], "BASE_TYPE_REQUIRED"),
        (layout({"type": 12, "items": []}), ["components", 0, "items"], "BASE_TYPE_BAD_LENGTH"),
        (
            layout({"type": 12, "items": [{"media": {"url": "attachment://no.png"}}]}),
            ["components", 0, "items", 0, "media", "url"],
            "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        ),
        (
            layout({"type": 13, "file": {"url": "https://example.org/x"}}),
            ["components", 0, "file", "url"],
            "URL_TYPE_INVALID_SCHEME",
        ),
        (layout({**WORDS, "id": 7}, {**WORDS, "id": 7}), ["components", 1, "id"], "COMPONENT_ID_DUPLICATED"),
        ({"content": "x", "attachments": [{"id": 0, "filename": "a.png"}]}, ["attachments", 0], "ATTACHMENT_NOT_FOUND"),
        ({"content": "x", "nonce": "x" * 26}, ["nonce"], "BASE_TYPE_MAX_LENGTH"),
        (
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            ["allowed_mentions"],
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
        ({"content": "x", "message_reference": {"message_id": "5"}}, ["message_reference"], "REPLIES_UNKNOWN_MESSAGE"),
        (
            {"poll": {"question": {"text": "x" * 301}, "answers": []}},
            ["poll", "question", "text"],
            "BASE_TYPE_BAD_LENGTH",
        ),
    ],
)
async def test_refusals_name_the_field(discord: RawDiscord, document: Any, place: list[Any], code: str) -> None:
    answer = await discord.api("POST", ART, document)
    assert answer.status == 400
    assert code in answer.errors(*place)
    assert (await discord.api("GET", ART)).document == []


async def test_every_problem_is_told_at_once(discord: RawDiscord) -> None:
    answer = await discord.api("POST", ART, {"content": "x" * 2001, "embeds": [{"title": "x" * 257}]})
    assert answer.errors("content")
    assert answer.errors("embeds", 0, "title")


@pytest.mark.parametrize("document", [{}, {"content": "   "}, {"content": None, "embeds": []}, None])
async def test_empty_messages(discord: RawDiscord, document: Any) -> None:
    answer = await discord.api("POST", ART, document)
    assert (answer.status, answer.code) == (400, 50006)


async def test_blanks_around_words_go(discord: RawDiscord) -> None:
    assert (await discord.api("POST", ART, {"content": " \n two words \n"})).document["content"] == "two words"


async def test_bodies_that_are_no_documents(discord: RawDiscord) -> None:
    url, headers = f"{discord.origin}/api/v10{ART}", {"Authorization": f"Bot {ids.BOT_TOKEN}"}
    async with discord._http.post(url, data=b"{", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, 50109)
    assert (await discord.api("POST", ART, [])).errors() == ["MODEL_TYPE_CONVERT"]


async def test_files_are_ten_mebibytes_at_most(discord: RawDiscord) -> None:
    whole = await discord.api("POST", ART, {}, {"files[0]": ("a.bin", b"\0" * (10 * MIB))})
    assert whole.document["attachments"][0]["size"] == 10 * MIB
    large = await discord.api("POST", ART, {}, {"files[0]": ("a.bin", b"\0" * (10 * MIB + 1))})
    assert (large.status, large.code) == (413, 40005)
    three = {f"files[{n}]": (f"{n}.bin", b"\0" * (9 * MIB)) for n in range(3)}
    together = await discord.api("POST", ART, {}, three)
    assert (together.status, together.code) == (413, 40005)
    many = {f"files[{n}]": (f"{n}.txt", b"x") for n in range(11)}
    assert (await discord.api("POST", ART, {}, many)).code == 30015


async def test_what_a_message_keeps_when_it_is_edited(discord: RawDiscord) -> None:
    files = {"files[0]": ("one two.txt", b"1"), "files[1]": ("SPOILER_2.txt", b"2")}
    described = [{"id": 1, "filename": "SPOILER_2.txt", "description": "second"}, {"id": 0, "filename": "one two.txt"}]
    sent = (await discord.api("POST", ART, {"content": "x", "attachments": described}, files)).document
    second, first = sent["attachments"]
    assert (first["filename"], second["description"], second["flags"]) == ("one_two.txt", "second", 8)
    path = f"{ART}/{sent['id']}"
    words = (await discord.api("PATCH", path, {"content": "y"})).document
    assert ([each["id"] for each in words["attachments"]], words["content"]) == ([second["id"], first["id"]], "y")
    assert words["edited_timestamp"] is not None
    wanted = {"attachments": [{"id": int(first["id"]), "description": "new"}, {"id": 0, "filename": "3.txt"}]}
    swapped = (await discord.api("PATCH", path, wanted, {"files[0]": ("3.txt", b"3")})).document
    names = [(each["filename"], each.get("description")) for each in swapped["attachments"]]
    assert names == [("one_two.txt", "new"), ("3.txt", None)]
    empty = await discord.api("PATCH", path, {"content": "", "attachments": []})
    assert empty.code == 50006
    assert len((await discord.api("GET", path)).document["attachments"]) == 2


async def test_a_layout_stays_a_layout(discord: RawDiscord) -> None:
    sent = (await discord.api("POST", ART, {"content": "words"})).document
    path = f"{ART}/{sent['id']}"
    assert (await discord.api("PATCH", path, layout(WORDS))).errors("content")
    laid = (await discord.api("PATCH", path, layout(WORDS, content=None))).document
    assert (laid["content"], laid["flags"] & V2, laid["components"][0]["id"]) == ("", V2, 1)
    back = await discord.api("PATCH", path, {"content": "words", "components": [], "flags": 0})
    assert back.errors("content")


async def test_mentions_follow_what_is_allowed(discord: RawDiscord) -> None:
    text = f"<@{ids.ADA_ID}> <@&{ids.MODERATORS_ROLE_ID}> @everyone"
    every = (await discord.api("POST", ART, {"content": text})).document
    assert [user["id"] for user in every["mentions"]] == [str(ids.ADA_ID)]
    assert (every["mention_roles"], every["mention_everyone"]) == ([str(ids.MODERATORS_ROLE_ID)], False)
    none = (await discord.api("POST", ART, {"content": text, "allowed_mentions": {"parse": []}})).document
    assert (none["mentions"], none["mention_roles"]) == ([], [])
    one = {"content": text, "allowed_mentions": {"users": [str(ids.ADA_ID)]}}
    assert len((await discord.api("POST", ART, one)).document["mentions"]) == 1


async def test_a_nonce_is_enforced_only_when_asked_for_and_only_for_minutes(discord: RawDiscord) -> None:
    document = {"content": "x", "nonce": "job-1"}
    first = (await discord.api("POST", ART, document)).document
    second = (await discord.api("POST", ART, document)).document
    assert first["id"] != second["id"]
    third = (await discord.api("POST", ART, {**document, "enforce_nonce": True})).document
    assert (third["id"], third["nonce"]) == (second["id"], "job-1")
    discord.playground.parts.clock.advance(301)
    fourth = (await discord.api("POST", ART, {**document, "enforce_nonce": True})).document
    assert fourth["id"] != third["id"]


async def test_an_own_link_in_a_new_embed_shows_the_same_file(discord: RawDiscord) -> None:
    sent = (await discord.api("POST", ART, {"content": "x"}, {"files[0]": ("a.txt", b"1")})).document
    url = sent["attachments"][0]["url"]
    embedded = {"embeds": [{"title": "x", "image": {"url": url}}]}
    edited = (await discord.api("PATCH", f"{ART}/{sent['id']}", embedded)).document
    assert edited["embeds"][0]["image"]["url"].split("?")[0] == url.split("?")[0]
    assert edited["attachments"] == []
