"""Application commands: their limits, and the form they are kept in."""

from __future__ import annotations

from bot.playground.documents import Json
from bot.playground.rules.form import Form
from bot.playground.rules.naming import read_localizations, read_name
from bot.playground.rules.option import read_options

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
MOST_CHARACTERS = 8000  # names, descriptions and values of a command and all its options together
MAX_PERMISSIONS = 2**63 - 1


def read_command(form: Form, *, is_global: bool, before: Json | None = None) -> Json:
    """A command, normalised. When one is edited, what the form does not name stays as in `before`."""
    old = before or {}
    kind = old.get("type") or form.choice("type", (CHAT_INPUT, USER, MESSAGE), required=False) or CHAT_INPUT
    command: Json = {"type": kind}
    command["name"] = old["name"] if before and "name" not in form else read_name(form, is_slash=kind == CHAT_INPUT)
    command["name_localizations"] = _kept(form, old, "name_localizations", 32)
    command["description"] = _description(form, old, kind)
    command["description_localizations"] = _kept(form, old, "description_localizations", 100)
    if form.names("options") or not before:
        options = read_options(form) if kind == CHAT_INPUT else []
        if kind != CHAT_INPUT and "options" in form:
            form.refuse("APPLICATION_COMMAND_INVALID_OPTIONS", "Context menu commands cannot have options", "options")
    else:
        options = old.get("options", [])
    if options:
        command["options"] = options
    if form.names("default_member_permissions") or not before:
        bits = form.number("default_member_permissions", 0, MAX_PERMISSIONS)
        command["default_member_permissions"] = None if bits is None else str(bits)
    else:
        command["default_member_permissions"] = old["default_member_permissions"]
    command["nsfw"] = form.flag("nsfw", default=old.get("nsfw", False))
    if is_global:
        command |= _reach(form, old)
    if _characters(command) > MOST_CHARACTERS:
        sentence = f"Command exceeds maximum size ({MOST_CHARACTERS})"
        form.refuse("APPLICATION_COMMAND_TOO_LARGE", sentence)
    return command


def _kept(form: Form, old: Json, key: str, most: int) -> Json | None:
    return read_localizations(form, key, most) if form.names(key) or not old else old.get(key)


def _description(form: Form, old: Json, kind: int) -> str:
    if kind != CHAT_INPUT:
        if form.document.get("description"):
            sentence = "Context menu commands cannot have description"
            form.refuse("APPLICATION_COMMAND_INVALID_DESCRIPTION", sentence, "description")
        return ""
    if old and "description" not in form:
        return str(old["description"])
    return form.text("description", 100, least=1, required=True) or ""


def _reach(form: Form, old: Json) -> Json:
    """Where a global command can be used; the server answers lists even when it was sent null."""
    reach: Json = {"contexts": old.get("contexts"), "integration_types": old.get("integration_types", [0])}
    for key, allowed in (("contexts", (0, 1, 2)), ("integration_types", (0, 1))):
        if key not in form:
            continue
        reach[key] = [value for _, value in form.items(key, 3)]
        for position, value in enumerate(reach[key]):
            if value not in allowed:
                form.refuse("BASE_TYPE_CHOICES", f"Value must be one of {allowed}.", key, position)
    asked = form.flag("dm_permission", default=old.get("dm_permission", True))
    if reach["contexts"] is None and not asked:
        reach["contexts"] = [0]
    return {**reach, "dm_permission": asked if reach["contexts"] is None else 1 in reach["contexts"]}


def _characters(node: Json) -> int:
    own = len(node.get("name", "")) + len(node.get("description", ""))
    own += sum(len(choice["name"]) + len(str(choice["value"])) for choice in node.get("choices", ()))
    return own + sum(map(_characters, node.get("options", ())))
