"""A job in the engine: its samples in flight, its finished pictures, and who is told of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generation.engine.sample import Sample
from generation.errors import AtelierError
from generation.job import Job, Progress

if TYPE_CHECKING:
    from generation.engine.lane import Lane
    from generation.safety.gate import Pixels


def _ignore(_: object) -> None:
    """Nobody wants to know."""


@dataclass(slots=True, eq=False, kw_only=True)
class Painting:
    """One job from its submission until all its pictures are decoded."""

    number: int
    job: Job
    on_progress: Callable[[Progress], None] = _ignore
    on_failed: Callable[[AtelierError], None] = _ignore
    arrived: float = 0.0  # engine's clock
    lane: Lane | None = None
    samples: list[Sample] = field(default_factory=list)
    pixels: dict[int, Pixels] = field(default_factory=dict)  # by place in the set
    seconds: float = 0.0  # its share of the engine's working time
    rows: set[int] = field(default_factory=set)  # rows of the calls it took part in
    told: int = 0  # the latest step that was told of
    previewed: float = float("-inf")  # when its latest preview was made

    @property
    def steps(self) -> int:
        """Denoising steps as members count them; image-to-image takes fewer than were asked for."""
        sample = self.samples[0]
        return -(-sample.calls // sample.order)

    @property
    def step(self) -> int:
        """The step that its pictures have taken on average."""
        return sum(-(-sample.done // sample.order) for sample in self.samples) // len(self.samples)
