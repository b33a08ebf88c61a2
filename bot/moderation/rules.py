"""The rule language, Discord AutoMod's own: word, word*, *word, *word*, two words; beside it re:… and near:A, B.

Before any of them may stand allow:, review: or shadow: (block: is what a rule does without).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import re2

from bot.moderation.letters import LOOKS
from bot.moderation.scope import EVERYWHERE, Scope
from bot.moderation.verdict import Decision

LONGEST_KEYWORD: Final = 60  # characters, as in AutoMod
LONGEST_REGEX: Final = 260  # characters, as in AutoMod
REGEX_MEMORY: Final = 1 << 20  # bytes for one compiled pattern; RE2 refuses what does not fit
NEAR: Final = 8  # words that may stand between the two of near:A, B when the rule does not say
NEAREST: Final = 50  # the most words that a rule may say

_PREFIXES: Final = {f"{meaning.value}:": meaning for meaning in Decision}
_NEAR = re.compile(r"near\s*(?P<words>\d*)\s*:(?P<terms>.*)", re.IGNORECASE | re.DOTALL)
_LETTER_SYMBOLS: Final = str.maketrans({"@": "a", "$": "s", "€": "e", "£": "l", "¢": "c", "!": "i", "|": "l", "+": "t"})
_HUGGED_SYMBOL = re.compile(r"(?<=\w)[@$€£¢!|+]+(?=\w)|[@$]+(?=\w)|(?<=\w)[$€¢]+")


class Mode(Enum):
    """Where a keyword may stand in a word."""

    WHOLE = "word"
    PREFIX = "word*"
    SUFFIX = "*word"
    SUBSTRING = "*word*"
    REGEX = "re:"
    SYMBOL = "emoji"
    NEAR = "near:"
    NAME = "name"  # a whole word without its forms; people are not put into the plural
    INITIAL = "initial"  # a name whose first word is a letter with its full stop


class RuleError(ValueError):
    """A rule that cannot be used; the text is one sentence for the moderator who wrote it."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence if line is None else f"Line {line}: {sentence}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Term:
    """What the automaton looks for; many rules may share one."""

    mode: Mode
    words: tuple[str, ...]  # folded to plain letters
    plural_only: bool = False  # of its forms: an excuse is not widened


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to be compiled. Two rules that mean the same are equal."""

    text: str = field(compare=False)  # as written, without its comment
    mode: Mode
    words: tuple[str, ...] = ()  # folded to plain letters
    pattern: str = ""  # regular expression, or the symbols of an emoji rule
    decision: Decision = Decision.BLOCK  # ALLOW excuses what other rules find inside its span
    line: int | None = field(default=None, compare=False)
    terms: tuple[Term, ...] = ()  # the two of near:
    distance: int = 0  # words that may stand between them
    scope: Scope = EVERYWHERE

    @property
    def term(self) -> Term:
        """What to look for, of a rule of words."""
        return Term(self.mode, self.words, self.decision is Decision.ALLOW)


def parse_rule(text: str, line: int | None = None) -> Rule | None:
    """One rule, or None for an empty line or a comment; raises RuleError with a sentence saying what to do."""
    source = _without_comment(text)
    if not source:
        return None
    decision, body = split_decision(source)
    if body.casefold().startswith("re:"):
        if decision is Decision.ALLOW:
            raise RuleError(
                "allow: takes words, not a pattern; write the words that are fine, as in allow:blue tit.", line
            )
        return Rule(source, Mode.REGEX, pattern=_checked_regex(body[3:].strip(), line), decision=decision, line=line)
    if (near := _NEAR.fullmatch(body)) is not None:
        return _near(source, near, decision, line)
    return _keyword(source, body, decision, line)


def split_decision(text: str) -> tuple[Decision, str]:
    """What a rule's prefix says, BLOCK without one, and the rule without it."""
    lowered = text.casefold()
    for prefix, decision in _PREFIXES.items():
        if lowered.startswith(prefix):
            return decision, text[len(prefix) :].strip()
    return Decision.BLOCK, text


def parse_rules(lines: Iterable[str]) -> tuple[tuple[Rule, ...], tuple[RuleError, ...]]:
    """Every rule of a file, each once, and what is wrong with the lines that are none."""
    rules: dict[Rule, None] = {}
    errors: list[RuleError] = []
    for number, line in enumerate(lines, start=1):
        try:
            rule = parse_rule(line.lstrip("\ufeff"), number)
        except RuleError as error:
            errors.append(error)
        else:
            if rule is not None:
                rules.setdefault(rule)
    return tuple(rules), tuple(errors)


def compile_regex(pattern: str) -> Any:
    """`pattern` compiled by RE2, ignoring case; raises re2.error. Typed loosely because re2 ships no types."""
    return re2.compile(pattern, options=regex_options())


def regex_options() -> Any:
    """RE2's settings for moderators' patterns: bounded memory, quiet, case ignored."""
    options = re2.Options()
    options.max_mem = REGEX_MEMORY
    options.log_errors = False
    options.case_sensitive = False
    return options


def _without_comment(text: str) -> str:
    """A pattern may contain #, so there a comment begins only after a blank."""
    _, body = split_decision(text)
    if body.casefold().startswith("re:"):
        return re.sub(r"\s#.*", "", text).strip()
    return text.lstrip("\ufeff").split("#", 1)[0].strip()


def _near(source: str, near: re.Match[str], decision: Decision, line: int | None) -> Rule:
    if decision is Decision.ALLOW:
        raise RuleError("allow: takes words, not near:; write the words that are fine, as in allow:blue tit.", line)
    distance = int(near["words"][:6] or NEAR)
    if distance > NEAREST:
        raise RuleError(f"At most {NEAREST} words can stand between the two of near:; write a smaller number.", line)
    parts = [part.strip() for part in near["terms"].split(",")]
    if len(parts) != 2 or not all(parts):
        raise RuleError("near: takes two words with a comma between them, as in near:red, house*.", line)
    rules = [_keyword(part, part, Decision.BLOCK, line) for part in parts]
    if not all(rule.words for rule in rules):
        raise RuleError("near: takes words, not symbols; write two words, as in near:red, house*.", line)
    terms = tuple(sorted((rule.term for rule in rules), key=lambda term: (term.mode.value, term.words)))
    return Rule(source, Mode.NEAR, decision=decision, line=line, terms=terms, distance=distance)


def _checked_regex(pattern: str, line: int | None) -> str:
    if not pattern:
        raise RuleError("re: needs a pattern after it, as in re:red (house|barn).", line)
    if len(pattern) > LONGEST_REGEX:
        raise RuleError(
            f"This pattern has {len(pattern)} characters and at most {LONGEST_REGEX} are allowed; please split it.",
            line,
        )
    try:
        compiled = compile_regex(pattern)
    except (re2.error, UnicodeError) as error:
        raise RuleError(
            f"RE2 cannot read this pattern ({_reason(error)}); look-around and back-references do not exist in it.",
            line,
        ) from error
    if compiled.search("") is not None:
        raise RuleError(
            "This pattern also matches nothing at all, so it would stop every prompt; add something it must find.", line
        )
    return pattern


def _reason(error: Exception) -> str:
    cause = error.args[0] if error.args else error
    return cause.decode("utf-8", "replace") if isinstance(cause, bytes) else str(cause)


def _keyword(source: str, body: str, decision: Decision, line: int | None) -> Rule:
    if len(body) > LONGEST_KEYWORD:
        raise RuleError(
            f"This rule has {len(body)} characters and at most {LONGEST_KEYWORD} are allowed; a part of it will do.",
            line,
        )
    core = body.strip("*").strip()
    if "*" in core:
        raise RuleError(
            "A star can only stand at the beginning or the end of a rule, as in word*, *word or *word*.", line
        )
    mode = _mode(body)
    words = tuple(_words(core))
    if not words:
        return _symbols(source, core, decision, line)
    letters = sum(map(len, words))
    if letters == 1 and words[0].isascii():
        raise RuleError("A rule of a single letter would stop nearly every prompt; please write a whole word.", line)
    return Rule(source, mode, words, decision=decision, line=line)


def _mode(body: str) -> Mode:
    match body.startswith("*"), body.endswith("*"):
        case True, True:
            return Mode.SUBSTRING
        case True, False:
            return Mode.SUFFIX
        case False, True:
            return Mode.PREFIX
        case _:
            return Mode.WHOLE


def _words(core: str) -> list[str]:
    """The words of a keyword in plain letters; a symbol that stands for a letter, as in sh!p, is read as one."""
    folded = "".join(map(LOOKS.__getitem__, core))
    folded = _HUGGED_SYMBOL.sub(lambda found: found[0].translate(_LETTER_SYMBOLS), folded)
    return "".join(character if character.isalnum() else " " for character in folded).split()


def _symbols(source: str, core: str, decision: Decision, line: int | None) -> Rule:
    symbols = "".join(map(LOOKS.__getitem__, core)).replace(" ", "")
    if not symbols or symbols.isascii():
        raise RuleError("There is no word in this rule; write a word, word*, two words, an emoji or re:… .", line)
    return Rule(source, Mode.SYMBOL, pattern=symbols, decision=decision, line=line)
