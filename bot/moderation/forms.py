"""The written forms of a term: its plural, -ed and -ing, each as runs of letters that a reading can be held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from bot.moderation.letters import AMBIGUOUS, UNSPACED
from bot.moderation.rules import Mode, Term

# Words that become another word's form when -ed or -ing is put on as it stands: striped is no form of strip.
_TAKES_NO_BARE_SUFFIX: Final = frozenset(
    """
    bar bas bath bid bit can cap car cas cod con cop crud cub cut dat din dim don dot dud fad far fat
    fin flam gag gal gam gap glad glar glob grad grav grim grip hat her hid hop hug jad jut kit lad lam
    lob lop lut mad man mat mod mop mut nod not nud pal pan par pat pin plan plat plum pol pop prim pro
    quit rag rap rat rid rip rob rod rot rul sag scar scop scrap shad sham shap shar shin sid sit slat
    slav slid slim slop snip spar spin spit stag star strip swip tam tap tar tim ton tot trad trip tub
    tun twin van vin vot wad wag war win wip writ
    """.split()  # noqa: SIM905 - words read best as text
)


@dataclass(frozen=True, slots=True)
class Form:
    """One spelling of a term as the automaton knows it."""

    term: Term
    key: str  # one character for every run; l and i are one class
    runs: tuple[str, ...]  # the letters of every run as the rule spells them
    left: bool  # must begin where a word begins
    right: bool  # must end where a word ends
    core: int  # letters of the rule's last word without the suffix
    suffix: str = ""
    locked: int = -1  # the run before -ed or -ing, where one letter more would be another word: raping, rapping
    glued: bool = False  # a phrase without its spaces, for readings that have none


def forms_of(term: Term) -> tuple[Form, ...]:
    """Every form of a term, shortest first, each once."""
    phrase = " ".join(term.words).replace(AMBIGUOUS, "i")
    head, _, last = phrase.rpartition(" ")
    found: dict[str, Form] = {}
    for literal, suffix in _spellings(last, whole=term.mode is Mode.WHOLE, plural_only=term.plural_only):
        text = f"{head} {literal}" if head else literal
        for spelling in dict.fromkeys((text, text.replace(" ", ""))):
            form = _form(term, spelling, len(last), suffix, glued=spelling != text)
            found.setdefault(spelling, form)
    return tuple(found.values())


def runs_of(text: str) -> tuple[str, ...]:
    """`text` cut where the letter changes; i and l count as one letter, digits stand alone."""
    pieces: list[str] = []
    for kind, letters in groupby(text, key=lambda letter: "i" if letter == "l" else letter):
        run = "".join(letters)
        pieces.extend(run if kind.isdigit() else (run,))
    return tuple(pieces)


def _form(term: Term, literal: str, core: int, suffix: str, *, glued: bool) -> Form:
    runs = runs_of(literal)
    ending = next((end for end in ("ing", "ed") if literal.endswith(end) and len(literal) > len(end) + 1), "")
    locked = len(runs_of(literal[: -len(ending)])) - 1 if ending else -1
    return Form(
        term=term,
        key="".join("i" if run[0] == "l" else run[0] for run in runs),
        runs=runs,
        left=term.mode not in (Mode.SUFFIX, Mode.SUBSTRING) and not UNSPACED.match(literal[0]),
        right=term.mode not in (Mode.PREFIX, Mode.SUBSTRING) and not UNSPACED.match(literal[-1]),
        core=core,
        suffix=suffix,
        locked=locked,
        glued=glued,
    )


def _spellings(word: str, *, whole: bool, plural_only: bool) -> Iterator[tuple[str, str]]:
    yield word, ""
    if not whole or not word.isascii() or not word.isalpha() or len(word) < 2:
        return
    yield word + "s", "s"
    ends_in_y = word[-1] == "y" and word[-2] not in "aeiou"
    if ends_in_y:
        yield word[:-1] + "ies", "s"
    elif word.endswith(("s", "x", "z", "ch", "sh", "o")):
        yield word + "es", "s"
    if len(word) < 3 or plural_only:
        return
    if ends_in_y:
        yield word[:-1] + "ied", "ed"
    if word[-1] == "e":
        yield word + "d", "ed"
        yield word[:-1] + "ing", "ing"
    if word[-2] in "aeiou" and word[-3] not in "aeiou" and word[-1] not in "aeiouwxy":
        yield word + word[-1] + "ed", "ed"
        yield word + word[-1] + "ing", "ing"
    if word not in _TAKES_NO_BARE_SUFFIX:
        yield word + "ed", "ed"
        yield word + "ing", "ing"
