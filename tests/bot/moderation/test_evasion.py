"""Recall by class of evasion, over seeded disguises of neutral stand-in words."""

from __future__ import annotations

import pytest

from bot.moderation.evasion import CLASSES, LOOSE, STAND_INS, disguised
from bot.moderation.filter import Filter
from bot.moderation.rules import parse_rules


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
