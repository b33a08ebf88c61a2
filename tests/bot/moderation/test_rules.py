"""The rule language: what is understood, and how kindly the rest is refused."""

from __future__ import annotations

import pytest

from bot.moderation.rules import Mode, RuleError, parse_rule, parse_rules
from bot.moderation.verdict import Decision


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("Walnut", Mode.WHOLE, ("walnut",)),
        ("walnut*", Mode.PREFIX, ("walnut",)),
        ("*walnut", Mode.SUFFIX, ("walnut",)),
        ("*walnut*", Mode.SUBSTRING, ("walnut",)),
        ("  two   words ", Mode.WHOLE, ("two", "words")),
        ("walnut # as a snack", Mode.WHOLE, ("walnut",)),
        ("\ufeffwalnut\r", Mode.WHOLE, ("walnut",)),
        ("w@lnut", Mode.WHOLE, ("walnut",)),
        ("орех", Mode.WHOLE, ("opex",)),
        ("核桃", Mode.WHOLE, ("核桃",)),
    ],
)
def test_keywords(text: str, mode: Mode, words: tuple[str, ...]) -> None:
    rule = parse_rule(text)
    assert rule is not None
    assert (rule.mode, rule.words, rule.decision) == (mode, words, Decision.BLOCK)


def test_prefixes_say_what_a_rule_does() -> None:
    excuse, review = parse_rule("allow:walnut oil"), parse_rule("review:walnut")
    assert excuse is not None
    assert review is not None
    assert (excuse.decision, excuse.words) == (Decision.ALLOW, ("walnut", "oil"))
    assert (review.decision, review.words) == (Decision.REVIEW, ("walnut",))


def test_a_rule_keeps_its_text_without_the_comment() -> None:
    rule = parse_rule("re:wal[#]nuts? # see the wiki")
    assert rule is not None
    assert (rule.text, rule.pattern) == ("re:wal[#]nuts?", "wal[#]nuts?")


@pytest.mark.parametrize("text", ["", "   ", "# only a comment", "\t# one more"])
def test_nothing_is_no_rule(text: str) -> None:
    assert parse_rule(text) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("wal*nut", "star"),
        ("*", "no word"),
        ("...", "no word"),
        ("a", "single letter"),
        ("*a*", "single letter"),
        ("w" * 61, "at most 60"),
        ("allow:re:walnut", "not a pattern"),
        ("re:", "needs a pattern"),
        ("re:(", "RE2 cannot read"),
        ("re:(?=walnut)", "look-around"),
        (r"re:(w)\1", "back-references"),
        ("re:w*", "every prompt"),
        ("re:" + "w" * 261, "at most 260"),
        ("re:((w{1000}){1000}){1000}", "RE2 cannot read"),
        ("re:\ud800", "RE2 cannot read"),
    ],
)
def test_bad_rules_are_explained(text: str, hint: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(text)
    assert hint in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_file_gives_every_rule_once_and_names_bad_lines() -> None:
    rules, errors = parse_rules(["walnut", "# nuts", "WALNUT", "wal*nut", "pelican*", "re:["])
    assert [rule.text for rule in rules] == ["walnut", "pelican*"]
    assert [error.line for error in errors] == [4, 6]
    assert str(errors[0]).startswith("Line 4: ")
