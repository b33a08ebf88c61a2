"""What a rule would stop that nobody meant: shown to a moderator before the rule is saved."""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Final

from bot.moderation.benign import TRAPS, VOCABULARY
from bot.moderation.filter import Filter
from bot.moderation.forms import forms_of
from bot.moderation.letters import LOOKS
from bot.moderation.lexicon import Lexicon
from bot.moderation.rules import Mode, Rule, compile_regex
from bot.moderation.scope import EVERYWHERE
from bot.moderation.verdict import Decision
from bot.moderation.views import Page, normalise, views

DICTIONARIES: Final = (Path("/usr/share/dict/words"), Path("/usr/share/dict/american-english"))

_TOGETHER: Final = 4_000  # words read as one text: many times faster than a check of each, and still small


@dataclass(frozen=True, slots=True)
class Lint:
    """What a rule would stop."""

    words: list[str]  # of the dictionary, without the forms of the word that the rule names
    prompts: list[str]
    looked_at: int  # prompts

    def __bool__(self) -> bool:
        return bool(self.words or self.prompts)


def examine(rule: Rule, words: Sequence[str], prompts: Sequence[str]) -> Lint:
    """What `rule` would stop of a dictionary and of what was asked before. Blocking: half a second for both."""
    if rule.decision is Decision.ALLOW:
        return Lint([], [], 0)
    alone = Filter([replace(rule, scope=EVERYWHERE)])
    hit = [prompt for prompt in prompts if alone.check(prompt).rule is not None]
    return Lint(strangers(rule, lint(rule, words)), hit, len(prompts))


def lint(rule: Rule, words: Sequence[str]) -> list[str]:
    """The words of `words` that `rule` hits, in their order and without the word the rule names."""
    named = " ".join(rule.words)
    hit = _hit_by_keyword(rule, words) if rule.words else _hit_otherwise(rule, words)
    return [words[index] for index in sorted(hit) if normalise(words[index]) != named]


def strangers(rule: Rule, words: Iterable[str]) -> list[str]:
    """The words that are no form of what the rule names: a rule about a walnut is meant to stop walnuts too."""
    own = {"".join(form.runs) for form in forms_of(rule.term)} if rule.words else set()
    return [word for word in words if normalise(word).removesuffix("'s").removesuffix("'") not in own]


def read_words(path: Path | None = None) -> list[str]:
    """The words of a list with one word a line; the system's dictionary by default, nothing where there is none."""
    source = path or next(filter(Path.is_file, DICTIONARIES), None)
    if source is None:
        return []
    lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    return [word for line in lines if (word := line.strip())]


@functools.cache
def dictionary() -> tuple[str, ...]:
    """The system's dictionary, read once; where there is none, a few hundred everyday words. Blocking."""
    return tuple(read_words() or [*dict.fromkeys((*VOCABULARY, *" ".join(TRAPS).split()))])


def _hit_by_keyword(rule: Rule, words: Sequence[str]) -> set[int]:
    lexicon = Lexicon([rule.term])
    hit: set[int] = set()
    for first in range(0, len(words), _TOGETHER):
        hit.update(first + index for index in _hit_together(lexicon, words[first : first + _TOGETHER]))
    return hit


def _hit_together(lexicon: Lexicon, words: Sequence[str]) -> Iterator[int]:
    page = Page("\n".join(words), LOOKS)
    starts = [0, *accumulate(len(word) + 1 for word in words)]
    for view in views(page):
        for _, found in lexicon.hits(view):
            start, end = page.span(found.start, found.end)
            index = bisect_right(starts, start) - 1
            if end < starts[index + 1]:
                yield index


def _hit_otherwise(rule: Rule, words: Sequence[str]) -> set[int]:
    """A pattern is tried on the words themselves, a hundred times faster than by a filter that explains its hits."""
    if rule.mode is not Mode.REGEX:
        single = Filter([replace(rule, scope=EVERYWHERE)])
        return {index for index, word in enumerate(words) if single.check(word).rule is not None}
    pattern = compile_regex(rule.pattern)
    return {
        index
        for index, word in enumerate(words)
        if pattern.search(word) or (not word.isascii() and pattern.search(normalise(word)))
    }
