"""What a rule would stop that nobody meant: shown to a moderator before the rule is saved."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from bot.moderation.filter import Filter
from bot.moderation.letters import LOOKS
from bot.moderation.lexicon import Lexicon
from bot.moderation.rules import Rule
from bot.moderation.verdict import Decision
from bot.moderation.views import Page, normalise, views

DICTIONARIES: Final = (Path("/usr/share/dict/words"), Path("/usr/share/dict/american-english"))

_TOGETHER: Final = 4_000  # words read as one text: many times faster than a check of each, and still small


def lint(rule: Rule, words: Sequence[str]) -> list[str]:
    """The words of `words` that `rule` hits, in their order and without the word the rule names."""
    named = " ".join(rule.words)
    hit = _hit_by_keyword(rule, words) if rule.words else _hit_by_pattern(rule, words)
    return [words[index] for index in sorted(hit) if normalise(words[index]) != named]


def read_words(path: Path | None = None) -> list[str]:
    """The words of a list with one word a line; the system's dictionary by default, nothing where there is none."""
    source = path or next(filter(Path.is_file, DICTIONARIES), None)
    if source is None:
        return []
    lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    return [word for line in lines if (word := line.strip())]


def _hit_by_keyword(rule: Rule, words: Sequence[str]) -> set[int]:
    lexicon = Lexicon([rule])
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


def _hit_by_pattern(rule: Rule, words: Iterable[str]) -> set[int]:
    single = Filter([rule])
    return {index for index, word in enumerate(words) if single.check(word).verdict is not Decision.ALLOW}
