"""Recall by class of evasion, over seeded disguises of neutral stand-in words."""

from __future__ import annotations

import pytest

from bot.moderation.bench import near_recall
from bot.moderation.evasion import CLASSES, LOOSE, STAND_INS, UNCOVERED, disguised
from bot.moderation.filter import Filter
from bot.moderation.rules import parse_rules
from bot.moderation.verdict import Decision, Reading


@pytest.fixture(scope="module")
def stand_ins() -> Filter:
    return Filter(parse_rules(STAND_INS)[0])


def test_there_are_at_least_thirty_classes() -> None:
    assert len(CLASSES) >= 30


@pytest.mark.parametrize("name", CLASSES)
def test_recall(stand_ins: Filter, name: str) -> None:
    cases = disguised(name, seed=7, variants=4)
    missed = [prompt for word, prompt in cases if stand_ins.check(prompt).rule != word]
    least = 0.97 if name in LOOSE else 0.99
    assert 1 - len(missed) / len(cases) >= least, missed[:5]


def test_disguises_do_disguise() -> None:
    """A filter that only compares words finds almost none of them, so recall above is the engine's."""
    for name in ("fullwidth", "zero-width", "small capitals", "spaced", "bracketed part", "repeated letters"):
        assert not any(word in prompt.split() for word, prompt in disguised(name, seed=7, variants=1)), name


def test_what_is_not_covered_is_named_and_stays_so() -> None:
    """These are no spelling: a rule that found them would stop honest words. If one is found one day, say so."""
    rules = Filter(parse_rules(STAND_INS)[0])
    found = {name: [rules.check(prompt) for _, prompt in disguised(name, seed=7, variants=2)] for name in UNCOVERED}
    assert len(UNCOVERED) == 3
    for name in ("split by a blank", "one wrong letter"):
        stopped = sum(verdict.verdict is not Decision.ALLOW for verdict in found[name])
        assert stopped / len(found[name]) < 0.1, name
    turned = found["turned round under a right-to-left override"]
    assert all((verdict.verdict, verdict.view) == (Decision.BLOCK, Reading.BIDI) for verdict in turned)


PAIRS = [("plain", 1.0), ("leetspeak", 0.99), ("fullwidth", 0.99), ("two mixed", 0.95)]


@pytest.mark.parametrize(("name", "least"), PAIRS)
def test_pairs_are_found_in_disguise(name: str, least: float) -> None:
    """Both words of a pair wear one, so a loose class is squared."""
    assert near_recall(name) >= least
