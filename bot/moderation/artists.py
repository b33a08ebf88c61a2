"""People who asked not to be imitated: which writings of a name count, as rules of the same filter engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.moderation.letters import LOOKS, UNSPACED
from bot.moderation.rules import Mode, Rule, RuleError

Words = tuple[str, ...]  # in plain letters

LONGEST_NAME: Final = 60  # characters
SURNAME_TOO: Final = "surname:"
"""Stands before a name whose last word alone is meant too, in lists and in files."""


@dataclass(frozen=True, slots=True, order=True)
class Artist:
    """Somebody who asked not to be imitated."""

    name: str  # as they write it
    surname: bool = False  # the last word of the name alone is meant too

    @property
    def shown(self) -> str:
        """The artist as a line of a list."""
        return f"{SURNAME_TOO} {self.name}" if self.surname else self.name


def parse_artist(line: str) -> Artist | None:
    """One line of a list, None for an empty line or a comment; raises RuleError with a sentence."""
    text = line.lstrip("\ufeff").split("#", 1)[0].strip()
    surname = text.casefold().startswith(SURNAME_TOO)
    name = " ".join(text[len(SURNAME_TOO) :].split() if surname else text.split())
    if not name:
        if surname:
            raise RuleError("There is no name after surname:; write it as in surname: Jane Doe.")
        return None
    if len(name) > LONGEST_NAME:
        raise RuleError(f"A name has at most {LONGEST_NAME} characters; this one has {len(name)}.")
    artist = Artist(name, surname)
    if not any(len(word) > 1 or UNSPACED.match(word) for word in _flat(_tokens(name, ""))):
        raise RuleError("There is no name in this; write it as in Jane Doe.")
    return artist


def artist_rules(artists: Iterable[Artist]) -> Iterator[Rule]:
    """A rule for every writing of every name; the text of each is the name as its bearer writes it."""
    for artist in artists:
        for tokens in (_tokens(artist.name, "-"), _tokens(artist.name, "")):
            for mode, words in _writings(tokens, surname=artist.surname):
                yield Rule(artist.name, mode, words)


def _writings(tokens: list[Words], *, surname: bool) -> Iterator[tuple[Mode, Words]]:
    """Of Jane Q. Doe: also Jane Doe, Doe Jane, janedoe, J. Doe and J. Q. Doe."""
    yield Mode.NAME, _flat(tokens)
    if len(tokens) < 2:
        return
    first, *_, last = tokens
    for shape in (tokens, [first, last]):
        yield Mode.NAME, _flat(shape)
        yield Mode.NAME, ("".join(_flat(shape)),)  # as files are called
    yield Mode.NAME, _flat([last, *tokens[:-1]])
    yield Mode.NAME, _flat([last, first])
    if len("".join(last)) > 1:
        yield Mode.INITIAL, (first[0][0], *last)
        yield Mode.INITIAL, (*(token[0][0] for token in tokens[:-1]), *last)
        if surname:
            yield Mode.NAME, last


def _tokens(name: str, apostrophe: str) -> list[Words]:
    """The parts of a name in plain letters; O'Hara is read as O Hara and as OHara, Rose-Miller is one part."""
    folded = "".join(map(LOOKS.__getitem__, name)).replace("'", apostrophe)
    parts = ["".join(character if character.isalnum() else " " for character in part) for part in folded.split()]
    return [tuple(part.split()) for part in parts if part.strip()]


def _flat(tokens: Iterable[Words]) -> Words:
    return tuple(word for token in tokens for word in token)
