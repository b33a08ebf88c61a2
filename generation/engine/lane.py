"""A lane paints the samples of one model; what the engine needs of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch

from generation.engine.curve import Curve
from generation.engine.sample import Key, Sample
from generation.job import Job
from generation.safety.gate import Pixels

Moved = Callable[[Sample], bool]  # told of each step of a long call; False: the sample is not wanted any more


class Lane(Protocol):
    """One loaded model at work; every method is called from the engine's thread."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def lone(self) -> int:
        """Rows of one picture as this model is usually asked."""
        ...

    def begin(self, number: int, job: Job, arrived: float) -> list[Sample]:
        """Encode the words and draw the noise of painting `number`; raises a PaintingError or a Refusal."""
        ...

    def room(self, key: Key) -> int:
        """The most rows of one call."""
        ...

    def row_seconds(self, key: Key) -> float:
        """Seconds of one row in such a call."""
        ...

    def advance(self, samples: Sequence[Sample], moved: Moved) -> int:
        """Take one step with samples of one key; returns the rows that the call ran with, padding included.

        A lane whose calls are whole pictures takes all steps, and tells of each.
        """
        ...

    def observe(self, key: Key, rows: int, seconds: float) -> None:
        """Learn from a call in service that ran with so many rows."""
        ...

    def clean(self, sample: Sample) -> torch.Tensor | None:
        """(channels, height, width) what the latents aim at; None where a preview cannot be made of it."""
        ...

    def broken(self, sample: Sample) -> bool:
        """Whether the latents hold values that are no numbers."""
        ...

    def decode(self, samples: Sequence[Sample]) -> list[Pixels]:
        """The finished pictures of samples of one key."""
        ...

    def decodes(self, key: Key) -> int:
        """How many pictures are decoded together."""
        ...

    def relieve(self) -> bool:
        """Memory is short: give back what this model can do without; False where that was done already."""
        ...

    def forget(self, sample: Sample) -> None:
        """Let go of what is kept for a sample."""
        ...

    def curves(self) -> dict[str, Curve]:
        """What was learnt of calls, by size."""
        ...

    def curve_of(self, key: Key) -> Curve:
        """What was learnt of calls of this key."""
        ...

    def own_size(self) -> tuple[Key, float]:
        """The key of an unadorned picture of the model's own size, and its megapixels."""
        ...

    def is_exact(self, key: Key) -> bool:
        """Whether a picture of this key has the same bits in any company."""
        ...

    def recipe_of(self, key: Key) -> dict[str, object]:
        """How the pictures of a key are painted, as far as their bits depend on it."""
        ...
