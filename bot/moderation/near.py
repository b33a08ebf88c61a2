"""Two-term rules: where both terms of near:A, B stand close enough, whatever disguise each of them wears."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import Final

from bot.moderation.rules import Term
from bot.moderation.verdict import Reading
from bot.moderation.views import SEPARATOR, Page

Span = tuple[int, int]  # of the original text

_WORD = re.compile(f"[^ {SEPARATOR}]{{2,}}")
_ORDER: Final = tuple(Reading)  # plainest first


class Sightings:
    """Where the terms of two-term rules were seen in one text."""

    __slots__ = ("_page", "_seen", "_starts")

    def __init__(self, page: Page) -> None:
        self._page = page
        self._seen: defaultdict[Term, dict[Span, Reading]] = defaultdict(dict)
        self._starts: list[int] | None = None

    def add(self, term: Term, span: Span, reading: Reading) -> None:
        """A term was seen; the plainest reading comes first and is the one that is told."""
        self._seen[term].setdefault(span, reading)

    def pair(self, terms: tuple[Term, ...], distance: int) -> tuple[Span, Reading] | None:
        """The first place where both terms stand with at most `distance` words between them.

        Costs as much as the rarer of the two was seen.
        """
        first, second = (self._seen.get(term, {}) for term in terms)
        if not first or not second:
            return None
        few, many = sorted((first, second), key=len)
        by_start, by_end = sorted(many), sorted(many, key=lambda span: (span[1], span[0]))
        ends = [span[1] for span in by_end]
        for span in sorted(few):
            after = bisect_left(by_start, (span[1], 0))
            before = bisect_right(ends, span[0]) - 1
            neighbours = [*by_start[after : after + 1], *(by_end[before : before + 1] if before >= 0 else [])]
            for other in neighbours:
                left, right = sorted((span, other))
                if self._words_between(left[1], right[0]) <= distance:
                    return (left[0], right[1]), max(few[span], many[other], key=_ORDER.index)
        return None

    def _words_between(self, start: int, end: int) -> int:
        """Words of two letters and more: letters standing alone are no distance, or spacing a word out would be."""
        if self._starts is None:
            self._starts = [self._page.place(found.start()) for found in _WORD.finditer(self._page.plain)]
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)
