"""The figures of TRUST.md as gates: the published measurement on fewer prompts."""

from __future__ import annotations

import pytest

from bot.moderation.bench import costs, measure
from bot.moderation.evasion import CLASSES, LOOSE, STAND_INS
from bot.moderation.filter import Filter
from bot.moderation.rules import parse_rules

COSTS = {
    "mean us, 5,000 rules": 250.0,
    "p99 us, 1,000 characters, 5,000 rules": 2_000.0,
    "worst ms, hostile 6,000 characters": 20.0,
}


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return measure(prompts=3_000)


@pytest.mark.parametrize("name", CLASSES)
def test_recall(figures: dict[str, float], name: str) -> None:
    assert figures[f"recall, {name}"] >= (0.97 if name in LOOSE else 0.99)


def test_honest_words(figures: dict[str, float]) -> None:
    assert figures["false positives, traps"] == 0
    for name in ("false positives, random prompts", "false positives, prompt syntax"):
        assert figures[name] <= 0.0005
    assert figures["artists, false positives, random prompts"] <= 0.0005
    assert figures["dictionary words stopped, others, share"] <= 0.0005


def test_the_dictionary_is_the_one_that_is_published(figures: dict[str, float]) -> None:
    if not figures["dictionary words"]:
        pytest.skip("no system dictionary: install Debian's wamerican to run this check")
    assert figures["dictionary words"] > 100_000


def test_pairs_and_artists(figures: dict[str, float]) -> None:
    assert figures["artists, recall"] == 1
    assert figures["near rules, plain"] == 1
    assert figures["near rules, leetspeak"] >= 0.99
    assert figures["near rules, three mixed"] >= 0.95  # both words wear three disguises, so 0.97 counts twice


def test_cost(figures: dict[str, float]) -> None:
    """A busy machine makes everything dearer for a while, so the best of three measurements counts."""
    filter_ = Filter(parse_rules(STAND_INS)[0])
    measured = [figures]
    while len(measured) < 3 and any(measured[-1][name] > most for name, most in COSTS.items()):
        measured.append(costs(filter_, []))
    for name, most in COSTS.items():
        assert min(each[name] for each in measured) <= most, name
