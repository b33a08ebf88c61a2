"""The filter's own figures: what it finds, what it stops by mistake and what it costs."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

from bot.moderation.artists import Artist, artist_rules
from bot.moderation.benign import TRAP_RULES, TRAPS, benign_prompts
from bot.moderation.evasion import CLASSES, STAND_INS, UNCOVERED, disguised
from bot.moderation.filter import Filter
from bot.moderation.linter import read_words, strangers
from bot.moderation.rules import Rule, parse_rules
from bot.moderation.verdict import Decision

_SEED: Final = 20
# Invented people: nobody real is imitated by a measurement.
_NAMES: Final = (
    ("Wilma", "Quandel"), ("Otto", "Brixen"), ("Greta", "Lorimer"), ("Hugo", "Ustinow"), ("Berta", "Fenn"),
    ("Emil", "Garrick"), ("Frieda", "O'Malley"), ("Konrad", "Petrescu"), ("Paula", "Vint-Hale"), ("Xaver", "Yarrow"),
    ("Renée", "Kirsch"), ("Zoë", "Dwyer"),
)  # fmt: skip
_IN_THE_MANNER: Final = (
    "a house in the style of {first} {last}", "a harbour by {initial}. {last}", "{last}, {first}: a meadow",
    "{first} {last}'s brushwork", "<lora:{first}_{last}_v2:0.8> a tree", "a boat, {first}{last} style",
)  # fmt: skip
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
    every = read_words(dictionary)
    words = [word for word in every if filter_.check(word).verdict is Decision.ALLOW]
    figures = {f"recall, {name}": recall(filter_, name) for name in CLASSES}
    figures |= {f"not covered, {name}": _refused(filter_, name) for name in UNCOVERED}
    figures |= {f"near rules, {name}": near_recall(name) for name in ("plain", "leetspeak", "three mixed")}
    figures |= _dictionary(filter_, every)
    figures |= _false_positives(filter_, words, prompts)
    figures |= _artists(words, prompts)
    return figures | costs(filter_, words) | _pattern_costs()


def recall(filter_: Filter, name: str, variants: int = 6) -> float:
    """The share of disguised stand-ins of one class that the right rule finds."""
    cases = disguised(name, _SEED, variants)
    return sum(filter_.check(prompt).rule == word for word, prompt in cases) / len(cases)


def near_recall(name: str) -> float:
    """The share of texts with two disguised stand-ins that a rule about the pair finds."""
    filter_ = Filter(_rules(f"near:{one}, {other}" for one, other in pairwise(STAND_INS)))
    seen: dict[str, list[str]] = {}
    for word, prompt in disguised(name, _SEED, 2):
        seen.setdefault(word, []).append(prompt)
    texts = [
        (one, f"{first}, {second}" if place % 2 else f"{second}, {first}")
        for one, other in pairwise(STAND_INS)
        for place, (first, second) in enumerate(zip(seen[one], seen[other], strict=True))
    ]
    return sum(one in (filter_.check(text).rule or "") for one, text in texts) / len(texts)


def _refused(filter_: Filter, name: str) -> float:
    """The share that does not pass, whatever the reason."""
    return _stopped(filter_, (prompt for _, prompt in disguised(name, _SEED, 6)))


def _artists(words: Sequence[str], prompts: int) -> dict[str, float]:
    """Invented names in all their writings, and ordinary prompts beside them."""
    filter_ = Filter(artist_rules(Artist(f"{first} {last}") for first, last in _NAMES))
    cases = [
        (f"{first} {last}", shape.format(first=first, last=last, initial=first[0]))
        for first, last in _NAMES
        for shape in _IN_THE_MANNER
    ]
    return {
        "artists, recall": sum(filter_.check(text).rule == name for name, text in cases) / len(cases),
        "artists, false positives, random prompts": _stopped(filter_, benign_prompts(_SEED, prompts, words or None)),
    }


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
    }


def _dictionary(filter_: Filter, words: Sequence[str]) -> dict[str, float]:
    """Of a word list, what is stopped though it is no form of the word that a rule names."""
    rules = {rule.text: rule for rule in _rules(STAND_INS)}
    stopped = [(word, rule) for word in words if (rule := filter_.check(word).rule) is not None]
    wrong = [word for word, rule in stopped if strangers(rules[rule], [word])]
    return {
        "dictionary words": float(len(words)),
        "dictionary words stopped, forms of a rule": float(len(stopped) - len(wrong)),
        "dictionary words stopped, others, share": len(wrong) / max(1, len(words)),
    }


def _stopped(filter_: Filter, prompts: Iterable[str]) -> float:
    verdicts = [filter_.check(prompt).verdict for prompt in prompts]
    return sum(verdict is not Decision.ALLOW for verdict in verdicts) / len(verdicts)


def costs(filter_: Filter, words: Sequence[str]) -> dict[str, float]:
    """What a check costs, for few rules and for thousands, on ordinary and on hostile texts."""
    random = Random(_SEED)  # noqa: S311 - a seeded measurement, no secret
    many = Filter(_rules("".join(random.choices("abcdefghijklmnoprstuvy", k=7)) for _ in range(5_000)))
    prompts = [*benign_prompts(_SEED, 1_000, words or None, decorated=True)]
    long = [(prompt + " ") * (1 + 1_000 // len(prompt)) for prompt in prompts]
    few, thousands = _times(filter_, prompts), _times(many, prompts)
    lengthy = _times(many, [text[:1_000] for text in long])
    # The best of three shows the text's own cost; a neighbour in the processor's cache costs as much again.
    hostile = [min(_times(many, [(piece * 6_000)[:6_000]] * 3)) for piece in _HOSTILE]
    return {
        "mean us, 36 rules": sum(few) / len(few),
        "mean us, 5,000 rules": sum(thousands) / len(thousands),
        "p99 us, 1,000 characters, 5,000 rules": lengthy[int(len(lengthy) * 0.99)],
        "worst ms, hostile 6,000 characters": max(hostile) / 1_000,
    }


def _pattern_costs() -> dict[str, float]:
    """Regular expressions at their most: as many as one server may have, written to be slow."""
    random = Random(_SEED)  # noqa: S311 - a seeded measurement, no secret
    slow = [f"re:[ab]*a[ab]{{{10 + number % 60}}}c{number}" for number in range(100)]
    plain = [f"re:w{number}(or|er)d[0-9]+x?" for number in range(100)]
    texts = ["".join(random.choices("ab", k=1_000)) for _ in range(20)]
    return {
        "mean ms, 100 patterns, 1,000 characters": sum(_times(Filter(_rules(plain)), texts)) / len(texts) / 1_000,
        "worst ms, 100 slow patterns, 1,000 characters (in a thread)": _times(Filter(_rules(slow)), texts)[-1] / 1_000,
    }


def _times(filter_: Filter, prompts: Iterable[str]) -> list[float]:
    """Microseconds that each check keeps a processor busy, sorted: what neighbours on the machine take is not ours."""
    taken = []
    for prompt in prompts:
        start = time.thread_time()
        filter_.check(prompt)
        taken.append((time.thread_time() - start) * 1e6)
    return sorted(taken)
