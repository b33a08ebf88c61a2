"""The little language of prompts: (stress), [less of it], (this much:1.3), and <lora:name:0.8>.

The grammar is the one that Stable Diffusion programs have in common (it began in AUTOMATIC1111's web UI, "Attention/
emphasis"); the difference is that a bracket without a partner is plain text here, so that a smile stays a smile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from generation.request import Lora

STRESS = 1.1  # what one pair of round brackets multiplies by, and one pair of square brackets divides by
LIGHTEST, HEAVIEST = 0.0, 3.0  # beyond these a picture only breaks
PARTNERS = {")": "(", "]": "["}
PLAIN = -1  # the sign of a letter
ESCAPE = -2  # of a backslash before a bracket, which is not read itself
WEIGHT = re.compile(r":\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$")
LORA = re.compile(r"<lora:([^:<>]+)(?::([+-]?(?:\d+\.?\d*|\.\d+)))?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words with one weight; 1.0 is how the model reads them by itself."""

    text: str
    weight: float


def phrases(prompt: str) -> tuple[Phrase, ...]:
    r"""The prompt without its brackets, cut where the weight changes; `\(`, `\)`, `\[` and `\]` are plain brackets."""
    signs = _signs(prompt)
    weights = _weights(prompt, signs)
    found: list[tuple[list[str], float]] = []
    for i, sign in enumerate(prompt):
        if signs[i] is not PLAIN or weights[i] is None:
            continue
        if not found or found[-1][1] != weights[i]:
            found.append(([], weights[i] or 0.0))
        found[-1][0].append(sign)
    return tuple(Phrase("".join(letters), weight) for letters, weight in found)


def split_loras(prompt: str) -> tuple[str, tuple[Lora, ...]]:
    """The prompt without its <lora:name:scale> tags, and what they name in order; everything else stays as it is."""
    named = tuple(Lora(tag[1].strip(), float(tag[2] or 1.0)) for tag in LORA.finditer(prompt))
    return LORA.sub("", prompt), named


def _signs(prompt: str) -> list[int]:
    """For each letter PLAIN, ESCAPE, or the place of the bracket that is its partner."""
    signs = [PLAIN] * len(prompt)
    open_at: list[int] = []
    skip = False
    for i, letter in enumerate(prompt):
        if skip:
            skip = False
        elif letter == "\\" and prompt[i + 1 : i + 2] in ("(", ")", "[", "]"):
            signs[i], skip = ESCAPE, True
        elif letter in PARTNERS.values():
            open_at.append(i)
        elif letter in PARTNERS:
            _close(prompt, signs, open_at, i)
    return signs


def _close(prompt: str, signs: list[int], open_at: list[int], end: int) -> None:
    """Join the bracket at `end` with the nearest open one of its kind; those left open in between are plain text."""
    kinds = [prompt[i] for i in open_at]
    if PARTNERS[prompt[end]] not in kinds:
        return
    nearest = len(kinds) - 1 - kinds[::-1].index(PARTNERS[prompt[end]])
    start = open_at[nearest]
    del open_at[nearest:]
    signs[start], signs[end] = end, start


def _weights(prompt: str, signs: list[int]) -> list[float | None]:
    """The weight of each letter; None where it is part of a written weight, which is not read."""
    weights: list[float | None] = [1.0] * len(prompt)
    factors = [1.0]
    for i, letter in enumerate(prompt):
        if signs[i] >= 0 and letter in PARTNERS.values():
            factors.append(factors[-1] * _factor(prompt, signs, i, weights))
        elif signs[i] >= 0:
            factors.pop()
        elif weights[i] is not None:
            weights[i] = round(min(max(factors[-1], LIGHTEST), HEAVIEST), 6)  # ([a]) is exactly 1 again
    return weights


def _factor(prompt: str, signs: list[int], start: int, weights: list[float | None]) -> float:
    """What the pair that begins at `start` multiplies by; marks the weight that is written at its end."""
    end = signs[start]
    if prompt[start] == "[":
        return 1 / STRESS
    inner = max((i + 1 for i in range(start, end) if signs[i] != PLAIN), default=start + 1)
    written = WEIGHT.search(prompt, inner, end)
    if written is None:
        return STRESS
    weights[written.start() : end] = [None] * (end - written.start())
    return float(written[1])
