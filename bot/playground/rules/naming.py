"""Names of commands and options, and their translations."""

from __future__ import annotations

import unicodedata

from bot.playground.documents import Json
from bot.playground.rules.form import Form

_CODES = """
    ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk vi
    zh-CN zh-TW
"""
LOCALES = frozenset(_CODES.split())
_MARKED_SCRIPTS = ((0x0900, 0x097F), (0xA8E0, 0xA8FF), (0x0E01, 0x0E7F))  # Devanagari and Thai, marks included


def read_name(form: Form, *, is_slash: bool = True) -> str:
    """A name of a command or option. Slash commands are lower case and without spaces."""
    name = form.text("name", 32, least=1, required=True) or ""
    if is_slash and 0 < len(name) <= 32 and (not all(map(_is_allowed, name)) or name != name.lower()):
        form.refuse("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid", "name")
    return name


def read_localizations(form: Form, key: str, most: int) -> Json | None:
    """Names or descriptions by locale."""
    inner = form.form(key)
    if inner is None:
        return None
    for locale in inner.document:
        if locale not in LOCALES:
            inner.refuse("APPLICATION_COMMAND_INVALID_LOCALE", f"{locale} is not a known locale", locale)
        else:
            inner.text(locale, most, least=1)
    return dict(inner.document)


def _is_allowed(sign: str) -> bool:
    is_marked = any(low <= ord(sign) <= high for low, high in _MARKED_SCRIPTS)
    return sign in "-_'" or unicodedata.category(sign)[0] in "LN" or is_marked
