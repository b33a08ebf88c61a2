"""The ways of reading a prompt: each a plain string for the automaton, with the way back to the original text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Final

from bot.moderation.letters import AMBIGUOUS, LOOKS, SOUNDS, UNSPACED, Letters
from bot.moderation.verdict import Reading

SEPARATOR: Final = "\x01"
"""Stands in a text's classes where no letter, digit or space is; folding leaves no control character of its own."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_TO_SPACES = dict.fromkeys(map(ord, "\t\n\v\f\r"), " ")
# Every count is bounded: an open \d+ or \s* here would make a hostile prompt quadratic.
_WEIGHT = re.compile(r":\s{0,3}[+-]?\d{0,4}\.?\d{1,6}\s{0,3}(?=[)\]}>])|(?<=[)\]}])[+-]?\d{0,3}\.\d{1,4}")
_NATURAL_APOSTROPHE = re.compile(
    r"(?<=[^\W\d_])'(?=(?:s|t|d|m|re|ll|ve|em|n|til|cause)\b)|(?<=\b[dlojcnmts])'(?=[^\W\d_])"
)
_REPEATED = re.compile(r"([^0-9])(?=\1)")
_INSIDE_WORD = re.compile(r"[^\x01 ]\x01+[^\x01 ]")
_ALONE = re.compile(r"(?<!\S)\S(?: \S){2,}(?!\S)")
_TAGS = re.compile("[\U000e0020-\U000e007e]")
_CAMEL = re.compile(r"[a-z][A-Z]")


class _Classes(dict[int, str]):
    """A translation table: letters stay (l and i are one class), the rest is a separator unless `symbols` knows it."""

    def __init__(self, symbols: dict[str, str]) -> None:
        super().__init__({ord("l"): "i", ord(AMBIGUOUS): "i"} | {ord(key): value for key, value in symbols.items()})

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = self[code] = character if character.isalnum() else " " if character.isspace() else SEPARATOR
        return kind


_DIGITS = {"0": "o", "1": "i", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"}
_SURE = _DIGITS | {"@": "a", "$": "s", "€": "e", "£": "i", "¢": "c"}
_BOLD = _SURE | {"!": "i", "|": "i", "+": "t", "¡": "i"}
_PLAIN = _Classes({})
_ANY_LEET = re.compile(r"[0-9@$€£¢!|+¡]")
# Each table with what must be in the text to make its reading worth while. "!", "|" and "+" are punctuation in one
# reading and letters in the next; 6, 7 and 9 stand for two letters each.
_LEET = (
    (_Classes(_SURE), re.compile(r"[^\W\d_][0-9@$€£¢]|[0-9@$€£¢][^\W\d_]|\d{5}"), re.compile(r"[0-9@$€£¢]")),
    (_Classes(_BOLD), re.compile(r"[\w@$€£¢][!|+¡]|[!|+¡][\w@$€£¢]"), re.compile(r"[!|+¡]")),
    (_Classes(_BOLD | {"6": "b", "7": "i", "9": "q"}), re.compile(r"[^\W\d_][679]|[679][^\W\d_]"), None),
)


class Page:
    """A text folded to plain letters, cell by cell, where every cell knows its place in the original."""

    __slots__ = ("_origin", "camel", "cells", "marked", "original", "plain")

    def __init__(self, original: str, letters: Letters, hidden: list[int] | None = None) -> None:
        self.original = original
        self._origin: list[int] | None = None
        if hidden is not None:
            self.cells = "".join(chr(ord(original[place]) - 0xE0000).lower() for place in hidden)
            self._origin = hidden
        elif original.isascii() and not _CONTROL.search(original):
            self.cells = original.lower().translate(_TO_SPACES)
        else:
            folds = [letters[character] for character in original]
            self.cells = "".join(folds)
            if len(self.cells) != len(original) or "" in folds:
                self._origin = [place for place, fold in enumerate(folds) for _ in fold]
        self.marked = self.cells
        if ":" in self.marked or "." in self.marked:
            self.marked = _WEIGHT.sub(lambda found: SEPARATOR * len(found[0]), self.marked)
        if "'" in self.marked:
            self.marked = _NATURAL_APOSTROPHE.sub(" ", self.marked)
        self.plain = self.marked.translate(_PLAIN)
        self.camel = _CAMEL.search(original) is not None

    def place(self, cell: int) -> int:
        """Where in the original the character of `cell` stands."""
        return cell if self._origin is None else self._origin[cell]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original from cell `start` to before cell `end`."""
        return self.place(start), self.place(end - 1) + 1

    def starts_word(self, cell: int) -> bool:
        """Whether a word may begin at `cell`."""
        if cell == 0:
            return True
        before = self.plain[cell - 1]
        if before == " " or before == SEPARATOR or UNSPACED.match(before):
            return True
        if before.isdigit() and not self.plain[cell].isdigit():
            head = self.plain[max(0, cell - 9) : cell].rstrip("0123456789")
            return not head or not head[-1].isalnum()
        return self.camel and self._turns(cell) and self.original[self.place(cell) + 1 : self.place(cell) + 2].islower()

    def ends_word(self, cell: int) -> bool:
        """Whether a word may end just before `cell`: a number or a version such as _v2 may follow."""
        if cell >= len(self.plain):
            return True
        after = self.plain[cell]
        if after == " " or after == SEPARATOR or UNSPACED.match(after):
            return True
        if (after.isdigit() and not self.plain[cell - 1].isdigit()) or (
            after == "v" and self.plain[cell + 1 : cell + 2].isdigit()
        ):
            tail = self.plain[cell + 1 : cell + 9].lstrip("0123456789")
            return not tail or not tail[0].isalnum()
        return self.camel and self._turns(cell)

    def _turns(self, cell: int) -> bool:
        place = self.place(cell)
        return place > 0 and self.original[place].isupper() and self.original[place - 1].islower()

    def looks_ambiguous(self, cell: int) -> bool:
        """Whether the i in `cell` was written as a capital I beside small letters, where it may be an l."""
        place = self.place(cell)
        if self.original[place] != "I":
            return False
        return any(character.islower() for character in self.original[max(0, place - 1) : place + 2])


class View:
    """One reading of a page: `text` has runs of the same letter as one character; `runs` leads back to the cells."""

    __slots__ = ("_runs", "classes", "joined", "leet", "page", "reading", "text")

    def __init__(self, page: Page, classes: str, *, joined: bool, leet: bool, reading: Reading) -> None:
        self.page, self.classes, self.joined, self.leet, self.reading = page, classes, joined, leet, reading
        self.text = _REPEATED.sub("", classes.replace(SEPARATOR, "" if joined else " "))
        self._runs: tuple[list[int], list[int]] | None = None

    @property
    def runs(self) -> tuple[list[int], list[int]]:
        """First cell and end cell of every character of `text`."""
        if self._runs is None:
            self._runs = self._trace()
        return self._runs

    def _trace(self) -> tuple[list[int], list[int]]:
        starts: list[int] = []
        ends: list[int] = []
        last = ""
        for cell, kind in enumerate(self.classes):
            if kind == SEPARATOR:
                if self.joined:
                    continue
                kind = " "
            if kind == last and not "0" <= kind <= "9":
                ends[-1] = cell + 1
            else:
                starts.append(cell)
                ends.append(cell + 1)
                last = kind
        return starts, ends

    def cells(self, index: int, most: int = 64) -> list[int]:
        """The cells of the letters behind one character of `text`, at most `most` of them."""
        starts, ends = self.runs
        first, end = starts[index], min(ends[index], starts[index] + 4 * most)
        return [cell for cell in range(first, end) if self.classes[cell] not in " \x01"][:most]

    def letters(self, cells: list[int]) -> str:
        """What stands in the cells; a capital I that may be an l is marked."""
        page = self.page
        return "".join(
            AMBIGUOUS if page.cells[cell] == "i" and page.looks_ambiguous(cell) else page.cells[cell] for cell in cells
        )

    def starts_word(self, index: int, cell: int) -> bool:
        """Whether a word may begin at `cell`, a cell of character `index`."""
        return self.page.starts_word(cell)

    def ends_word(self, index: int, cell: int) -> bool:
        """Whether a word may end with character `index`, just before `cell`."""
        return self.page.ends_word(cell)


class Spaced(View):
    """Letters that stood alone, put together; a gap wider than its neighbours is a space."""

    __slots__ = ()

    def __init__(self, source: View) -> None:
        self.page, self.classes, self.leet = source.page, source.classes, source.leet
        self.joined, self.reading = True, Reading.SPACED
        self._runs = ([], [])
        words: list[str] = []
        for found in _ALONE.finditer(source.text):
            tokens = range(found.start(), found.end(), 2)
            words += self._read(source, tokens)
            # "a n a k e d" is an article and a word.
            if source.text[tokens[0]] in "ai" and len(tokens) > 3:
                words += self._read(source, tokens[1:])
        self.text = "".join(words)

    def _read(self, source: View, tokens: range) -> list[str]:
        """The run by its gaps and, where these differ, also as a single word: an invisible letter may widen a gap."""
        starts, ends = source.runs
        gaps = [source.page.cells[ends[left] : starts[left + 2]] for left in tokens[:-1]]
        shapes = [(" " in gap, len(gap)) for gap in gaps]
        usual = Counter(shapes).most_common(1)[0][0]
        wide = [shape > usual for shape in shapes]
        words = [self._word(source, tokens, wide)]
        if any(wide):
            words.append(self._word(source, tokens, [False] * len(wide)))
        return words

    def _word(self, source: View, tokens: range, wide: list[bool]) -> str:
        starts, ends = source.runs
        pieces: list[tuple[str, int, int]] = []
        for token, is_wide in zip(tokens, [*wide, True], strict=True):
            letter = source.text[token]
            if pieces and pieces[-1][0] == letter and not letter.isdigit():
                pieces[-1] = (letter, pieces[-1][1], ends[token])
            else:
                pieces.append((letter, starts[token], ends[token]))
            if is_wide:
                pieces.append((" ", ends[token], ends[token]))
        self.runs[0].extend(piece[1] for piece in pieces)
        self.runs[1].extend(piece[2] for piece in pieces)
        return "".join(piece[0] for piece in pieces)

    def starts_word(self, index: int, cell: int) -> bool:
        """Whether character `index` begins a word: here only spaces and the ends of a run bound one."""
        return index == 0 or self.text[index - 1] == " "

    def ends_word(self, index: int, cell: int) -> bool:
        """Whether character `index` ends a word."""
        return self.text[index + 1 : index + 2] in ("", " ")


def pages(text: str) -> Iterator[tuple[Page, Reading | None]]:
    """The text by its looks, then by its sound and by what its tag characters hide, where that is something else."""
    looks = Page(text, LOOKS)
    yield looks, None
    if text.isascii():
        return
    sounds = Page(text, SOUNDS)
    if sounds.cells != looks.cells:
        yield sounds, Reading.PHONETIC
    if hidden := [found.start() for found in _TAGS.finditer(text)]:
        yield Page(text, LOOKS, hidden), Reading.TAGS


def views(page: Page, override: Reading | None = None) -> Iterator[View]:
    """Every reading of a page that could show something new, plainest first; at most nine, whatever the text."""
    first = View(page, page.plain, joined=False, leet=False, reading=override or Reading.PLAIN)
    yield first
    if _ALONE.search(first.text):
        yield Spaced(first)
    if _INSIDE_WORD.search(page.plain):
        yield View(page, page.plain, joined=True, leet=False, reading=override or Reading.JOINED)
    if not _ANY_LEET.search(page.marked):
        return
    for table, hugging, anywhere in _LEET:
        near = hugging.search(page.marked) is not None
        if not near and not (anywhere and anywhere.search(page.marked)):
            continue
        classes = page.marked.translate(table)
        apart = View(page, classes, joined=False, leet=True, reading=override or Reading.LEET)
        if _ALONE.search(apart.text):
            yield Spaced(apart)
        if near:
            yield View(page, classes, joined=True, leet=True, reading=override or Reading.LEET)


class Readings:
    """Every reading of one text, each made when it is first asked for and shared by all filters that look at it."""

    __slots__ = ("_coming", "_made", "looks", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._made: list[View] = []
        found = pages(text)
        self.looks, override = next(found)
        self._coming = chain(
            views(self.looks, override), chain.from_iterable(views(page, sort) for page, sort in found)
        )

    def __iter__(self) -> Iterator[View]:
        place = 0
        while place < len(self._made) or self._make():
            yield self._made[place]
            place += 1

    def _make(self) -> bool:
        view = next(self._coming, None)
        if view is not None:
            self._made.append(view)
        return view is not None


def normalise(text: str) -> str:
    """The folded text with single spaces: what moderators' patterns see beside the original. Idempotent."""
    return " ".join(Page(text, LOOKS).cells.split())


def inside(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of `spans`, sorted by start and with ends that only grow, contains start..end."""
    index = bisect_right(spans, start, key=lambda span: span[0])
    return index > 0 and spans[index - 1][1] >= end
