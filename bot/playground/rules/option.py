"""Options of slash commands: their limits, and the form they are kept in."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from bot.playground.documents import Json
from bot.playground.rules.form import Form
from bot.playground.rules.naming import read_localizations, read_name

MOST_OPTIONS = MOST_CHOICES = 25
MAX_INTEGER = 2**53  # Discord's integers stay within what a double can hold

SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
MOST_STRING = 6000
_LEAF = frozenset(range(STRING, ATTACHMENT + 1))


def read_options(form: Form, inside: int = 0) -> list[Json]:
    """The options of a command, or of the subcommand or group `inside` which they are."""
    allowed = {0: _LEAF | {SUBCOMMAND, SUBCOMMAND_GROUP}, SUBCOMMAND: _LEAF, SUBCOMMAND_GROUP: {SUBCOMMAND}}[inside]
    forms = form.forms("options", MOST_OPTIONS)
    options = [_read_option(each, allowed) for each in forms]
    names: set[str] = set()
    was_optional = False
    for each, option in zip(forms, options, strict=True):
        if option["name"] in names:
            each.refuse("APPLICATION_COMMAND_OPTIONS_DUPLICATE_NAME", "Option names must be unique", "name")
        names.add(option["name"])
        if option.get("required") and was_optional:
            sentence = "Required options must be placed before non-required options"
            each.refuse("APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", sentence)
        was_optional |= not option.get("required") and option["type"] in _LEAF
    kinds = {option["type"] in _LEAF for option in options}
    if len(kinds) > 1:
        sentence = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        form.refuse("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", sentence, "options")
    return options


def _read_option(form: Form, allowed: Collection[int]) -> Json:
    kind = form.choice("type", allowed) or STRING
    option: Json = {"type": kind, "name": read_name(form), "description": ""}
    option["description"] = form.text("description", 100, least=1, required=True) or ""
    for key, most in (("name_localizations", 32), ("description_localizations", 100)):
        if form.names(key):
            option[key] = read_localizations(form, key, most)
    if kind in (SUBCOMMAND, SUBCOMMAND_GROUP):
        return {**option, "options": read_options(form, kind)}
    option["required"] = form.flag("required")
    if kind == STRING:
        _read_lengths(form, option)
    if kind in (INTEGER, NUMBER):
        _read_range(form, option)
    if kind == CHANNEL and "channel_types" in form:
        option["channel_types"] = [value for _, value in form.items("channel_types", 16) if isinstance(value, int)]
    if kind in (STRING, INTEGER, NUMBER):
        _read_choices(form, option)
    return option


def _read_lengths(form: Form, option: Json) -> None:
    low, high = form.number("min_length", 0, MOST_STRING), form.number("max_length", 1, MOST_STRING)
    option |= {key: value for key, value in (("min_length", low), ("max_length", high)) if value is not None}
    if low is not None and high is not None and low > high:
        form.refuse("APPLICATION_COMMAND_OPTION_LENGTH_INVALID", "min_length must not exceed max_length", "min_length")


def _read_range(form: Form, option: Json) -> None:
    for key in ("min_value", "max_value"):
        is_whole = option["type"] == INTEGER
        value = form.number(key, -MAX_INTEGER, MAX_INTEGER) if is_whole else form.real(key)
        if value is not None:
            option[key] = value
    if option.get("min_value", -math.inf) > option.get("max_value", math.inf):
        sentence = "min_value must not exceed max_value"
        form.refuse("APPLICATION_COMMAND_OPTION_RANGE_INVALID", sentence, "min_value")


def _read_choices(form: Form, option: Json) -> None:
    option["autocomplete"] = form.flag("autocomplete")
    choices = read_choices(form, option["type"])
    if not choices:
        return
    if option["autocomplete"]:
        sentence = "Options with autocomplete cannot have choices"
        form.refuse("APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", sentence, "choices")
    if len({choice["name"] for choice in choices}) < len(choices):
        sentence = "Choice names must be unique"
        form.refuse("APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS", sentence, "choices")
    option["choices"] = choices


def read_choices(form: Form, kind: int) -> list[Json]:
    """Choices of an option of that type, as declared or as answered to autocompletion."""
    choices = []
    for each in form.forms("choices", MOST_CHOICES):
        name = each.text("name", 100, least=1, required=True) or ""
        choice: Json = {"name": name, "value": each.document.get("value")}
        if each.names("name_localizations"):
            choice["name_localizations"] = read_localizations(each, "name_localizations", 100)
        if not fits(choice["value"], kind):
            each.refuse(
                "APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_TYPE", "Choice values must be of the option's type", "value"
            )
        choices.append(choice)
    return choices


def fits(value: Any, kind: int) -> bool:
    """Whether a choice's value is of the option's type."""
    if isinstance(value, bool):
        return False
    match kind:
        case 3:
            return isinstance(value, str) and len(value) <= 100
        case 4:
            return isinstance(value, int) and abs(value) <= MAX_INTEGER
        case 10:
            return isinstance(value, int | float)
        case _:
            return False
