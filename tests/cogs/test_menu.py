"""The menu as Discord is told of it: within its limits, with the ranges of a request, hidden where it should be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.client import COGS, AtelierClient
from bot.order import LineEntry
from cogs.line import line_text
from generation.job import JobState
from generation.options import ASPECTS, FLOW, SAMPLERS
from tests.house import open_house

CHAT = {
    "dream",
    "queue",
    "cancel",
    "quota",
    "help",
    "about",
    "filter",
    "review",
    "strikes",
    "audit",
    "artist",
    "policy",
    "verify",
    "preferences",
    "models",
    "privacy",
    "pause",
    "resume",
    "notice",
}
MESSAGES = {
    "Is this from here?",
    "Report picture",
}


@pytest.fixture
async def menu(tmp_path: Path) -> AsyncIterator[dict[str, dict[str, Any]]]:
    async with open_house(tmp_path, dream={"styles": {"ink": "{prompt}, ink", "oil": "{prompt}, oil"}}) as house:
        client = AtelierClient(house.studio, house.desk)
        for cog in COGS:
            await client.load_extension(cog)
        yield {command.name: command.to_dict(client.tree) for command in client.tree.get_commands()}
        await client.close()


def _options(command: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {option["name"]: option for option in command["options"]}


async def test_every_command_is_there_and_within_discords_limits(menu: dict[str, dict[str, Any]]) -> None:
    chat = {name: command for name, command in menu.items() if command["type"] == 1}
    assert set(chat) == CHAT
    assert {name: command["type"] for name, command in menu.items() if name not in chat} == dict.fromkeys(MESSAGES, 3)
    for command in chat.values():
        parts = [
            command,
            *command["options"],
            *(sub for option in command["options"] for sub in option.get("options", [])),
        ]
        assert all(1 <= len(part["description"]) <= 100 and part["description"] != "…" for part in parts)
        names = [part["name"] + part["description"] for part in parts]
        choices = [choice["name"] for part in parts for choice in part.get("choices", [])]
        assert sum(map(len, names + choices)) <= 8000
        assert all(len(part.get("choices", [])) <= 25 for part in parts)


async def test_dream_shows_the_ranges_of_a_request(menu: dict[str, dict[str, Any]]) -> None:
    options = _options(menu["dream"])

    assert [name for name, option in options.items() if option["required"]] == ["prompt"]
    assert options["prompt"]["max_length"] == 1000
    assert (options["steps"]["min_value"], options["steps"]["max_value"]) == (1, 100)
    assert (options["seed"]["min_value"], options["seed"]["max_value"]) == (0, 2**32 - 1)
    assert (options["guidance"]["min_value"], options["guidance"]["max_value"]) == (0.0, 30.0)
    assert (options["count"]["min_value"], options["count"]["max_value"]) == (1, 4)
    assert [choice["value"] for choice in options["aspect"]["choices"]] == list(ASPECTS)
    assert [choice["value"] for choice in options["sampler"]["choices"]] == [name for name in SAMPLERS if name != FLOW]
    assert [choice["value"] for choice in options["model"]["choices"]] == ["starter"]
    assert [choice["value"] for choice in options["style"]["choices"]] == ["ink", "oil"]


async def test_the_filter_is_for_people_who_manage_a_server(menu: dict[str, dict[str, Any]]) -> None:
    assert menu["filter"]["default_member_permissions"] == 32
    assert menu["filter"]["contexts"] == [0]
    assert set(_options(menu["filter"])) == {
        *("add", "remove", "list", "test", "import", "export", "automod", "exempt", "hits")
    }


def test_the_line_in_words() -> None:
    entries = [
        LineEntry(
            job_id="a" * 16, author_id=1, state=JobState.RUNNING, ahead=0, prompt="a @everyone house", channel_id=1
        ),
        LineEntry(job_id="b" * 16, author_id=2, state=JobState.ACCEPTED, ahead=1, prompt="x" * 900, channel_id=1),
    ]
    text = line_text(entries * 40, 1)

    assert "**yours**" in text
    assert "@everyone" not in text
    assert len(text) <= 2000
    assert text.endswith("and 65 more")
    assert line_text([], 1) == "The line is empty: /dream starts at once."


async def test_numbers_of_cases_fit_the_column_that_holds_them(menu: dict[str, dict[str, Any]]) -> None:
    [opening] = [each for each in menu["review"]["options"] if each["name"] == "open"]
    assert _options(opening)["case"]["max_value"] == 2**31 - 1
