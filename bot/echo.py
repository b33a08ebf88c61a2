"""Members' words shown back: nothing in them can ping, link, hide, turn the line around or leave its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

ECHO_LENGTH = 300  # characters of a prompt that a message repeats, escapes included
MAX_MARKS = 3  # combining marks on one letter; more only climb into the neighbouring lines
JOINER = "\u200d"  # zero-width joiner, which holds emoji families together
NOTHING = "(no readable words)"
ELLIPSIS = "…"

# Each of these can begin markdown, a mention, a custom emoji, a link or an invitation; a backslash takes that away.
ESCAPED = frozenset("\\`*_~|<>[]:/#")


def plain(text: str, limit: int) -> str:
    """`text` on one line in at most `limit` characters, without control, bidirectional or invisible characters."""
    return _joined(_pieces(text), limit)


def echo(text: str, limit: int = ECHO_LENGTH) -> str:
    """`text` as Discord markdown that shows exactly these words, in at most `limit` characters of markdown."""
    return _joined((_escaped(piece) for piece in _pieces(text)), limit)


def fenced(text: str) -> str:
    """`text` for the inside of a code block: it cannot close the block, and keeps its lines."""
    lines = (_joined(_pieces(line), len(line) + 1, empty="") for line in text.splitlines())
    return "\n".join(lines).replace("``", "`\u200b`")


def _pieces(text: str) -> list[str]:
    """Characters that may be shown, runs of white space folded into one blank."""
    pieces: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category.startswith("Z") or character in "\t\n\r\x0b\x0c\x85":
            if pieces and pieces[-1] != " ":
                pieces.append(" ")
            continue
        if category.startswith("C") and not (character == JOINER and pieces and not pieces[-1].isascii()):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            pieces.append(character)
    return pieces


def _escaped(character: str) -> str:
    if character == "@":
        return "@\u200b"  # a blank without width: the words stay, @everyone does not
    return f"\\{character}" if character in ESCAPED else character


def _joined(pieces: Iterable[str], limit: int, empty: str = NOTHING) -> str:
    found = [*pieces]
    while found and found[-1] == " ":
        found.pop()
    if not found:
        return empty
    if sum(map(len, found)) <= limit:
        return "".join(found)
    shown: list[str] = []
    room = limit - len(ELLIPSIS)
    for piece in found:
        if len(piece) > room:
            break
        shown.append(piece)
        room -= len(piece)
    return "".join(shown).rstrip(" " + JOINER) + ELLIPSIS
