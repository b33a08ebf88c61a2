"""The filter: compiled rules that give every text a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from bot.moderation.letters import AMBIGUOUS, BIDI_CONTROLS, LOOKS, prepare
from bot.moderation.lexicon import Hit, Lexicon
from bot.moderation.rules import Mode, Rule, compile_regex
from bot.moderation.verdict import ALLOWED, Decision, Reading, Verdict
from bot.moderation.views import Page, View, inside, pages, views

_BIDI: Final = re.compile(f"[{''.join(sorted(BIDI_CONTROLS))}]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Filter:
    """Rules, compiled once and never changed; the order in which they were given does not matter."""

    __slots__ = ("_excuses", "_keywords", "_patterns", "_symbols")

    def __init__(self, rules: Iterable[Rule]) -> None:
        prepare()
        each = [*dict.fromkeys(sorted(rules, key=_sort_key))]
        words = [rule for rule in each if rule.words]
        self._keywords = Lexicon(rule for rule in words if rule.decision is not Decision.ALLOW)
        self._excuses = Lexicon(rule for rule in words if rule.decision is Decision.ALLOW)
        self._patterns: list[tuple[Rule, Any]] = [
            (rule, compile_regex(rule.pattern)) for rule in each if rule.mode is Mode.REGEX
        ]
        self._symbols = [rule for rule in each if rule.mode is Mode.SYMBOL]

    def check(self, text: str) -> Verdict:
        """The verdict on `text`. Takes time in proportion to its length, never raises."""
        if not text.isascii() and (found := _BIDI.search(text)):
            return Verdict(Decision.BLOCK, None, found[0], Reading.BIDI, found.span())
        return _Reader(self, text).verdict()

    def check_request(self, prompt: str, negative: str) -> Verdict:
        """The graver of the verdicts on a prompt and its negative prompt; the prompt's where they are the same."""
        first = self.check(prompt)
        if first.verdict is Decision.BLOCK or not negative:
            return first
        second = self.check(negative)
        return second if second.verdict is Decision.BLOCK or first.verdict is Decision.ALLOW else first


class _Reader:
    """One text under one filter: what is excused and what waits for review is found once."""

    def __init__(self, rules: Filter, text: str) -> None:
        self._rules = rules
        self._text = text
        self._excused: list[tuple[int, int]] | None = None
        self._review: Verdict | None = None

    def verdict(self) -> Verdict:
        looks: Page | None = None
        for page, override in pages(self._text):
            looks = looks or page
            for view in views(page, override):
                if found := self._first(view):
                    return found
        assert looks is not None
        return self._by_symbol(looks) or self._by_pattern(looks) or self._review or ALLOWED

    def _first(self, view: View) -> Verdict | None:
        """The blocking hit that ends first; of several that end together, the longest."""
        best: tuple[int, Hit] | None = None
        for end, hit in self._rules._keywords.hits(view):
            if best is not None and end > best[0]:
                break
            rule = hit.form.rule
            if rule.decision is Decision.REVIEW and self._review is not None:
                continue
            if best is not None and (hit.start, _sort_key(rule)) >= (best[1].start, _sort_key(best[1].form.rule)):
                continue
            verdict = _explain(hit, view, self._text)
            if self._is_excused(verdict.span):
                continue
            if rule.decision is Decision.REVIEW:
                self._review = verdict
            else:
                best = end, hit
        return _explain(best[1], view, self._text) if best else None

    def _by_symbol(self, page: Page) -> Verdict | None:
        for rule in self._rules._symbols:
            start = page.cells.find(rule.pattern)
            if start < 0:
                continue
            span = page.span(start, start + len(rule.pattern))
            verdict = Verdict(rule.decision, rule.text, self._text[slice(*span)], Reading.FOLDED, span)
            if found := self._weigh(verdict):
                return found
        return None

    def _by_pattern(self, page: Page) -> Verdict | None:
        if not self._rules._patterns:
            return None
        # RE2 reads UTF-8, which has no surrogates; a broken one is one character all the same.
        written = _SURROGATE.sub("\ufffd", self._text)
        folded = page.cells.replace(AMBIGUOUS, "i")
        for rule, pattern in self._rules._patterns:
            verdict = None
            if found := pattern.search(written):
                span = found.span()
                verdict = Verdict(rule.decision, rule.text, self._text[slice(*span)], Reading.REGEX, span)
                if result := self._weigh(verdict):
                    return result
            if folded != written.lower() and (found := pattern.search(folded)) and found.end() > found.start():
                span = page.span(*found.span())
                verdict = Verdict(rule.decision, rule.text, self._text[slice(*span)], Reading.REGEX_FOLDED, span)
                if result := self._weigh(verdict):
                    return result
        return None

    def _weigh(self, verdict: Verdict) -> Verdict | None:
        """A verdict that ends the search, or None when it is excused or only asks for review."""
        if self._is_excused(verdict.span):
            return None
        if verdict.verdict is Decision.REVIEW:
            self._review = self._review or verdict
            return None
        return verdict

    def _is_excused(self, span: tuple[int, int] | None) -> bool:
        if span is None:
            return False
        if self._excused is None:
            self._excused = _excused_spans(self._rules._excuses, self._text)
        return inside(self._excused, *span)


def _excused_spans(excuses: Lexicon, text: str) -> list[tuple[int, int]]:
    """The spans of allow rules, sorted, without those that lie inside an earlier one."""
    page = Page(text, LOOKS)
    view = next(views(page))
    spans = sorted(page.span(hit.start, hit.end) for _, hit in excuses.hits(view, strict=True))
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if kept and end <= kept[-1][1]:
            continue
        kept.append((start, end))
    return kept


def _explain(hit: Hit, view: View, text: str) -> Verdict:
    span = view.page.span(hit.start, hit.end)
    match = text[slice(*span)]
    reading = view.reading
    if reading is Reading.PLAIN:
        reading = Reading.FOLDED if not match.isascii() else Reading.PLAIN if hit.exact else Reading.REPEATED
    return Verdict(hit.form.rule.decision, hit.form.rule.text, match, reading, span)


def _sort_key(rule: Rule) -> tuple[str, ...]:
    return (rule.decision.value, rule.mode.value, *rule.words, rule.pattern, rule.text)
