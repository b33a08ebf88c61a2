"""What the filter must leave alone, and what it may cost."""

from __future__ import annotations

import time
from random import Random

import pytest

from bot.moderation.benign import TRAP_RULES, TRAPS, benign_prompts
from bot.moderation.evasion import STAND_INS
from bot.moderation.filter import Filter
from bot.moderation.linter import read_words
from bot.moderation.rules import parse_rules
from bot.moderation.verdict import Decision

FORMS = ("", "s", "es", "d", "ed", "ing", "'s", "s'")


def filter_of(lines: list[str] | tuple[str, ...]) -> Filter:
    rules, errors = parse_rules(lines)
    assert not errors
    return Filter(rules)


@pytest.mark.parametrize("text", TRAPS)
def test_traps(text: str) -> None:
    verdict = filter_of(TRAP_RULES).check(text)
    assert verdict.verdict is Decision.ALLOW, verdict


def test_the_trap_rules_do_stop_what_they_name() -> None:
    """Without this, rules that match nothing would pass every trap."""
    rules = filter_of(TRAP_RULES)
    for rule in TRAP_RULES:
        if not rule.startswith("allow:"):
            assert rules.check(f"a {rule} picture").verdict is Decision.BLOCK


@pytest.mark.parametrize("decorated", [False, True])
def test_random_prompts(decorated: bool) -> None:
    rules = filter_of(STAND_INS)
    stopped = [
        prompt
        for prompt in benign_prompts(3, 10_000, decorated=decorated)
        if rules.check(prompt).verdict is not Decision.ALLOW
    ]
    assert len(stopped) <= 5, stopped[:5]


def test_dictionary_words() -> None:
    words = read_words()
    if not words:
        pytest.skip("no system dictionary: install Debian's wamerican to run this check")
    rules = filter_of(STAND_INS)
    stopped = [(word, verdict.rule) for word in words if (verdict := rules.check(word)).verdict is not Decision.ALLOW]
    assert stopped
    strangers = [
        word for word, rule in stopped if rule and not word.lower().startswith(rule[:-1]) and not is_form(word, rule)
    ]
    assert len(strangers) <= len(words) * 0.0005, strangers


def is_form(word: str, rule: str) -> bool:
    return word.lower() in {rule + form for form in FORMS}


HOSTILE = [
    "n a ",
    "(na:1.2)",
    ":0",
    "l1",
    "(n@k3d:1.2) п e ",
    "a\u0301",
    "\ufdfa",
    "裸",
    "п ",
    "d'",
    "aI",
    "((",
    "a.",
    "<",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_cost_grows_with_length_only(piece: str) -> None:
    """Sixteen times the text may take sixteen times as long, with room for caches; quadratic is 256.

    The least of several times counts, in turns and of this thread alone: a busy machine then slows neither.
    """
    rules = filter_of(STAND_INS)
    text = (piece * 3_000)[:3_000]
    rules.check(text)
    turns = [(worked(rules, text), worked(rules, text * 16)) for _ in range(4)]
    short, long = (min(times) for times in zip(*turns, strict=True))
    assert long < 16 * 5 * short + 0.02


def test_cost_of_ordinary_prompts() -> None:
    """The published figures come from `filter bench`; this holds the order of magnitude on a busy machine."""
    random = Random(4)
    rules = filter_of(["".join(random.choices("abcdefghijklmnoprstuvy", k=7)) for _ in range(5_000)])
    prompts = [*benign_prompts(5, 400, decorated=True)]
    taken = sorted(seconds(rules, prompt) for prompt in prompts)
    assert taken[len(taken) // 2] < 0.001
    long = [(prompt + " ") * (1 + 1_000 // len(prompt)) for prompt in prompts[:100]]
    assert sorted(seconds(rules, text[:1_000]) for text in long)[50] < 0.004


def seconds(rules: Filter, text: str) -> float:
    start = time.perf_counter()
    rules.check(text)
    return time.perf_counter() - start


def worked(rules: Filter, text: str) -> float:
    """Seconds that this thread was computing, without those in which others had its core."""
    start = time.thread_time()
    rules.check(text)
    return time.thread_time() - start
