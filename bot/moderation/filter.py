"""The filter: compiled rules that give every text a verdict."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from bot.moderation.letters import AMBIGUOUS, BIDI_CONTROLS, prepare
from bot.moderation.lexicon import Hit, Lexicon
from bot.moderation.near import Sightings
from bot.moderation.rules import Mode, Rule, Term, compile_regex
from bot.moderation.verdict import ALLOWED, GRAVITY, Decision, Reading, Verdict
from bot.moderation.views import Readings, View, inside

if TYPE_CHECKING:
    from bot.order import Place

_BIDI: Final = re.compile(f"[{''.join(sorted(BIDI_CONTROLS))}]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Filter:
    """Rules, compiled once and never changed; the order in which they were given does not matter."""

    __slots__ = ("_by_term", "_excused_by", "_excuses", "_keywords", "_near", "_near_terms", "_patterns", "_symbols")

    def __init__(self, rules: Iterable[Rule]) -> None:
        prepare()
        each = [*dict.fromkeys(sorted(rules, key=_sort_key))]
        self._by_term = _by_term(rule for rule in each if rule.decision is not Decision.ALLOW)
        self._excused_by = _by_term(rule for rule in each if rule.decision is Decision.ALLOW)
        self._near = [rule for rule in each if rule.mode is Mode.NEAR]
        self._near_terms = frozenset(term for rule in self._near for term in rule.terms)
        self._keywords = Lexicon(dict.fromkeys((*self._by_term, *sorted(self._near_terms, key=_term_key))))
        self._excuses = Lexicon(self._excused_by)
        self._patterns: list[tuple[Rule, Any]] = [
            (rule, compile_regex(rule.pattern)) for rule in each if rule.mode is Mode.REGEX
        ]
        self._symbols = [rule for rule in each if rule.mode is Mode.SYMBOL]

    def __bool__(self) -> bool:
        """Whether there is anything it could stop."""
        return bool(self._by_term or self._near or self._patterns or self._symbols)

    @property
    def has_patterns(self) -> bool:
        """Whether moderators' regular expressions are in it, whose cost is theirs to decide."""
        return bool(self._patterns)

    def check(self, text: str, place: Place | None = None) -> Verdict:
        """The verdict on `text` where it is asked, or by all rules; takes time in proportion to it, never raises."""
        return bidi(text) or self.read(Readings(text), place)

    def read(self, readings: Readings, place: Place | None = None, *, patterns: bool = True) -> Verdict:
        """The verdict on a text whose readings other filters share; bidi controls are not looked for here."""
        return _Reader(self, readings, place).verdict(patterns=patterns) if self else ALLOWED


def bidi(text: str) -> Verdict | None:
    """The verdict on a text whose direction is changed by invisible characters; None on any other."""
    found = None if text.isascii() else _BIDI.search(text)
    return None if found is None else Verdict(Decision.BLOCK, None, found[0], Reading.BIDI, found.span())


class _Reader:
    """One text under one filter: what is excused and what weighs less than a block is found once."""

    def __init__(self, rules: Filter, readings: Readings, place: Place | None) -> None:
        self._rules = rules
        self._readings = readings
        self._text = readings.text
        self._place = place
        self._excused: list[tuple[int, int]] | None = None
        self._lighter: dict[Decision, Verdict] = {}
        self._sightings = Sightings(readings.looks)

    def verdict(self, *, patterns: bool) -> Verdict:
        for view in self._readings:
            if found := self._first(view):
                return found
        found = self._by_symbol() or self._by_pair() or (self._by_pattern() if patterns else None)
        return found or next((self._lighter[each] for each in GRAVITY if each in self._lighter), ALLOWED)

    def _first(self, view: View) -> Verdict | None:
        """The blocking hit that ends first; of several that end together, the longest."""
        best: tuple[int, Hit, Rule] | None = None
        for end, hit in self._rules._keywords.hits(view):
            if best is not None and end > best[0]:
                break
            if hit.form.term in self._rules._near_terms:
                self._sight(hit, view)
            rule = self._rule_of(hit)
            if rule is None or rule.decision in self._lighter:
                continue
            if best is not None and (hit.start, _sort_key(rule)) >= (best[1].start, _sort_key(best[2])):
                continue
            verdict = _explain(hit, view, self._text, rule)
            if self._is_excused(verdict.span) or (rule.mode is Mode.INITIAL and "." not in (verdict.match or "")):
                continue
            if rule.decision is Decision.BLOCK:
                best = end, hit, rule
            else:
                self._lighter[rule.decision] = verdict
        return _explain(best[1], view, self._text, best[2]) if best else None

    def _rule_of(self, hit: Hit) -> Rule | None:
        """The gravest rule about what was hit that holds here."""
        rules = self._rules._by_term.get(hit.form.term, ())
        return next((rule for rule in rules if rule.scope.holds(self._place)), None)

    def _sight(self, hit: Hit, view: View) -> None:
        span = view.page.span(hit.start, hit.end)
        if not self._is_excused(span):
            self._sightings.add(hit.form.term, span, _reading(hit, view, self._text[slice(*span)]))

    def _by_pair(self) -> Verdict | None:
        for rule in self._rules._near:
            found = self._sightings.pair(rule.terms, rule.distance) if rule.scope.holds(self._place) else None
            if found and (result := self._weigh(rule, found[1], found[0])):
                return result
        return None

    def _by_symbol(self) -> Verdict | None:
        page = self._readings.looks
        for rule in self._rules._symbols:
            start = page.cells.find(rule.pattern)
            if start < 0 or not rule.scope.holds(self._place):
                continue
            if found := self._weigh(rule, Reading.FOLDED, page.span(start, start + len(rule.pattern))):
                return found
        return None

    def _by_pattern(self) -> Verdict | None:
        if not self._rules._patterns:
            return None
        page = self._readings.looks
        # RE2 reads UTF-8, which has no surrogates; a broken one is one character all the same.
        written = _SURROGATE.sub("\ufffd", self._text)
        folded = page.cells.replace(AMBIGUOUS, "i")
        for rule, pattern in self._rules._patterns:
            if not rule.scope.holds(self._place):
                continue
            if (found := pattern.search(written)) and (result := self._weigh(rule, Reading.REGEX, found.span())):
                return result
            found = pattern.search(folded) if folded != written.lower() else None
            if found is None or found.end() == found.start():
                continue
            if result := self._weigh(rule, Reading.REGEX_FOLDED, page.span(*found.span())):
                return result
        return None

    def _weigh(self, rule: Rule, reading: Reading, span: tuple[int, int]) -> Verdict | None:
        """A verdict that ends the search, or None when it is excused or weighs less than a block."""
        if self._is_excused(span):
            return None
        verdict = Verdict(rule.decision, rule.text, self._text[slice(*span)], reading, span, rule.scope)
        if rule.decision is Decision.BLOCK:
            return verdict
        self._lighter.setdefault(rule.decision, verdict)
        return None

    def _is_excused(self, span: tuple[int, int] | None) -> bool:
        if span is None or not self._rules._excused_by:
            return False
        if self._excused is None:
            self._excused = self._excused_spans()
        return inside(self._excused, *span)

    def _excused_spans(self) -> list[tuple[int, int]]:
        """The spans of allow rules, sorted, without those that lie inside an earlier one."""
        view = next(iter(self._readings))
        spans = sorted(
            view.page.span(hit.start, hit.end)
            for _, hit in self._rules._excuses.hits(view, strict=True)
            if any(rule.scope.holds(self._place) for rule in self._rules._excused_by[hit.form.term])
        )
        kept: list[tuple[int, int]] = []
        for start, end in spans:
            if kept and end <= kept[-1][1]:
                continue
            kept.append((start, end))
        return kept


def _by_term(rules: Iterable[Rule]) -> dict[Term, list[Rule]]:
    found: defaultdict[Term, list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.words:
            found[rule.term].append(rule)
    for same in found.values():
        same.sort(key=lambda rule: (GRAVITY.index(rule.decision), _sort_key(rule)))
    return dict(found)


def _explain(hit: Hit, view: View, text: str, rule: Rule) -> Verdict:
    span = view.page.span(hit.start, hit.end)
    match = text[slice(*span)]
    return Verdict(rule.decision, rule.text, match, _reading(hit, view, match), span, rule.scope)


def _reading(hit: Hit, view: View, match: str) -> Reading:
    if view.reading is not Reading.PLAIN:
        return view.reading
    return Reading.FOLDED if not match.isascii() else Reading.PLAIN if hit.exact else Reading.REPEATED


def _term_key(term: Term) -> tuple[str, ...]:
    return (term.mode.value, *term.words)


def _sort_key(rule: Rule) -> tuple[str, ...]:
    terms = (word for term in rule.terms for word in _term_key(term))
    scope = (f"{rule.scope.channel_id:020}", f"{rule.scope.role_id:020}")
    return (rule.decision.value, rule.mode.value, *rule.words, *terms, rule.pattern, rule.text, *scope)
