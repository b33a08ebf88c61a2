"""Rules as they are kept: what a moderator wrote, how grave it is and where it holds; and as files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.moderation.rules import Rule, RuleError, parse_rule, split_decision
from bot.moderation.scope import EVERYWHERE, Scope
from bot.moderation.verdict import Decision

FORMAT: Final = "atelier-filter"
VERSION: Final = 1
LONGEST_LANGUAGE: Final = 12  # characters
LONGEST_ENTRY: Final = 280  # characters; a pattern of the greatest length with what stands before it

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_ID = re.compile(r"\d{1,20}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept rule. The same words may stand in several scopes, each with its own severity."""

    text: str  # without the prefix that says how grave it is
    severity: Decision = Decision.BLOCK
    scope: Scope = EVERYWHERE
    language: str = ""  # a tag such as de, for moderators to sort by

    @property
    def line(self) -> str:
        """The rule as it is written in a file with one rule a line."""
        return self.text if self.severity is Decision.BLOCK else f"{self.severity.value}:{self.text}"

    def rule(self) -> Rule:
        """The rule, ready to be compiled."""
        rule = parse_rule(self.line)
        assert rule is not None, "an entry was read before it was kept"
        return replace(rule, scope=self.scope)

    def as_json(self) -> dict[str, str]:
        """The entry as plain JSON; ids are strings, as Discord writes them."""
        found = {"rule": self.text, "severity": self.severity.value}
        if self.scope.channel_id:
            found["channel"] = str(self.scope.channel_id)
        if self.scope.role_id:
            found["role"] = str(self.scope.role_id)
        return found | ({"language": self.language} if self.language else {})


def read_entry(
    text: str, severity: Decision | None = None, scope: Scope = EVERYWHERE, language: str = "", line: int | None = None
) -> Entry | None:
    """What was written as an entry, None for nothing or a comment; raises RuleError.

    A `severity` given beside the rule overrules its prefix, but for allow:, which is no severity.
    """
    rule = parse_rule(text, line)
    if rule is None:
        return None
    if language and not _LANGUAGE.fullmatch(language):
        raise RuleError("A language is written as its short tag, such as en, de or pt-BR.", line)
    decision, body = split_decision(rule.text)
    if severity is not None and decision is not Decision.ALLOW:
        decision = severity
    if len(body) > LONGEST_ENTRY:
        raise RuleError(f"A rule has at most {LONGEST_ENTRY} characters; this one has {len(body)}.", line)
    entry = Entry(body, decision, scope, language)
    entry.rule()  # allow: takes words alone
    return entry


def exported(entries: Iterable[Entry], exempt: Iterable[int]) -> str:
    """A guild's whole filter as one JSON document."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "rules": [entry.as_json() for entry in entries],
        "exempt_roles": [str(role) for role in sorted(exempt)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Import:
    """What a file holds: the rules that can be used, and a sentence for each one that cannot."""

    entries: tuple[Entry, ...]
    exempt: frozenset[int]
    errors: tuple[str, ...]


def imported(text: str) -> Import:
    """A JSON document as `exported` makes it, or plain text with one rule a line."""
    text = text.lstrip("\ufeff")
    if not text.lstrip().startswith("{"):
        return Import(*_collected(_from_lines(text)))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        return Import((), frozenset(), (f"This is not valid JSON{place}.",))
    rules, exempt = document.get("rules"), document.get("exempt_roles", [])
    if not isinstance(rules, list) or not isinstance(exempt, list):
        return Import((), frozenset(), ("This JSON has no list of “rules”; /filter export shows how one looks.",))
    entries, _, errors = _collected(_from_json(rules))
    roles = frozenset(int(role) for role in exempt if _ID.fullmatch(str(role)))
    return Import(entries, roles, errors)


def _collected(found: Iterator[Entry | RuleError | None]) -> tuple[tuple[Entry, ...], frozenset[int], tuple[str, ...]]:
    entries: dict[tuple[str, Scope], Entry] = {}
    errors: list[str] = []
    for each in found:
        if isinstance(each, RuleError):
            errors.append(str(each))
        elif each is not None:
            entries[each.text, each.scope] = each
    return tuple(entries.values()), frozenset(), tuple(errors)


def _from_lines(text: str) -> Iterator[Entry | RuleError | None]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield read_entry(line, line=number)
        except RuleError as error:
            yield error


def _from_json(rules: list[Any]) -> Iterator[Entry | RuleError | None]:
    for number, item in enumerate(rules, start=1):
        try:
            yield _entry_of(item)
        except RuleError as error:
            yield RuleError(f"Rule {number}: {error}")


def _entry_of(item: Any) -> Entry | None:
    if not isinstance(item, dict) or not isinstance(item.get("rule"), str):
        raise RuleError("it must have a “rule” that is text.")
    try:
        severity = Decision(item.get("severity", Decision.BLOCK))
    except ValueError as error:
        raise RuleError("“severity” must be block, review, shadow or allow.") from error
    numbers = [item.get(name, "0") for name in ("channel", "role")]
    if not all(_ID.fullmatch(str(number)) for number in numbers):
        raise RuleError("“channel” and “role” must be ids of Discord.")
    scope = Scope(*(int(number) for number in numbers))
    prefix = "allow:" if severity is Decision.ALLOW else ""
    text = item["rule"]
    line = text if split_decision(text)[0] is Decision.ALLOW else prefix + text
    return read_entry(line, severity, scope, str(item.get("language", "")))
