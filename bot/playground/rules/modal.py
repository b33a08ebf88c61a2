"""Modals: the limits of a form an application opens, and the form it is kept in."""

from __future__ import annotations

from collections.abc import Callable

from bot.playground.documents import Json
from bot.playground.rules.controls import SELECTS, Ids, Kind, check_span, compact, read_options, read_select
from bot.playground.rules.form import Form

MOST_TEXT = 4000


def read_modal(form: Form) -> Json:
    """Custom id, title and components, normalised."""
    ids = Ids()
    custom_id = form.text("custom_id", 100, least=1, required=True)
    title = form.text("title", 45, least=1, required=True)
    forms = form.forms("components", 5, least=1, required=True)
    components = [component for each in forms if (component := _read(each, ids)) is not None]
    ids.assign(components)
    return {"custom_id": custom_id, "title": title, "components": components}


def _read(form: Form, ids: Ids) -> Json | None:
    match form.choice("type", (Kind.ACTION_ROW, Kind.TEXT_DISPLAY, Kind.LABEL)):
        case Kind.ACTION_ROW:
            return _row(form, ids)
        case Kind.TEXT_DISPLAY:
            content = form.text("content", MOST_TEXT, least=1, required=True)
            return {"type": Kind.TEXT_DISPLAY, "id": ids.number(form), "content": content}
        case Kind.LABEL:
            return _label(form, ids)
        case _:
            return None


def _row(form: Form, ids: Ids) -> Json:
    row: Json = {"type": Kind.ACTION_ROW, "id": ids.number(form), "components": []}
    for each in form.forms("components", 1, least=1, required=True):
        if each.choice("type", (Kind.TEXT_INPUT,)) is not None:
            label = each.text("label", 45, least=1, required=True)
            row["components"].append({**_text_input(each, ids), "label": label})
    return row


def _label(form: Form, ids: Ids) -> Json:
    label: Json = {"type": Kind.LABEL, "id": ids.number(form), "label": form.text("label", 45, least=1, required=True)}
    label["description"] = form.text("description", 100)
    inner = form.form("component", required=True)
    kind = None if inner is None else inner.choice("type", {*_CONTROLS, *SELECTS})
    if inner is not None and kind is not None:
        is_select = kind in SELECTS
        control = read_select(inner, Kind(kind), ids, in_modal=True) if is_select else _CONTROLS[Kind(kind)](inner, ids)
        label["component"] = control
    return compact(label)


def _text_input(form: Form, ids: Ids) -> Json:
    low = form.number("min_length", 0, MOST_TEXT)
    high = form.number("max_length", 1, MOST_TEXT)
    if low is not None and high is not None and low > high:
        form.refuse("BASE_TYPE_BAD_LENGTH", "min_length must be less than or equal to max_length", "min_length")
    value = form.text("value", high or MOST_TEXT)
    if value and low and len(value) < low:
        form.refuse("BASE_TYPE_MIN_LENGTH", f"Must be {low} or more in length.", "value")
    text: Json = {"type": Kind.TEXT_INPUT, "id": ids.number(form), "custom_id": ids.custom(form)}
    text |= {"style": form.choice("style", (1, 2)), "min_length": low, "max_length": high, "value": value}
    text |= {"placeholder": form.text("placeholder", 100), "required": form.flag("required", default=True)}
    return compact(text)


def _file_upload(form: Form, ids: Ids) -> Json:
    return _with_values(form, ids, Kind.FILE_UPLOAD, 10)


def _checkbox_group(form: Form, ids: Ids) -> Json:
    group = _with_values(form, ids, Kind.CHECKBOX_GROUP, 10)
    options = read_options(form, 10)
    if "max_values" not in form:
        group["max_values"] = max(1, len(options))
    return {**group, "options": options}


def _with_values(form: Form, ids: Ids, kind: Kind, most: int) -> Json:
    low, high = form.number("min_values", 0, most), form.number("max_values", 1, most)
    group: Json = {"type": kind, "id": ids.number(form), "custom_id": ids.custom(form)}
    group |= {"min_values": 1 if low is None else low, "max_values": 1 if high is None else high}
    group["required"] = form.flag("required", default=True)
    if high is not None:
        check_span(form, group)
    return group


def _radio_group(form: Form, ids: Ids) -> Json:
    group: Json = {"type": Kind.RADIO_GROUP, "id": ids.number(form), "custom_id": ids.custom(form)}
    options = read_options(form, 10, least=2)
    if sum(option["default"] for option in options) > 1:
        form.refuse("RADIO_GROUP_MULTIPLE_DEFAULTS", "Only one option can be the default", "options")
    return {**group, "required": form.flag("required", default=True), "options": options}


def _checkbox(form: Form, ids: Ids) -> Json:
    box: Json = {"type": Kind.CHECKBOX, "id": ids.number(form), "custom_id": ids.custom(form)}
    return {**box, "default": form.flag("default")}


_CONTROLS: dict[Kind, Callable[[Form, Ids], Json]] = {
    Kind.TEXT_INPUT: _text_input,
    Kind.FILE_UPLOAD: _file_upload,
    Kind.RADIO_GROUP: _radio_group,
    Kind.CHECKBOX_GROUP: _checkbox_group,
    Kind.CHECKBOX: _checkbox,
}
