"""Interaction data made from names and values."""

from __future__ import annotations

from typing import Any

import pytest

from bot.playground.control.acting import (
    NoSuchThingError,
    command_data,
    component_data,
    find_command,
    find_component,
    modal_data,
)

DREAM = {
    "id": "1",
    "name": "dream",
    "type": 1,
    "options": [
        {"type": 3, "name": "prompt"},
        {"type": 4, "name": "steps"},
        {"type": 11, "name": "image"},
    ],
}
FILTER = {
    "id": "2",
    "name": "filter",
    "type": 1,
    "guild_id": "9",
    "options": [{"type": 1, "name": "add", "options": [{"type": 3, "name": "rule"}]}],
}
REPORT = {"id": "3", "name": "Report image", "type": 3}
COMMANDS = [DREAM, FILTER, REPORT]

BUTTONS: list[dict[str, Any]] = [
    {
        "type": 17,
        "components": [
            {"type": 10, "content": "hello"},
            {"type": 9, "components": [], "accessory": {"type": 2, "custom_id": "job:1:recipe", "label": "Recipe"}},
            {
                "type": 1,
                "components": [
                    {"type": 2, "custom_id": "job:1:v1", "label": "V1"},
                    {"type": 2, "custom_id": "job:1:again", "emoji": {"name": "🔁"}, "disabled": True},
                    {"type": 2, "url": "https://example.org", "label": "Web"},
                ],
            },
            {
                "type": 1,
                "components": [
                    {
                        "type": 3,
                        "custom_id": "style",
                        "placeholder": "Style",
                        "options": [{"label": "Ink", "value": "i"}, {"label": "Oil", "value": "o"}],
                    }
                ],
            },
        ],
    }
]

PROMPT_INPUT = {"type": 4, "id": 3, "custom_id": "prompt", "value": "a"}
MODAL = {
    "id": "77",
    "custom_id": "edit",
    "components": [
        {"type": 10, "id": 1, "content": "Change what you like."},
        {
            "type": 18,
            "id": 2,
            "label": "Prompt",
            "component": {"type": 4, "id": 3, "custom_id": "prompt", "value": "a"},
        },
        {
            "type": 18,
            "id": 4,
            "label": "Style",
            "component": {
                "type": 3,
                "id": 5,
                "custom_id": "style",
                "options": [{"label": "Ink", "value": "i", "default": True}, {"label": "Oil", "value": "o"}],
            },
        },
        {"type": 18, "id": 6, "label": "Picture", "component": {"type": 19, "id": 7, "custom_id": "picture"}},
        {"type": 18, "id": 8, "label": "Private", "component": {"type": 23, "id": 9, "custom_id": "private"}},
        {
            "type": 18,
            "id": 10,
            "label": "Size",
            "component": {"type": 21, "id": 11, "custom_id": "size", "options": [{"label": "Big", "value": "b"}]},
        },
        {"type": 1, "id": 12, "components": [{"type": 4, "id": 13, "custom_id": "note", "label": "Note"}]},
    ],
}


def test_options_take_the_types_the_command_declares() -> None:
    command, subcommands = find_command(COMMANDS, "dream")
    data = command_data(command, subcommands, {"prompt": "a cat", "steps": 20, "image": 5}, focused="prompt")
    assert data == {
        "id": "1",
        "name": "dream",
        "type": 1,
        "options": [
            {"type": 3, "name": "prompt", "value": "a cat", "focused": True},
            {"type": 4, "name": "steps", "value": 20},
            {"type": 11, "name": "image", "value": "5"},
        ],
    }


def test_subcommands_hold_their_options_and_guild_commands_their_guild() -> None:
    command, subcommands = find_command(COMMANDS, "filter add")
    data = command_data(command, subcommands, {"rule": "cat*"})
    assert data["guild_id"] == "9"
    assert data["options"] == [
        {"type": 1, "name": "add", "options": [{"type": 3, "name": "rule", "value": "cat*"}]},
    ]


def test_a_name_with_spaces_is_a_command_of_its_own() -> None:
    assert find_command(COMMANDS, "Report image") == (REPORT, [])


@pytest.mark.parametrize(("line", "values"), [("draw", {}), ("filter drop", {}), ("dream", {"colour": "red"})])
def test_unknown_names_are_told(line: str, values: dict[str, str]) -> None:
    with pytest.raises(NoSuchThingError, match="there are"):
        command_data(*find_command(COMMANDS, line), values)


@pytest.mark.parametrize("name", ["job:1:v1", "V1"])
def test_buttons_are_found_by_id_and_by_label_at_any_depth(name: str) -> None:
    found = find_component(BUTTONS, name)
    assert component_data(found) == {"custom_id": "job:1:v1", "component_type": 2}


def test_accessories_emojis_and_disabled_buttons() -> None:
    assert find_component(BUTTONS, "Recipe")["custom_id"] == "job:1:recipe"
    with pytest.raises(NoSuchThingError, match="disabled"):
        component_data(find_component(BUTTONS, "🔁"))
    with pytest.raises(NoSuchThingError, match="V1"):
        find_component(BUTTONS, "Web")


def test_select_options_go_by_label_or_value() -> None:
    select = find_component(BUTTONS, "Style")
    assert component_data(select, ["Oil", "i"]) == {"custom_id": "style", "component_type": 3, "values": ["o", "i"]}
    with pytest.raises(NoSuchThingError, match="Ink"):
        component_data(select, ["Chalk"])


def test_a_modal_keeps_what_it_shows_unless_told_otherwise() -> None:
    submitted = modal_data(MODAL, {"Note": "hi", "picture": ["55"], "size": "b"})
    assert submitted["custom_id"] == "edit"
    assert submitted["components"] == [
        {"type": 10, "id": 1},
        {"type": 18, "id": 2, "component": {"type": 4, "id": 3, "custom_id": "prompt", "value": "a"}},
        {"type": 18, "id": 4, "component": {"type": 3, "id": 5, "custom_id": "style", "values": ["i"]}},
        {"type": 18, "id": 6, "component": {"type": 19, "id": 7, "custom_id": "picture", "values": ["55"]}},
        {"type": 18, "id": 8, "component": {"type": 23, "id": 9, "custom_id": "private", "value": False}},
        {"type": 18, "id": 10, "component": {"type": 21, "id": 11, "custom_id": "size", "value": "b"}},
        {"type": 1, "id": 12, "components": [{"type": 4, "id": 13, "custom_id": "note", "value": "hi"}]},
    ]


def test_a_modal_refuses_what_it_has_not() -> None:
    with pytest.raises(NoSuchThingError, match="colour"):
        modal_data(MODAL, {"colour": "red"})
