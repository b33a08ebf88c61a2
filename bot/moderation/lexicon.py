"""All terms in one Aho-Corasick automaton, and the test whether what it finds is meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import ahocorasick

from bot.moderation.forms import Form, forms_of
from bot.moderation.letters import AMBIGUOUS
from bot.moderation.rules import Term
from bot.moderation.views import SEPARATOR, View

_RARELY_DOUBLED: Final = frozenset("ahijkquvwxy")
_VOWELS: Final = frozenset("aeiouy")
_EITHER: Final = frozenset(f"1!|¡£7{AMBIGUOUS}")  # written for an i as well as for an l
_JOINERS: Final = frozenset("-/,;:'&")  # stand between whole words in ordinary text
_LONG: Final = 6  # letters; among words this long, exchanging i and l hardly ever makes another word


@dataclass(frozen=True, slots=True)
class Hit:
    """A form found in a view, by cells of its page."""

    form: Form
    start: int
    end: int
    exact: bool  # spelled as the term spells it


class Lexicon:
    """An immutable set of terms; matching costs the same for five and for five thousand."""

    __slots__ = ("_automaton",)

    def __init__(self, terms: Iterable[Term]) -> None:
        keys: defaultdict[str, list[Form]] = defaultdict(list)
        for term in terms:
            for form in forms_of(term):
                keys[form.key].append(form)
        self._automaton = ahocorasick.Automaton() if keys else None
        if self._automaton is not None:
            for key, forms in keys.items():
                self._automaton.add_word(key, tuple(forms))
            self._automaton.make_automaton()

    def hits(self, view: View, *, strict: bool = False) -> Iterator[tuple[int, Hit]]:
        """Where a term is meant, with the index in the view at which it ends; these indices never go back.

        `strict` takes only what is spelled exactly as the term spells it.
        """
        if self._automaton is None or not view.text:
            return
        text, apart = view.text, not view.joined
        # Where nothing was joined, an ASCII letter beside a find forbids it: a cheap answer for nearly all of them.
        # Only a version (v2) may follow a word directly.
        cheap = apart and not view.page.camel
        for last, forms in self._automaton.iter(text):
            end = last + 1
            stops_inside = cheap and "a" <= text[end : end + 1] <= "z" and text[end] != "v"
            for form in forms:
                start = end - len(form.key)
                if (stops_inside and form.right) or (form.glued and apart):
                    continue
                if cheap and form.left and start > 0 and "a" <= text[start - 1] <= "z":
                    continue
                hit = _judge(form, view, start, end)
                if hit is not None and (hit.exact or not strict):
                    yield end, hit


def _judge(form: Form, view: View, start: int, end: int) -> Hit | None:
    """Whether characters start..end of the view are `form` as someone might write it."""
    edges = _edges(form, view, start, end)
    if edges is None:
        return None
    exact, stretches = True, []
    digits = total = 0
    for index, need in enumerate(form.runs):
        if need == " ":
            continue
        letters = view.letters([cell for cell in view.cells(start + index) if edges[0] <= cell <= edges[1]])
        if not _runs_on(form, index, letters):
            surplus = _surplus(form, index, letters)
            if surplus < 0:
                return None
            if surplus:
                stretches.append((index, surplus, letters))
            exact = exact and letters == need
        if view.leet:
            total += len(need)
            digits += sum(map(str.isdigit, letters[: len(need)]))
    if digits and not _is_spelled_by(digits, total):
        return None
    if stretches and not _is_stretched(form, stretches):
        return None
    return Hit(form, edges[0], edges[1] + 1, exact)


def _runs_on(form: Form, index: int, letters: str) -> bool:
    """Whether the letters that are too many belong to what a star stands for: wal* begins wall and walibi alike."""
    need = form.runs[index]
    ends = index == len(form.runs) - 1 and not form.right and letters.startswith(need)
    return ends or (index == 0 and not form.left and letters.endswith(need))


def _edges(form: Form, view: View, start: int, end: int) -> tuple[int, int] | None:
    """First and last cell of a find that stands where its term wants it, else None."""
    starts, ends = view.runs
    first, last = starts[start], ends[end - 1] - 1
    # In joined text a run may hold a letter of the word before or behind: saw-w4lnut, w4lnut-tree.
    if form.left and not view.starts_word(start, first):
        need = len(form.runs[0])
        if ends[start] - first <= need or len(cells := view.cells(start)) <= need:
            return None
        first = cells[-need]
        if not view.starts_word(start, first):
            return None
    if form.right and not view.ends_word(end - 1, last + 1):
        need = len(form.runs[-1])
        if last + 1 - starts[end - 1] <= need or len(cells := view.cells(end - 1)) <= need:
            return None
        last = cells[need - 1]
        if not view.ends_word(end - 1, last + 1):
            return None
    if not (form.left and form.right) and view.joined and not _is_evasive(view, start, end, (first, last)):
        return None
    return first, last


def _is_evasive(view: View, start: int, end: int, edges: tuple[int, int]) -> bool:
    """For word* and the like in joined text: push-it is two words, bull(sh)it is one taken apart."""
    first, last = edges
    parted = zip(view.page.cells[first:last], view.classes[first:last], strict=True)
    between = {cell for cell, kind in parted if kind == SEPARATOR}
    return not between & _JOINERS or (view.starts_word(start, first) and view.ends_word(end - 1, last + 1))


def _surplus(form: Form, index: int, letters: str) -> int:
    """How many letters a run has over what the form needs; negative when it cannot be this form."""
    need = form.runs[index]
    more = len(letters) - len(need)
    if form.key[index] != "i" or letters == need:
        return more
    if not _EITHER.isdisjoint(letters):
        return more
    if more == 0 and _is_exchanged(form, index, letters):
        return 0
    wanted, written = ([(kind, len([*run])) for kind, run in groupby(text)] for text in (need, letters))
    if [kind for kind, _ in wanted] != [kind for kind, _ in written]:
        return -1
    if any(count < least for (_, count), (_, least) in zip(written, wanted, strict=True)):
        return -1
    return more


def _is_exchanged(form: Form, index: int, letters: str) -> bool:
    """Whether one i was written as l or the other way round where that makes no other word."""
    need = form.runs[index]
    if need == "i" and letters == "l" and _is_between_consonants(form.key, index):
        return True
    wrong = [place for place, (wanted, written) in enumerate(zip(need, letters, strict=True)) if wanted != written]
    # -le and -ie end many pairs of words: candles, candies.
    is_ending = wrong[-1] == len(need) - 1 and form.key[index + 1 : index + 2] == "e"
    return form.core >= _LONG and len(wrong) == 1 and not is_ending


def _is_between_consonants(key: str, index: int) -> bool:
    """Where no English word has an l, so that one stands for an i: nlpple."""
    if index == 0 or index + 1 == len(key):
        return False
    return key[index - 1] not in _VOWELS | {"r", " "} and key[index + 1] not in _VOWELS | {" "}


def _is_spelled_by(digits: int, total: int) -> bool:
    """Whether digits may stand for letters here: 455 and a55 are numbers, n4k3d is a word."""
    letters = total - digits
    if letters == 0:
        return total >= 5
    return total > 3 or (total == 3 and letters >= 2)


def _is_stretched(form: Form, stretches: list[tuple[int, int, str]]) -> bool:
    """Whether letters were repeated on purpose; one more may be another word: god and good, raped and rapped."""
    if len(stretches) > 1 or stretches[0][1] > 1:
        return True
    index, _, letters = stretches[0]
    letter = form.key[index]
    if index == 0 or (letter in _RARELY_DOUBLED and "ll" not in letters):
        return True
    if form.suffix == "s" and index == len(form.key) - 1:
        return False
    if index == form.locked and letter not in _VOWELS:
        return False
    return form.core >= 5 or (form.core == 4 and not form.suffix)
