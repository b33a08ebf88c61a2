"""Buttons, selects and the other things one can operate, shared by messages and modals."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import IntEnum

from bot.playground.documents import Json
from bot.playground.rules.form import Form


class Kind(IntEnum):
    """Component types by their numbers."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS = frozenset(
    {Kind.STRING_SELECT, Kind.USER_SELECT, Kind.ROLE_SELECT, Kind.MENTIONABLE_SELECT, Kind.CHANNEL_SELECT}
)
MAX_COMPONENT_ID = 2**31 - 1
LINK, PREMIUM = 5, 6
_DEFAULTS = {
    Kind.USER_SELECT: {"user"},
    Kind.ROLE_SELECT: {"role"},
    Kind.MENTIONABLE_SELECT: {"user", "role"},
    Kind.CHANNEL_SELECT: {"channel"},
}


class Ids:
    """Keeps custom ids and component ids of one message or modal apart from each other."""

    def __init__(self) -> None:
        self._custom: set[str] = set()
        self._numbers: set[int] = set()
        self.count = 0

    def custom(self, form: Form) -> str | None:
        """The custom id of a component, which no other may have."""
        custom_id = form.text("custom_id", 100, least=1, required=True)
        if custom_id is not None and custom_id in self._custom:
            form.refuse("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated", "custom_id")
        elif custom_id is not None:
            self._custom.add(custom_id)
        return custom_id

    def number(self, form: Form) -> int:
        """The component's own number; 0 where the client leaves it to the server."""
        self.count += 1
        number = form.number("id", 0, MAX_COMPONENT_ID) or 0
        if number and number in self._numbers:
            form.refuse("COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated", "id")
        self._numbers.add(number)
        return number

    def assign(self, components: Iterable[Json]) -> None:
        """Gives every component without a number the next free one."""
        free = 1
        for component in walk(components):
            if not component["id"]:
                while free in self._numbers:
                    free += 1
                component["id"] = free
                self._numbers.add(free)


def walk(components: Iterable[Json]) -> Iterable[Json]:
    """Every component in the order it is shown, those inside others too."""
    for component in components:
        yield component
        yield from walk(component.get("components", ()))
        yield from walk(component[key] for key in ("component", "accessory") if key in component)


def compact(component: Json) -> Json:
    """The component without what was not said."""
    return {key: value for key, value in component.items() if value is not None}


def read_button(form: Form, ids: Ids) -> Json:
    """A button, normalised."""
    style = form.choice("style", range(1, 7)) or 1
    label, emoji = form.text("label", 80), read_emoji(form)
    button: Json = {"type": Kind.BUTTON, "id": ids.number(form), "style": style, "label": label or None}
    button |= {"disabled": form.flag("disabled"), "emoji": emoji}
    if style == LINK:
        button["url"] = _link(form)
    elif style == PREMIUM:
        button["sku_id"] = None if (sku := form.id("sku_id", required=True)) is None else str(sku)
        return compact(button)
    else:
        if "url" in form:
            form.refuse("BUTTON_COMPONENT_URL_NOT_ALLOWED", "A url cannot be specified for this style", "url")
        button["custom_id"] = ids.custom(form)
    if not label and emoji is None:
        form.refuse("BUTTON_COMPONENT_INVALID_EMOJI", "A button must have a label or an emoji", "label")
    return compact(button)


def _link(form: Form) -> str | None:
    if "custom_id" in form:
        sentence = "A custom id and url cannot both be specified"
        form.refuse("BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", sentence, "custom_id")
    url = form.url("url", schemes=("http", "https", "discord"), required=True)
    if url is not None and len(url) > 512:
        form.refuse("BASE_TYPE_MAX_LENGTH", "Must be 512 or fewer in length.", "url")
    return url


def read_emoji(form: Form) -> Json | None:
    """An emoji as a component shows it; unknown names of standard emoji are refused."""
    inner = form.form("emoji")
    if inner is None or not inner.document:
        return None
    emoji_id, name = inner.id("id"), inner.text("name", 64)
    if emoji_id is not None:
        return {"id": str(emoji_id), "name": name or "_", "animated": inner.flag("animated")}
    if not name:
        return None
    if not is_emoji(name):
        inner.refuse("BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji", "name")
    return {"name": name}


def is_emoji(name: str) -> bool:
    """Whether it looks like a standard emoji; the list of them is not kept here."""
    kinds = {unicodedata.category(sign) for sign in name}
    return len(name) <= 32 and ("\u20e3" in name or bool(kinds & {"So", "Sk", "Sm", "Cn"}))


def read_select(form: Form, kind: Kind, ids: Ids, *, in_modal: bool = False) -> Json:
    """Any of the five selects, normalised."""
    select: Json = {"type": kind, "id": ids.number(form), "custom_id": ids.custom(form)}
    select["placeholder"] = form.text("placeholder", 150) or None
    low = form.number("min_values", 0, 25)
    high = form.number("max_values", 1, 25)
    select["min_values"], select["max_values"] = 1 if low is None else low, 1 if high is None else high
    check_span(form, select)
    if in_modal:
        select["required"] = form.flag("required", default=True)
    select["disabled"] = form.flag("disabled")
    if in_modal and select["disabled"]:
        form.refuse("COMPONENT_DISABLED_IN_MODAL", "A component cannot be disabled in a modal", "disabled")
    if kind is Kind.STRING_SELECT:
        select["options"] = read_options(form, 25)
        if len(select["options"]) < select["min_values"]:
            form.refuse("BASE_TYPE_MIN_LENGTH", "There are fewer options than min_values", "options")
    else:
        select["default_values"] = _defaults(form, kind) or None
    if kind is Kind.CHANNEL_SELECT and "channel_types" in form:
        select["channel_types"] = [value for _, value in form.items("channel_types", 16) if isinstance(value, int)]
    return compact(select)


def check_span(form: Form, component: Json) -> None:
    """The smallest number of values must not exceed the largest."""
    if component["min_values"] > component["max_values"]:
        form.refuse("BASE_TYPE_BAD_LENGTH", "min_values must be less than or equal to max_values", "min_values")


def read_options(form: Form, most: int, *, least: int = 1) -> list[Json]:
    """The options of a select, a radio group or a checkbox group; their values differ."""
    options, seen = [], set()
    for each in form.forms("options", most, least=least, required=True):
        value = each.text("value", 100, least=1, required=True)
        if value in seen:
            each.refuse(
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used", "value"
            )
        seen.add(value)
        label = each.text("label", 100, least=1, required=True)
        option = {"label": label, "value": value, "description": each.text("description", 100) or None}
        options.append(compact({**option, "emoji": read_emoji(each), "default": each.flag("default")}))
    return options


def _defaults(form: Form, kind: Kind) -> list[Json]:
    defaults = []
    for each in form.forms("default_values", 25):
        value, what = each.id("id", required=True), each.text("type", 16, required=True)
        if what is not None and what not in _DEFAULTS[kind]:
            each.refuse("BASE_TYPE_CHOICES", f"Value must be one of {sorted(_DEFAULTS[kind])}.", "type")
        defaults.append({"id": str(value), "type": what})
    return defaults
