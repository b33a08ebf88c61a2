"""The linter: which words of a list a rule would stop besides its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.moderation.linter import dictionary, examine, lint, read_words
from bot.moderation.rules import parse_rule

WORDS = [
    "walnut",
    "walnuts",
    "wall",
    "Essex",
    "cocktail",
    "peacock",
    "cock",
    "cock's",
    "a",
    "b",
    "c",
    "tab",
    "stab",
    "naïve",
]


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("walnut", ["walnuts"]),
        ("cock", ["cock's"]),
        ("cock*", ["cocktail", "cock's"]),
        ("*cock*", ["cocktail", "peacock", "cock's"]),
        ("*ab", ["tab", "stab"]),
        ("abc", []),
        ("re:^s?tab$", ["tab", "stab"]),
        ("naive", []),
    ],
)
def test_lint(text: str, hit: list[str]) -> None:
    rule = parse_rule(text)
    assert rule is not None
    assert lint(rule, WORDS) == hit


def test_words_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_bytes(b"walnut\n\n pelican \ncaf\xe9\n")
    assert read_words(path) == ["walnut", "pelican", "caf\ufffd"]


def test_a_rules_own_forms_are_no_surprise_and_prompts_are_tried() -> None:
    rule = parse_rule("walnut")
    assert rule is not None
    found = examine(rule, WORDS, ["a w4lnut", "a tree", "WALNUTS"])
    assert (found.words, found.prompts, found.looked_at) == ([], ["a w4lnut", "WALNUTS"], 3)
    prefix = parse_rule("wal*")
    assert prefix is not None
    assert examine(prefix, WORDS, []).words == ["walnut", "walnuts", "wall"]


def test_an_excuse_stops_nothing() -> None:
    rule = parse_rule("allow:walnut")
    assert rule is not None
    assert not examine(rule, WORDS, ["a walnut"])


def test_a_pair_is_tried_on_prompts() -> None:
    rule = parse_rule("near:walnut, tree")
    assert rule is not None
    assert examine(rule, WORDS, ["a walnut tree", "a walnut"]).prompts == ["a walnut tree"]


def test_there_is_always_a_dictionary() -> None:
    assert len(dictionary()) > 200
