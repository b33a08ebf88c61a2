"""All keyword rules in one Aho-Corasick automaton, and the test whether what it finds is meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import ahocorasick

from bot.moderation.forms import Form, forms_of
from bot.moderation.letters import AMBIGUOUS
from bot.moderation.rules import Rule
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
    exact: bool  # spelled as the rule spells it


class Lexicon:
    """An immutable set of keyword rules; matching costs the same for five rules and for five thousand."""

    __slots__ = ("_automaton",)

    def __init__(self, rules: Iterable[Rule]) -> None:
        keys: defaultdict[str, list[Form]] = defaultdict(list)
        for rule in rules:
            for form in forms_of(rule):
                keys[form.key].append(form)
        self._automaton = ahocorasick.Automaton() if keys else None
        if self._automaton is not None:
            for key, forms in keys.items():
                self._automaton.add_word(key, tuple(forms))
            self._automaton.make_automaton()

    def hits(self, view: View, *, strict: bool = False) -> Iterator[tuple[int, Hit]]:
        """Where a rule is meant, with the index in the view at which it ends; these indices never go back.

        `strict` takes only what is spelled exactly as the rule spells it.
        """
        if self._automaton is None or not view.text:
            return
        text = view.text
        for last, forms in self._automaton.iter(text):
            end = last + 1
            for form in forms:
                start = end - len(form.key)
                if form.glued and not view.joined:
                    continue
                if not view.joined and not view.page.camel and _is_inside_word(text, start, end, form):
                    continue
                hit = _judge(form, view, start, end)
                if hit is not None and (hit.exact or not strict):
                    yield end, hit


def _is_inside_word(text: str, start: int, end: int, form: Form) -> bool:
    """Whether an ASCII letter beside the match forbids it: a cheap answer for nearly every chance find."""
    if form.left and start > 0 and "a" <= text[start - 1] <= "z":
        return True
    # A version such as v2 may follow.
    return form.right and end < len(text) and "a" <= text[end] <= "z" and text[end] != "v"


def _judge(form: Form, view: View, start: int, end: int) -> Hit | None:
    if not view.bounded(start, end, left=form.left, right=form.right):
        return None
    starts, ends = view.runs
    first, after = starts[start], ends[end - 1]
    if view.joined and not (form.left and form.right) and not _is_evasive(form, view, start, end):
        return None
    exact, stretches = True, []
    digits = total = 0
    for index, need in enumerate(form.runs):
        if need == " ":
            continue
        letters = view.letters(start + index)
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
    return Hit(form, first, after, exact)


def _is_evasive(form: Form, view: View, start: int, end: int) -> bool:
    """For word* and the like in joined text: push-it is two words, bull(sh)it is one taken apart."""
    starts, ends = view.runs
    first, after = starts[start], ends[end - 1]
    between = {
        cell
        for cell, kind in zip(view.page.cells[first:after], view.classes[first:after], strict=True)
        if kind == SEPARATOR
    }
    return not between & _JOINERS or view.bounded(start, end, left=True, right=True)


def _surplus(form: Form, index: int, letters: str) -> int:
    """How many letters a run has over what the form needs; negative when it cannot be this form."""
    need = form.runs[index]
    more = len(letters) - len(need)
    if form.key[index] != "i" or letters == need:
        return more
    if form.core >= _LONG or not _EITHER.isdisjoint(letters):
        return more
    if need == "i" and letters == "l" and _is_between_consonants(form.key, index):
        return 0
    wanted, written = ([(kind, len([*run])) for kind, run in groupby(text)] for text in (need, letters))
    if [kind for kind, _ in wanted] != [kind for kind, _ in written]:
        return -1
    if any(count < least for (_, count), (_, least) in zip(written, wanted, strict=True)):
        return -1
    return more


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
