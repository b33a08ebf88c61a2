"""What one character looks like, and what it sounds like, in plain ASCII letters."""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Callable
from importlib import resources
from typing import Final

from anyascii import anyascii

AMBIGUOUS: Final = "ǀ"
"""Stands for a letter that may be read as i or as l; it folds to itself."""

BIDI_CONTROLS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""The twelve characters with Unicode's Bidi_Control property."""

UNSPACED: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""A letter of a script written without spaces (Thai, Lao, Burmese, Khmer, kana, Han): no word boundary to ask for."""

# One character may fold to a whole sentence (U+FDFA: 18 letters); four keep every text within four times its length.
LONGEST_FOLD: Final = 4
LONGEST_SOUND: Final = 6

_SPACES = frozenset("\t\n\v\f\r\u0085")
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_NAMED_LETTER = re.compile(
    r"(?:LATIN (?:CAPITAL |SMALL )?LETTER (?:(?:SMALL CAPITAL|TURNED|REVERSED|INSULAR|SCRIPT|BLACKLETTER|DOTLESS|LONG"
    r"|OPEN|CLOSED|SIDEWAYS|HALF|BARRED) )*|REGIONAL INDICATOR SYMBOL LETTER )([A-Z])(?: WITH .*)?$"
)

# Looks that Unicode's confusables table leaves out, or gives as a digit, but that people do use to write Latin words.
_LOOKS: Final = {
    "æ": "ae", "œ": "oe", "ß": "ss", "ð": "d", "þ": "p", "ə": "e", "ɛ": "e", "ɔ": "o", "ʃ": "s", "ŋ": "n", "ʒ": "3",
    "ɑ": "a", "ʊ": "u", "ɩ": "i", "ʋ": "v", "ɣ": "y", "ı": "i",
    "α": "a", "β": "b", "γ": "y", "δ": "d", "ε": "e", "ζ": "z", "η": "n", "θ": "o", "ι": "i", "κ": "k", "λ": "a",
    "μ": "u", "ξ": "e", "π": "n", "σ": "o", "ς": "s", "τ": "t", "φ": "o", "χ": "x", "ω": "w",
    "Σ": "e", "Λ": "a", "Δ": "a", "Π": "n", "Ω": "o", "Ξ": "e", "Γ": "r", "Θ": "o", "Φ": "o",
    "б": "b", "в": "b", "г": "r", "д": "d", "є": "e", "з": "3", "и": "u", "й": "u", "к": "k", "л": "n", "м": "m",
    "н": "h", "п": "n", "т": "t", "ц": "u", "ч": "4", "ш": "w", "щ": "w", "ъ": "b", "ы": "bi", "ь": "b", "э": "e",
    "ю": "io", "я": "r", "ф": "o", "ж": "x", "ђ": "h", "ћ": "h", "џ": "u", "љ": "nb", "њ": "hb", "ѕ": "s", "ө": "o",
    "ә": "e", "ғ": "f", "қ": "k", "ң": "h", "ҳ": "x", "ҷ": "4", "ӏ": AMBIGUOUS, "ѳ": "o",
    "յ": "j", "օ": "o", "ր": "n", "ղ": "n", "ն": "u", "կ": "u", "մ": "u", "վ": "u", "լ": "l", "ի": "h", "է": "t",
    "տ": "s", "ւ": AMBIGUOUS, "ե": "t", "պ": "w", "դ": "n",
    "’": "'", "‘": "'", "ʹ": "'", "ʻ": "'", "ʼ": "'", "ʽ": "'", "ʾ": "'", "ʿ": "'", "ˈ": "'", "ˊ": "'", "ˋ": "'",
}  # fmt: skip


class Letters(dict[str, str]):
    """A fold of single characters, worked out the first time each is met."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, character: str) -> str:
        folded = self[character] = self._fold(character)
        return folded


def _looks_like(character: str) -> str:
    """The ASCII reading of one visible, non-ASCII character, or the character itself in lower case."""
    name = unicodedata.name(character, "")
    if found := _NAMED_LETTER.search(name):
        return found[1].lower()
    if known := _LOOKS.get(character):
        return known
    if name.startswith(("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HANGUL", "HALFWIDTH HANGUL")):
        composed = unicodedata.normalize("NFKC", character)
        return "".join(part for part in composed if unicodedata.category(part) != "Mn")
    parts = unicodedata.normalize("NFKD", character)
    if parts != character:
        return "".join(LOOKS[part] for part in parts.strip("()") or parts)[:LONGEST_FOLD]
    if twin := _confusables().get(character):
        return twin if character.isalpha() or twin != AMBIGUOUS else "|"
    lowered = character.lower()
    return "".join(LOOKS[part] for part in lowered)[:LONGEST_FOLD] if lowered != character else character


def _fold(character: str) -> str:
    if character.isascii():
        return " " if character in _SPACES else character.lower() if character.isprintable() else ""
    if character == AMBIGUOUS:
        return character
    category = unicodedata.category(character)
    if category[0] == "Z" or character in _SPACES:
        return " "
    # Controls, formats (zero-width, tags), combining marks, unassigned and private characters leave no trace.
    if category[0] == "C" or category in ("Mn", "Me") or character in _INVISIBLE:
        return ""
    return _looks_like(character)


def _sounds_like(character: str) -> str:
    if character.isascii() or not character.isalpha() or "LATIN" in unicodedata.name(character, ""):
        return LOOKS[character]
    sound = "".join(filter(str.isalnum, anyascii(character).lower()))
    return sound[:LONGEST_SOUND] or LOOKS[character]


@functools.cache
def _confusables() -> dict[str, str]:
    """Unicode's confusables (TR39) as the package ships them, non-ASCII to ASCII letters and digits only."""
    source = resources.files("confusable_homoglyphs").joinpath("confusables.json").read_text(encoding="utf-8")
    twins: dict[str, str] = {}
    for character, entries in json.loads(source).items():
        if len(character) != 1 or character.isascii():
            continue
        found = sorted({entry["c"] for entry in entries if entry["c"].isascii()})
        letters = [text for text in found if text.isalnum() and len(text) <= LONGEST_FOLD]
        if any(text in "lI1|" for text in found):
            twins[character] = AMBIGUOUS
        elif letters:
            twins[character] = letters[0].lower()
    return twins


def prepare() -> None:
    """Load the table of look-alikes now (some 20 ms), so that no member's prompt has to wait for it."""
    _confusables()


LOOKS: Final = Letters(_fold)
SOUNDS: Final = Letters(_sounds_like)
