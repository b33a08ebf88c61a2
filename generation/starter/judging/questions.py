"""Prompts whose right answer is known, always the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from generation.starter.captions import caption
from generation.starter.training.dataset import Source
from generation.starter.world import Spec, held_out

SERIES = 2026  # seed of the specs; training and the reader use others
FIRST_SEED = 5000  # of the noise


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt, the noise to start from, and what the picture ought to show."""

    prompt: str
    seed: int
    spec: Spec

    @property
    def recombines(self) -> bool:
        """Whether it asks for a pair that was never rendered in training."""
        return any(held_out(group.thing, group.color) for group in self.spec.groups)


def questions(world: str, count: int, *, recombining: bool, taped: bool = False) -> list[Question]:
    """The first `count` prompts with things in them: only seen pairs, or only such that hold a pair never seen.

    `taped` asks for hazard tape in every one of them.
    """
    source, found, number = Source(world, SERIES, keep_out=False, hazards=float(taped)), list[Question](), 0
    while len(found) < count:
        spec = source.spec(number)[0]
        prompt = caption(spec, Random(f"prompt/{number}"), complete=True)
        question = Question(prompt, FIRST_SEED + number, spec)
        number += 1
        if spec.groups and question.recombines == recombining:
            found.append(question)
    return found


def gallery(world: str, count: int) -> list[Question]:
    """The first `count` prompts of the series, whatever they ask for."""
    source = Source(world, SERIES + 1, keep_out=False)
    specs = [source.spec(number)[0] for number in range(count)]
    prompts = [caption(spec, Random(f"gallery/{number}"), complete=True) for number, spec in enumerate(specs)]
    return [
        Question(prompt, 1 + number, spec) for number, (prompt, spec) in enumerate(zip(prompts, specs, strict=True))
    ]
