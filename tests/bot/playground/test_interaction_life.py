"""The life of an interaction by hand: three seconds, fifteen minutes, callbacks, follow-ups, who sees what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.playground import ids
from tests.bot.playground.raw_discord import ART, Json, RawDiscord, online, page, raw_discord

EPHEMERAL, LOADING, V2 = 1 << 6, 1 << 7, 1 << 15
ORIGINAL = "/messages/@original"
DREAM = {
    "name": "dream",
    "description": "Paint",
    "options": [
        {"type": 3, "name": "prompt", "description": "Words", "required": True, "max_length": 50, "autocomplete": True},
        {"type": 4, "name": "steps", "description": "Steps", "min_value": 1, "max_value": 50},
        {"type": 11, "name": "image", "description": "Start"},
    ],
}
PROMPT = {"type": 3, "name": "prompt", "value": "a red house"}
BUTTON = {"type": 2, "style": 1, "label": "Again", "custom_id": "again"}


@pytest.fixture
async def discord() -> AsyncIterator[RawDiscord]:
    async with raw_discord() as served, online(served):
        yield served


@pytest.fixture
async def dream(discord: RawDiscord) -> Json:
    (command,) = await discord.register(DREAM)
    return command


async def seen(discord: RawDiscord, person: int = ids.ADA_ID) -> list[Json]:
    return (await discord.client("GET", ART, person=person)).document


async def test_what_the_bot_is_told(discord: RawDiscord, dream: Json) -> None:
    asked = await discord.invoke(dream, PROMPT)
    assert (asked["type"], asked["context"], asked["attachment_size_limit"]) == (2, 0, 10 * 2**20)
    assert asked["data"]["options"] == [PROMPT]
    assert asked["authorizing_integration_owners"] == {"0": str(ids.GUILD_ID)}
    assert int(asked["member"]["permissions"]) & 1 << 11
    assert asked["channel"]["id"] == asked["channel_id"] == str(ids.ART_ID)
    direct = await discord.invoke(dream, PROMPT, channel=ids.DM_IDS[ids.ADA_ID])
    assert "member" not in direct
    assert (direct["user"]["id"], direct["context"]) == (str(ids.ADA_ID), 1)


async def test_deferred_edited_followed_up_deleted(discord: RawDiscord, dream: Json) -> None:
    asked = await discord.invoke(dream, PROMPT)
    unanswered = await discord.webhook("GET", asked, ORIGINAL)
    assert (unanswered.status, unanswered.code) == (404, 10015)
    deferred = (await discord.answer(asked, 5)).document
    assert deferred["interaction"]["response_message_loading"] is True
    assert "resource" not in deferred
    (thinking,) = await seen(discord)
    assert (thinking["type"], thinking["thinking"]) == (20, True)
    assert thinking["interaction_metadata"]["user"]["id"] == str(ids.ADA_ID)
    files = {"files[0]": ("a.txt", b"1")}
    done = (await discord.webhook("PATCH", asked, ORIGINAL, {"content": "Done"}, files=files)).document
    assert (done["id"], done["flags"], done["attachments"][0]["filename"]) == (thinking["id"], 0, "a.txt")
    more = (await discord.webhook("POST", asked, "?wait=1", {"content": "More"})).document
    assert more["message_reference"]["message_id"] == done["id"]
    assert more["interaction_metadata"]["original_response_message_id"] == done["id"]
    changed = await discord.webhook("PATCH", asked, f"/messages/{more['id']}", {"content": "Still more"})
    assert changed.document["content"] == "Still more"
    assert (await discord.webhook("DELETE", asked, ORIGINAL)).status == 204
    assert (await discord.webhook("PATCH", asked, ORIGINAL, {"content": "x"})).code == 10008
    assert [message["content"] for message in await seen(discord)] == ["Still more"]


async def test_the_first_follow_up_finishes_a_deferred_answer(discord: RawDiscord, dream: Json) -> None:
    asked = await discord.invoke(dream, PROMPT)
    await discord.answer(asked, 5, {"flags": EPHEMERAL})
    first = (await discord.webhook("POST", asked, "", {"content": "First"})).document
    second = (await discord.webhook("POST", asked, "", {"content": "Second"})).document
    original = (await discord.webhook("GET", asked, ORIGINAL)).document
    assert (original["id"], original["flags"] & EPHEMERAL) == (first["id"], EPHEMERAL)
    assert (second["id"] != first["id"], second["flags"]) == (True, 0)


async def test_three_seconds(discord: RawDiscord, dream: Json) -> None:
    async with page(discord) as screen:
        asked = await discord.invoke(dream, PROMPT)
        discord.playground.parts.clock.advance(3.01)
        failure = await screen.event("INTERACTION_FAILURE")
        assert failure == {"id": asked["id"], "nonce": "n", "reason": "timeout"}
    late = await discord.answer(asked, 4, {"content": "late"})
    assert (late.status, late.code) == (404, 10062)
    assert (await discord.webhook("POST", asked, "", {"content": "late"})).code == 10015


async def test_answered_once(discord: RawDiscord, dream: Json) -> None:
    asked = await discord.invoke(dream, PROMPT)
    refused = await discord.answer(asked, 4, {"content": "x" * 2001})
    assert refused.errors("content")
    first = (await discord.answer(asked, 4, {"content": "x"})).document
    assert first["resource"]["message"]["id"] == first["interaction"]["response_message_id"]
    again = await discord.answer(asked, 5)
    assert (again.status, again.code) == (400, 40060)
    forged = await discord.answer({**asked, "token": "x"}, 5)
    assert (forged.status, forged.code) == (404, 10062)


async def test_without_with_response_there_is_no_body(discord: RawDiscord, dream: Json) -> None:
    asked = await discord.invoke(dream, PROMPT)
    plain = await discord.api("POST", f"/interactions/{asked['id']}/{asked['token']}/callback", {"type": 5})
    assert (plain.status, plain.document) == (204, b"")


async def test_fifteen_minutes(discord: RawDiscord, dream: Json) -> None:
    asked = await discord.invoke(dream, PROMPT)
    await discord.answer(asked, 5)
    discord.playground.parts.clock.advance(15 * 60)
    late = await discord.webhook("PATCH", asked, ORIGINAL, {"content": "late"})
    assert (late.status, late.code) == (401, 50027)
    (left,) = await seen(discord)
    assert (left["content"], left["thinking"]) == ("The application did not respond", False)
    assert (await discord.webhook("POST", {**asked, "token": "x"}, "", {"content": "x"})).code == 50027
    other = await discord.api("POST", f"/webhooks/5/{asked['token']}", {"content": "x"})
    assert (other.status, other.code) == (404, 10015)


async def test_an_ephemeral_answer_is_for_one(discord: RawDiscord, dream: Json) -> None:
    asked = await discord.invoke(dream, PROMPT)
    async with page(discord, ids.BEN_ID) as bens:
        alone = (await discord.answer(asked, 4, {"content": "psst", "flags": EPHEMERAL})).document
        assert await bens.is_quiet()
    message_id = alone["interaction"]["response_message_id"]
    assert [message["id"] for message in await seen(discord)] == [message_id]
    assert await seen(discord, ids.BEN_ID) == []
    assert (await discord.api("GET", ART)).document == []
    assert (await discord.api("GET", f"{ART}/{message_id}")).code == 10008
    assert (await discord.client("DELETE", f"{ART}/{message_id}", person=ids.MILO_ID)).code == 10008
    assert (await discord.client("DELETE", f"{ART}/{message_id}")).status == 204
    assert await seen(discord) == []
    still = await discord.webhook("PATCH", asked, ORIGINAL, {"content": "hello?"})
    assert still.status == 200


@pytest.mark.parametrize("kind", [1, 2, 3, 6, 7, 8, 10, 12, "4", None])
async def test_answers_that_do_not_fit_a_command(discord: RawDiscord, dream: Json, kind: Any) -> None:
    asked = await discord.invoke(dream, PROMPT)
    assert (await discord.answer(asked, kind, {"content": "x"})).errors("type")
    assert (await discord.answer(asked, 5)).status == 200


async def test_components_update_their_message(discord: RawDiscord) -> None:
    rows = [{"type": 1, "components": [BUTTON]}]
    card = (await discord.api("POST", ART, {"content": "Card", "components": rows})).document
    assert (await discord.click(card, "again")).status == 202
    pressed = await discord.event("INTERACTION_CREATE")
    assert pressed["message"]["id"] == card["id"]
    assert pressed["data"] == {"custom_id": "again", "component_type": 2, "id": 2}
    await discord.answer(pressed, 6)
    original = (await discord.webhook("GET", pressed, ORIGINAL)).document
    assert original["id"] == card["id"]
    await discord.click(card, "again")
    disabled = [{"type": 1, "components": [{**BUTTON, "disabled": True}]}]
    answer = await discord.answer(await discord.event("INTERACTION_CREATE"), 7, {"components": disabled})
    assert answer.document["resource"]["type"] == 7
    assert answer.document["resource"]["message"]["content"] == "Card"
    refused = await discord.click(card, "again")
    assert (refused.status, refused.document["message"]) == (400, "This is disabled.")
    assert (await discord.click(card, "gone")).status == 404


async def test_autocompletion_waits_for_the_bot_and_not_for_long(discord: RawDiscord, dream: Json) -> None:
    focused = {"type": 3, "name": "prompt", "value": "a re", "focused": True}
    data = {"id": dream["id"], "name": "dream", "type": 1, "options": [focused]}
    wish = {"type": 4, "channel_id": str(ids.ART_ID), "nonce": "n", "data": data}
    typing = asyncio.create_task(discord.client("POST", "/interactions", wish))
    asked = await discord.event("INTERACTION_CREATE")
    assert asked["data"]["options"] == [focused]
    many = [{"name": str(n), "value": str(n)} for n in range(26)]
    assert (await discord.answer(asked, 8, {"choices": many})).errors("data", "choices")
    assert (await discord.answer(asked, 8, {"choices": [{"name": "x", "value": 1}]})).errors(
        "data", "choices", 0, "value"
    )
    assert (await discord.answer(asked, 8, {"choices": many[:2]})).status == 200
    answer = await typing
    assert (answer.status, answer.document) == (200, {"choices": many[:2]})
    typing = asyncio.create_task(discord.client("POST", "/interactions", wish))
    await discord.event("INTERACTION_CREATE")
    discord.playground.parts.clock.advance(3.01)
    assert (await typing).status == 504


FORM = {
    "custom_id": "edit",
    "title": "Edit",
    "components": [
        {"type": 18, "label": "Prompt", "component": {"type": 4, "custom_id": "p", "style": 2, "max_length": 10}},
        {"type": 18, "label": "Start", "component": {"type": 19, "custom_id": "f", "required": False, "min_values": 0}},
    ],
}


def filled(prompt: str, *files: str) -> Json:
    words = {"type": 18, "component": {"type": 4, "custom_id": "p", "value": prompt}}
    upload = {"type": 18, "component": {"type": 19, "custom_id": "f", "values": list(files)}}
    return {"custom_id": "edit", "components": [words, upload]}


async def test_a_modal_from_a_button_and_back(discord: RawDiscord) -> None:
    rows = [{"type": 1, "components": [BUTTON]}]
    card = (await discord.api("POST", ART, {"content": "Card", "components": rows})).document
    async with page(discord) as screen:
        await discord.click(card, "again")
        pressed = await discord.event("INTERACTION_CREATE")
        assert (await discord.answer(pressed, 9, FORM)).status == 200
        modal = await screen.event("MODAL_OPEN")
    assert (modal["title"], modal["components"][0]["component"]["required"]) == ("Edit", True)
    upload = await discord.client("POST", "/uploads", None, files={"file": ("a.png", b"x")})
    wish: Json = {"type": 5, "channel_id": str(ids.ART_ID), "nonce": "m", "modal_id": modal["id"]}
    long = await discord.client("POST", "/interactions", {**wish, "data": filled("x" * 11)})
    assert (long.status, long.document["message"].split(":")[0]) == (400, "Prompt")
    strange = await discord.client("POST", "/interactions", {**wish, "data": filled("x", "12345")})
    assert strange.status == 400
    sent = {**wish, "data": filled("words", upload.document["id"])}
    assert (await discord.client("POST", "/interactions", sent)).status == 202
    submitted = await discord.event("INTERACTION_CREATE")
    assert submitted["message"]["id"] == card["id"]
    prompt, start = submitted["data"]["components"]
    assert (prompt["component"]["value"], start["component"]["values"]) == ("words", [upload.document["id"]])
    assert submitted["data"]["resolved"]["attachments"][upload.document["id"]]["ephemeral"] is True
    assert (await discord.answer(submitted, 9, FORM)).errors("type")
    assert (await discord.answer(submitted, 7, {"content": "Edited"})).status == 200
    assert (await discord.client("POST", "/interactions", sent)).status == 404


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": "x" * 46}, ["data", "title"]),
        ({"components": []}, ["data", "components"]),
        ({"components": FORM["components"] * 3}, ["data", "components"]),
        ({"components": FORM["components"][:1] * 2}, ["data", "components", 1, "component", "custom_id"]),
        ({"components": [{"type": 10, "content": ""}]}, ["data", "components", 0, "content"]),
        ({"components": [{"type": 18, "label": "x" * 46, "component": BUTTON}]}, ["data", "components", 0, "label"]),
        (
            {"components": [{"type": 18, "label": "x", "component": BUTTON}]},
            ["data", "components", 0, "component", "type"],
        ),
    ],
)
async def test_modals_that_are_refused(discord: RawDiscord, dream: Json, change: Json, place: list[Any]) -> None:
    asked = await discord.invoke(dream, PROMPT)
    assert (await discord.answer(asked, 9, {**FORM, **change})).errors(*place)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "prompt: this option is required."),
        ([{**PROMPT, "value": "x" * 51}], "prompt: must be between 0 and 50 characters long; this is 51."),
        ([PROMPT, {"type": 4, "name": "steps", "value": 51}], "steps: must be between 1 and 50."),
        (
            [PROMPT, {"type": 4, "name": "steps", "value": 1.5}],
            "steps: this must be a whole number, not larger than 2^53.",
        ),
        (
            [PROMPT, {"type": 4, "name": "steps", "value": 2**64}],
            "steps: this must be a whole number, not larger than 2^53.",
        ),
        (
            [PROMPT, {"type": 11, "name": "image", "value": "5"}],
            "image: That file is no longer here; please upload it again.",
        ),
        (
            [PROMPT, {"type": 3, "name": "style", "value": "x"}],
            "The command has no such options; it may have changed. Please type it again.",
        ),
    ],
)
async def test_what_a_client_does_not_send(
    discord: RawDiscord, dream: Json, options: list[Json], sentence: str
) -> None:
    data = {"id": dream["id"], "name": "dream", "type": 1, "options": options}
    wish = {"type": 2, "channel_id": str(ids.ART_ID), "nonce": "n", "data": data}
    answer = await discord.client("POST", "/interactions", wish)
    assert (answer.status, answer.document["message"]) == (400, sentence)


async def test_an_upload_belongs_to_who_made_it(discord: RawDiscord, dream: Json) -> None:
    upload = (await discord.client("POST", "/uploads", None, files={"file": ("a.png", b"x")})).document
    image = {"type": 11, "name": "image", "value": upload["id"]}
    asked = await discord.invoke(dream, PROMPT, image)
    assert asked["data"]["resolved"]["attachments"][upload["id"]]["filename"] == "a.png"
    data = {"id": dream["id"], "name": "dream", "type": 1, "options": [PROMPT, image]}
    wish = {"type": 2, "channel_id": str(ids.ART_ID), "nonce": "n", "data": data}
    assert (await discord.client("POST", "/interactions", wish, person=ids.BEN_ID)).status == 400
    large = {"file": ("a.png", b"x" * (10 * 2**20 + 1))}
    refused = await discord.client("POST", "/uploads", None, files=large)
    assert (refused.status, refused.document["message"]) == (413, "That file is larger than 10 MiB.")


async def test_who_may_use_which_command_where(discord: RawDiscord) -> None:
    plain: Json = {"description": "x", "options": []}
    rules = await discord.register(
        {**plain, "name": "everyone"},
        {**plain, "name": "moderators", "default_member_permissions": 1 << 13},
        {**plain, "name": "nobody", "default_member_permissions": 0},
        {**plain, "name": "adults", "nsfw": True},
        {**plain, "name": "guild", "contexts": [0]},
    )
    assert [command["default_member_permissions"] for command in rules[:3]] == [None, str(1 << 13), "0"]

    def usable(person: int, channel: int) -> set[str]:
        commands = discord.playground.persons.commands(person, channel)
        return {command["name"] for command in commands}

    assert usable(ids.ADA_ID, ids.ART_ID) == {"everyone", "guild"}
    assert usable(ids.ADA_ID, ids.ART_ADULTS_ID) == {"everyone", "guild", "adults"}
    assert usable(ids.ADA_ID, ids.DM_IDS[ids.ADA_ID]) == {"everyone", "moderators", "nobody", "adults"}
    assert usable(ids.MILO_ID, ids.ART_ID) == {"everyone", "guild", "moderators"}
    assert usable(ids.OLIVIA_ID, ids.ART_ID) == {"everyone", "guild", "moderators", "nobody"}
    for name, person, channel in (
        ("moderators", ids.ADA_ID, ids.ART_ID),
        ("adults", ids.OLIVIA_ID, ids.ART_ID),
        ("guild", ids.ADA_ID, ids.DM_IDS[ids.ADA_ID]),
        ("everyone", ids.ADA_ID, ids.MODS_ID),
        ("everyone", ids.ADA_ID, ids.DM_IDS[ids.BEN_ID]),
    ):
        (command,) = [each for each in rules if each["name"] == name]
        wish = {"type": 2, "channel_id": str(channel), "data": {"id": command["id"], "name": name, "type": 1}}
        assert (await discord.client("POST", "/interactions", wish, person=person)).status == 403, name


async def test_permissions_say_nothing_about_direct_messages(discord: RawDiscord) -> None:
    (command,) = await discord.register({"name": "x", "description": "x", "default_member_permissions": 1 << 13})
    asked = await discord.invoke(command, channel=ids.DM_IDS[ids.ADA_ID])
    assert asked["user"]["id"] == str(ids.ADA_ID)
