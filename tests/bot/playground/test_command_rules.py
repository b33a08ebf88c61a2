"""Registering commands by hand: what is refused, what keeps its id, how many there may be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.playground import ids
from tests.bot.playground.raw_discord import COMMANDS, Json, RawDiscord, page, raw_discord

GUILD_COMMANDS = f"/applications/{ids.APPLICATION_ID}/guilds/{ids.GUILD_ID}/commands"
WORDS: Json = {"type": 3, "name": "prompt", "description": "Words"}
INK = {"name": "Ink", "value": "ink"}


@pytest.fixture
async def discord() -> AsyncIterator[RawDiscord]:
    async with raw_discord() as served:
        yield served


def command(*options: Json, **more: Any) -> Json:
    return {"name": "dream", "description": "Paint", "options": list(options), **more}


@pytest.mark.parametrize(
    ("document", "place", "code"),
    [
        (command(name="Dream"), "name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command(name="a b"), "name", "APPLICATION_COMMAND_INVALID_NAME"),
        (command(name="x" * 33), "name", "BASE_TYPE_BAD_LENGTH"),
        (command(name=None), "name", "BASE_TYPE_REQUIRED"),
        (command(description=""), "description", "BASE_TYPE_REQUIRED"),
        (command(description="x" * 101), "description", "BASE_TYPE_BAD_LENGTH"),
        (command(type=4), "type", "BASE_TYPE_CHOICES"),
        (command(type=2, options=[WORDS], description=""), "options", "APPLICATION_COMMAND_INVALID_OPTIONS"),
        (command(type=3), "description", "APPLICATION_COMMAND_INVALID_DESCRIPTION"),
        (command(default_member_permissions="all"), "default_member_permissions", "NUMBER_TYPE_COERCE"),
        (command(contexts=[3]), "contexts.0", "BASE_TYPE_CHOICES"),
        (command(name_localizations={"xx": "traum"}), "name_localizations.xx", "APPLICATION_COMMAND_INVALID_LOCALE"),
        (command(*[{**WORDS, "name": f"n{n}"} for n in range(26)]), "options", "BASE_TYPE_MAX_LENGTH"),
        (command(WORDS, WORDS), "options.1.name", "APPLICATION_COMMAND_OPTIONS_DUPLICATE_NAME"),
        (
            command(WORDS, {**WORDS, "name": "b", "required": True}),
            "options.1",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (command({**WORDS, "type": 12}), "options.0.type", "BASE_TYPE_CHOICES"),
        (command({**WORDS, "choices": [INK] * 26}), "options.0.choices", "BASE_TYPE_MAX_LENGTH"),
        (
            command({**WORDS, "choices": [INK, INK]}),
            "options.0.choices",
            "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS",
        ),
        (
            command({**WORDS, "choices": [{"name": "Ink", "value": 1}]}),
            "options.0.choices.0.value",
            "APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_TYPE",
        ),
        (
            command({**WORDS, "choices": [INK], "autocomplete": True}),
            "options.0.choices",
            "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE",
        ),
        (command({**WORDS, "max_length": 6001}), "options.0.max_length", "NUMBER_TYPE_MAX"),
        (command({**WORDS, "type": 4, "max_value": 2**54}), "options.0.max_value", "NUMBER_TYPE_MAX"),
        (command({**WORDS, "type": 1}, {**WORDS, "name": "b"}), "options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"),
        (
            command({"type": 2, "name": "g", "description": "x", "options": [WORDS]}),
            "options.0.options.0.type",
            "BASE_TYPE_CHOICES",
        ),
        (
            command(
                *[
                    {
                        "type": 3,
                        "name": f"n{n}",
                        "description": "x" * 100,
                        "choices": [{"name": f"{m}" * 50, "value": f"{m}" * 50} for m in range(9)],
                    }
                    for n in range(8)
                ]
            ),
            "",
            "APPLICATION_COMMAND_TOO_LARGE",
        ),
    ],
)
async def test_refusals_name_the_field(discord: RawDiscord, document: Json, place: str, code: str) -> None:
    steps = place.split(".") if place else []
    assert code in (await discord.api("POST", COMMANDS, document)).errors(*steps)
    assert code in (await discord.api("PUT", COMMANDS, [command(), document])).errors(1, *steps)
    assert (await discord.api("GET", COMMANDS)).document == []


@pytest.mark.parametrize("name", ["dream", "träume", "夢", "सपना", "ฝัน", "l-art_d'or", "2d"])
async def test_names_in_every_script(discord: RawDiscord, name: str) -> None:
    assert (await discord.api("POST", COMMANDS, command(name=name))).status == 201


async def test_what_a_command_looks_like(discord: RawDiscord) -> None:
    sent = command({**WORDS, "required": True}, default_member_permissions=8, contexts=None, integration_types=None)
    (shown,) = await discord.register(sent)
    assert (shown["type"], shown["default_member_permissions"], shown["nsfw"]) == (1, "8", False)
    assert (shown["contexts"], shown["integration_types"], shown["dm_permission"]) == (None, [0], True)
    assert shown["options"] == [{**WORDS, "required": True, "autocomplete": False}]
    assert (await discord.api("GET", f"{COMMANDS}/{shown['id']}")).document == shown


async def test_ids_outlive_an_overwrite(discord: RawDiscord) -> None:
    kept, gone = await discord.register(command(), command(name="old"))
    same, new = await discord.register(command(), command(name="new"))
    assert same == kept
    assert new["id"] != gone["id"]
    (changed,) = await discord.register(command(description="Paint more"))
    assert (changed["id"], changed["version"] != kept["version"]) == (kept["id"], True)
    assert (await discord.api("GET", f"{COMMANDS}/{gone['id']}")).code == 10063


async def test_create_edit_delete(discord: RawDiscord) -> None:
    async with page(discord) as screen:
        first = await discord.api("POST", GUILD_COMMANDS, command(WORDS))
        assert (first.status, first.document["guild_id"]) == (201, str(ids.GUILD_ID))
        assert "contexts" not in first.document
        await screen.event("COMMANDS_UPDATE")
    again = await discord.api("POST", GUILD_COMMANDS, command(description="Other"))
    assert (again.status, again.document["id"]) == (200, first.document["id"])
    path = f"{GUILD_COMMANDS}/{first.document['id']}"
    edited = (await discord.api("PATCH", path, {"name": "paint", "default_member_permissions": "0"})).document
    assert (edited["name"], edited["description"], edited["default_member_permissions"]) == ("paint", "Other", "0")
    assert (await discord.api("DELETE", path)).status == 204
    assert (await discord.api("DELETE", path)).code == 10063
    assert (await discord.api("GET", COMMANDS)).document == []


async def test_other_scopes_are_not_ours(discord: RawDiscord) -> None:
    assert (await discord.api("GET", "/applications/5/commands")).code == 10002
    assert (await discord.api("GET", f"/applications/{ids.APPLICATION_ID}/guilds/5/commands")).code == 50001


async def test_how_many_there_may_be(discord: RawDiscord) -> None:
    menus = [{"type": 3, "name": f"Menu {n}"} for n in range(16)]
    assert (await discord.api("PUT", COMMANDS, menus)).code == 30032
    assert (await discord.api("PUT", COMMANDS, menus[:15])).status == 200
    slashes = [command(name=f"c{n}") for n in range(101)]
    assert (await discord.api("PUT", COMMANDS, slashes)).code == 30032
    assert (await discord.api("PUT", COMMANDS, slashes[:100])).status == 200
    many = [command(name=f"d{n}") for n in range(100)]
    exhausted = await discord.api("PUT", COMMANDS, many)
    assert (exhausted.status, exhausted.code) == (429, 30034)
    discord.playground.parts.clock.advance(86_400)
    assert (await discord.api("PUT", COMMANDS, many)).status == 200
