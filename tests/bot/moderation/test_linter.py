"""The linter: which words of a list a rule would stop besides its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.moderation.linter import lint, read_words
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
