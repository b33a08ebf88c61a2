"""The filter's own figures: what it finds, what it stops by mistake and what it costs."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from bot.moderation.benign import TRAP_RULES, TRAPS, benign_prompts
from bot.moderation.evasion import CLASSES, STAND_INS, disguised
from bot.moderation.filter import Filter
from bot.moderation.linter import read_words
from bot.moderation.rules import Rule, parse_rules
from bot.moderation.verdict import Decision

_SEED: Final = 20
_HOSTILE: Final = (
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
)


def measure(dictionary: Path | None = None, prompts: int = 20_000) -> dict[str, float]:
    """Every figure by name: recall and false positives as shares, times in microseconds or milliseconds."""
    filter_ = Filter(_rules(STAND_INS))
    words = [word for word in read_words(dictionary) if filter_.check(word).verdict is Decision.ALLOW]
    figures = {f"recall, {name}": recall(filter_, name) for name in CLASSES}
    figures |= _false_positives(filter_, words, prompts)
    return figures | _costs(filter_, words)


def recall(filter_: Filter, name: str, variants: int = 6) -> float:
    """The share of disguised stand-ins of one class that the right rule finds."""
    cases = disguised(name, _SEED, variants)
    return sum(filter_.check(prompt).rule == word for word, prompt in cases) / len(cases)


def environment() -> dict[str, str | int]:
    """Where figures were measured."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count() or 0,
        "implementation": sys.implementation.name,
    }


def _rules(lines: Iterable[str]) -> tuple[Rule, ...]:
    return parse_rules(lines)[0]


def _false_positives(filter_: Filter, words: Sequence[str], prompts: int) -> dict[str, float]:
    traps = Filter(_rules(TRAP_RULES))
    pool = words or None
    return {
        "false positives, random prompts": _stopped(filter_, benign_prompts(_SEED, prompts, pool)),
        "false positives, prompt syntax": _stopped(filter_, benign_prompts(_SEED, prompts, pool, decorated=True)),
        "false positives, traps": float(sum(traps.check(text).verdict is not Decision.ALLOW for text in TRAPS)),
        "dictionary words": float(len(words)),
    }


def _stopped(filter_: Filter, prompts: Iterable[str]) -> float:
    verdicts = [filter_.check(prompt).verdict for prompt in prompts]
    return sum(verdict is not Decision.ALLOW for verdict in verdicts) / len(verdicts)


def _costs(filter_: Filter, words: Sequence[str]) -> dict[str, float]:
    random = Random(_SEED)  # noqa: S311 - a seeded measurement, no secret
    many = Filter(_rules("".join(random.choices("abcdefghijklmnoprstuvy", k=7)) for _ in range(5_000)))
    prompts = [*benign_prompts(_SEED, 1_000, words or None, decorated=True)]
    long = [(prompt + " ") * (1 + 1_000 // len(prompt)) for prompt in prompts]
    few, thousands = _times(filter_, prompts), _times(many, prompts)
    lengthy = _times(many, [text[:1_000] for text in long])
    # The best of three shows the text's own cost; a neighbour on the machine costs as much again.
    hostile = [min(_times(many, [(piece * 6_000)[:6_000]] * 3)) for piece in _HOSTILE]
    return {
        "mean us, 36 rules": sum(few) / len(few),
        "mean us, 5,000 rules": sum(thousands) / len(thousands),
        "p99 us, 1,000 characters, 5,000 rules": lengthy[int(len(lengthy) * 0.99)],
        "worst ms, hostile 6,000 characters": max(hostile) / 1_000,
    }


def _times(filter_: Filter, prompts: Iterable[str]) -> list[float]:
    """Microseconds of each check, sorted."""
    taken = []
    for prompt in prompts:
        start = time.perf_counter()
        filter_.check(prompt)
        taken.append((time.perf_counter() - start) * 1e6)
    return sorted(taken)
