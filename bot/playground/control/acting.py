"""What a person's client makes of names and values: the data of interactions, as Discord's own client builds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground.documents import Json
from bot.playground.rules.controls import SELECTS, Kind, walk

USERS_AND_THINGS = {6, 7, 8, 9, 11}  # options whose value is an id
ONE_VALUE = {Kind.TEXT_INPUT, Kind.RADIO_GROUP, Kind.CHECKBOX}


class NoSuchThingError(ValueError):
    """There is nothing of that name here; the sentence says what there is."""


def find_command(commands: list[Json], line: str) -> tuple[Json, list[str]]:
    """The command a line such as `filter add` begins with, and the subcommand names after it."""
    by_name = {command["name"]: command for command in commands}
    if line in by_name:
        return by_name[line], []
    name, *subcommands = line.split()
    if name not in by_name:
        raise NoSuchThingError(f"There is no command {line!r}; there are {sorted(by_name)}.")
    return by_name[name], subcommands


def command_data(command: Json, subcommands: list[str], values: Mapping[str, Any], *, focused: str = "") -> Json:
    """The data of a command interaction. `focused` names the option that is being typed, for autocompletion."""
    data: Json = {"id": command["id"], "name": command["name"], "type": command.get("type", 1)}
    if command.get("guild_id"):
        data["guild_id"] = command["guild_id"]
    return {**data, "options": _options(command, subcommands, values, focused)}


def _options(holder: Json, subcommands: list[str], values: Mapping[str, Any], focused: str) -> list[Json]:
    declared = {option["name"]: option for option in holder.get("options") or []}
    if subcommands:
        inner = _pick(declared, subcommands[0], "subcommand")
        options = _options(inner, subcommands[1:], values, focused)
        return [{"type": inner["type"], "name": inner["name"], "options": options}]
    chosen = []
    for name, value in values.items():
        option = _pick(declared, name, "option")
        plain = str(value) if option["type"] in USERS_AND_THINGS else value
        chosen.append({"type": option["type"], "name": name, "value": plain})
        if name == focused:
            chosen[-1]["focused"] = True
    return chosen


def find_component(components: list[Json], name: str) -> Json:
    """The component with this custom id, or else with this label, emoji or placeholder."""
    interactive = [component for component in walk(components) if component.get("custom_id")]
    for component in interactive:
        if component["custom_id"] == name:
            return component
    for component in interactive:
        if name in _visible_names(component):
            return component
    there = [_visible_names(component)[0] for component in interactive]
    raise NoSuchThingError(f"There is nothing called {name!r} on this message; there are {there}.")


def component_data(component: Json, values: list[str] | None = None) -> Json:
    """The data of a component interaction; values are of a select: option values, their labels, or ids."""
    if component.get("disabled"):
        raise NoSuchThingError(f"{_visible_names(component)[0]!r} is disabled.")
    data = {"custom_id": component["custom_id"], "component_type": component["type"]}
    if component["type"] == Kind.BUTTON:
        return data
    return {**data, "values": [_option_value(component, value) for value in values or []]}


def modal_data(modal: Json, values: Mapping[str, Any]) -> Json:
    """The data of a modal submit. Values go by custom id or label; what is not given keeps what the modal shows."""
    given = dict(values)
    submitted = [_submitted(component, given) for component in modal["components"]]
    if given:
        raise NoSuchThingError(f"The modal has no {sorted(given)}.")
    return {"custom_id": modal["custom_id"], "components": submitted}


def _submitted(component: Json, given: dict[str, Any]) -> Json:
    if component["type"] == Kind.LABEL:
        inner = component["component"]
        filled = _filled(inner, given, component.get("label", ""))
        return {"type": Kind.LABEL, "id": component.get("id", 0), "component": filled}
    if component["type"] == Kind.ACTION_ROW:
        inputs = [_filled(inner, given, inner.get("label", "")) for inner in component["components"]]
        return {"type": Kind.ACTION_ROW, "id": component.get("id", 0), "components": inputs}
    return {"type": component["type"], "id": component.get("id", 0)}


def _filled(component: Json, given: dict[str, Any], label: str) -> Json:
    value = given.pop(component["custom_id"], given.pop(label, None))
    if value is None:
        value = _shown(component)
    key = "value" if component["type"] in ONE_VALUE else "values"
    if component["type"] in SELECTS:
        value = [_option_value(component, each) for each in value]
    return {"type": component["type"], "id": component.get("id", 0), "custom_id": component["custom_id"], key: value}


def _shown(component: Json) -> Any:
    """What a component holds before anybody touches it."""
    defaults = [option["value"] for option in component.get("options", ()) if option.get("default")]
    match component["type"]:
        case Kind.TEXT_INPUT:
            return component.get("value") or ""
        case Kind.RADIO_GROUP:
            return defaults[0] if defaults else None
        case Kind.CHECKBOX:
            return bool(component.get("default"))
        case Kind.USER_SELECT | Kind.ROLE_SELECT | Kind.MENTIONABLE_SELECT | Kind.CHANNEL_SELECT:
            return [default["id"] for default in component.get("default_values", ())]
        case _:
            return defaults


def _option_value(component: Json, value: str) -> str:
    for option in component.get("options", ()):
        if value in (option["value"], option["label"]):
            return str(option["value"])
    if component["type"] == Kind.STRING_SELECT:
        raise NoSuchThingError(f"There is no option {value!r}; there are {[o['label'] for o in component['options']]}.")
    return value


def _visible_names(component: Json) -> list[str]:
    emoji = (component.get("emoji") or {}).get("name")
    names = (component.get("label"), emoji, component.get("placeholder"), component["custom_id"])
    return [name for name in names if name]


def _pick(declared: Mapping[str, Json], name: str, what: str) -> Json:
    if name not in declared:
        raise NoSuchThingError(f"There is no {what} {name!r}; there are {sorted(declared)}.")
    return declared[name]
