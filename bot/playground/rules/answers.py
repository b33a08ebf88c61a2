"""What a person may put into a command or a form: checked as Discord's own client does before it sends."""

from __future__ import annotations

import math
from typing import Any

from bot.playground.documents import Json
from bot.playground.resolving import Resolver, UnresolvableError
from bot.playground.rules.controls import SELECTS, Kind
from bot.playground.rules.option import (
    ATTACHMENT,
    BOOLEAN,
    CHANNEL,
    INTEGER,
    MAX_INTEGER,
    MENTIONABLE,
    MOST_STRING,
    ROLE,
    STRING,
    SUBCOMMAND,
    SUBCOMMAND_GROUP,
    USER,
)

_THINGS = {USER: "user", CHANNEL: "channel", ROLE: "role", MENTIONABLE: "mentionable", ATTACHMENT: "attachment"}
_SELECTED = {
    Kind.USER_SELECT: "user",
    Kind.ROLE_SELECT: "role",
    Kind.MENTIONABLE_SELECT: "mentionable",
    Kind.CHANNEL_SELECT: "channel",
}


class WrongAnswerError(ValueError):
    """What was given does not fit; the sentence is for the person."""


def check_options(declared: list[Json], given: Any, resolver: Resolver, *, typing: bool = False) -> list[Json]:
    """The options as the application gets them. While somebody is `typing` nothing is required and little checked.

    Raises `WrongAnswerError`.
    """
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise WrongAnswerError("The options are a list of objects.")
    by_name = {option["name"]: option for option in declared}
    names = [each.get("name") for each in given]
    if len(set(names)) < len(names) or not set(names) <= by_name.keys():
        raise WrongAnswerError("The command has no such options; it may have changed. Please type it again.")
    for option in declared:
        if option.get("required") and option["name"] not in names and not typing:
            raise WrongAnswerError(f"{option['name']}: this option is required.")
    nested = [option for option in declared if option["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP)]
    if nested and len(given) != 1:
        raise WrongAnswerError("Choose one of the subcommands.")
    return [_check_option(by_name[each["name"]], each, resolver, typing) for each in given]


def _check_option(option: Json, given: Json, resolver: Resolver, typing: bool) -> Json:
    kind, name = option["type"], option["name"]
    if kind in (SUBCOMMAND, SUBCOMMAND_GROUP):
        inner = check_options(option.get("options", []), given.get("options") or [], resolver, typing=typing)
        return {"type": kind, "name": name, "options": inner}
    checked: Json = {"type": kind, "name": name}
    if given.get("focused"):
        return {**checked, "value": str(given.get("value", "")), "focused": True}
    try:
        checked["value"] = _check_value(option, given.get("value"), resolver, typing)
    except (WrongAnswerError, UnresolvableError) as error:
        raise WrongAnswerError(f"{name}: {error}") from error
    return checked


def _check_value(option: Json, value: Any, resolver: Resolver, typing: bool) -> Any:
    kind = option["type"]
    if kind in _THINGS:
        resolver.add(_THINGS[kind], value)
        return str(value)
    if kind == BOOLEAN:
        if not isinstance(value, bool):
            raise WrongAnswerError("choose True or False.")
        return value
    if kind == STRING:
        _check_text(option, value)
    else:
        value = _check_number(option, value)
    choices = option.get("choices")
    if choices and not typing and value not in [choice["value"] for choice in choices]:
        raise WrongAnswerError("choose one of the listed values.")
    return value


def _check_text(option: Json, value: Any) -> None:
    if not isinstance(value, str):
        raise WrongAnswerError("this must be text.")
    low, high = option.get("min_length", 0), option.get("max_length", MOST_STRING)
    if not low <= len(value) <= high:
        raise WrongAnswerError(f"must be between {low} and {high} characters long; this is {len(value)}.")


def _check_number(option: Json, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise WrongAnswerError("this must be a number.")
    value: float = given
    if option["type"] == INTEGER:
        if value != int(value) or abs(value) > MAX_INTEGER:
            raise WrongAnswerError("this must be a whole number, not larger than 2^53.")
        value = int(value)
    low, high = float(option.get("min_value", -math.inf)), float(option.get("max_value", math.inf))
    if not low <= value <= high:
        raise WrongAnswerError(f"must be between {low:g} and {high:g}.")
    return value


def focused_option(options: list[Json]) -> Json | None:
    """The option that is being typed, wherever it is."""
    for option in options:
        if option.get("focused"):
            return option
        if found := focused_option(option.get("options", [])):
            return found
    return None


def find_declared(declared: list[Json], given: list[Json]) -> Json | None:
    """The declaration of the focused option."""
    for option in given:
        match = next((each for each in declared if each["name"] == option["name"]), None)
        if match is None:
            return None
        if option.get("focused"):
            return match
        if (found := find_declared(match.get("options", []), option.get("options", []))) is not None:
            return found
    return None


def check_selected(component: Json, values: Any, resolver: Resolver) -> list[str]:
    """The values chosen in a select. Raises `WrongAnswerError` or `UnresolvableError`."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise WrongAnswerError("The values are a list of strings.")
    low, high = component.get("min_values", 1), component.get("max_values", 1)
    if not component.get("required", True) and not values:
        low = 0
    if not low <= len(values) <= high or len(set(values)) < len(values):
        raise WrongAnswerError(f"Choose {low}." if low == high else f"Choose between {low} and {high}.")
    kind = Kind(component["type"])
    if kind in _SELECTED:
        resolver.add_all(_SELECTED[kind], values)
    elif kind is Kind.FILE_UPLOAD:
        resolver.add_all("attachment", values)
    elif not set(values) <= {option["value"] for option in component["options"]}:
        raise WrongAnswerError("Choose from the listed values.")
    return values


def check_form(form: Json, submitted: Any, resolver: Resolver) -> list[Json]:
    """The components of a filled-in modal as the application gets them. Raises `WrongAnswerError`."""
    if not isinstance(submitted, list) or len(submitted) != len(form["components"]):
        raise WrongAnswerError("The form has changed; please open it again.")
    return [_check_part(part, given, resolver) for part, given in zip(form["components"], submitted, strict=True)]


def _check_part(part: Json, given: Any, resolver: Resolver) -> Json:
    given = given if isinstance(given, dict) else {}
    filled: Json = {"type": part["type"], "id": part["id"]}
    if part["type"] == Kind.TEXT_DISPLAY:
        return filled
    is_label = part["type"] == Kind.LABEL
    inner = part["component"] if is_label else part["components"][0]
    answer = given.get("component") if is_label else (given.get("components") or [None])[0]
    answer = answer if isinstance(answer, dict) else {}
    name = part["label"] if is_label else inner.get("label", "")
    try:
        checked = {"type": inner["type"], "id": inner["id"], "custom_id": inner["custom_id"]}
        checked |= _check_control(inner, answer, resolver)
    except (WrongAnswerError, UnresolvableError) as error:
        raise WrongAnswerError(f"{name}: {error}") from error
    return filled | ({"component": checked} if is_label else {"components": [checked]})


def _check_control(control: Json, answer: Json, resolver: Resolver) -> Json:
    kind = Kind(control["type"])
    if kind is Kind.TEXT_INPUT:
        return {"value": _check_written(control, answer.get("value") or "")}
    if kind is Kind.CHECKBOX:
        return {"value": bool(answer.get("value"))}
    if kind is Kind.RADIO_GROUP:
        value = answer.get("value")
        if value is None and not control["required"]:
            return {"value": None}
        if value not in [option["value"] for option in control["options"]]:
            raise WrongAnswerError("Choose one.")
        return {"value": value}
    assert kind in SELECTS or kind in (Kind.FILE_UPLOAD, Kind.CHECKBOX_GROUP), kind
    return {"values": check_selected(control, answer.get("values") or [], resolver)}


def _check_written(control: Json, value: Any) -> str:
    low, high = control.get("min_length") or 0, control.get("max_length") or 4000
    if not isinstance(value, str):
        raise WrongAnswerError("This must be text.")
    if not value and not control["required"]:
        return value
    if not max(low, 1) <= len(value) <= high:
        raise WrongAnswerError(f"Write between {max(low, 1)} and {high} characters; this is {len(value)}.")
    return value
