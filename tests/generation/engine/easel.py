"""Drives the engine in process, for tests that look at latents and not at files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from PIL import Image

from generation.engine.curve import Curve
from generation.engine.engine import Engine
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.painting import Painting
from generation.engine.rows import RowLane
from generation.engine.sample import Sample
from generation.errors import AtelierError
from generation.job import Job, Progress
from generation.request import Request
from generation.safety.gate import Pixels

FAST = EngineOptions(exact="off", measure_seconds=0.0, channels_last="off")
OBJECTS = EngineOptions(exact="off", measure_seconds=0.0, channels_last="off", stepping="objects")
EXACT = EngineOptions(exact="on", measure_seconds=1.0, channels_last="off")
KNOWN: dict[tuple[int, str], dict[str, Curve]] = {}  # what was measured of a model is not measured again


class WatchedLane(RowLane):
    """Keeps the final latents of every sample, by painting and place in the set."""

    def __init__(self, model: LoadedModel, options: EngineOptions) -> None:
        super().__init__(model, options, curves=KNOWN.setdefault((id(model), options.exact), {}))
        self.final: dict[tuple[int, int], torch.Tensor] = {}

    def broken(self, sample: Sample) -> bool:
        self.final[sample.painting, sample.index] = self.latents(sample).clone()
        return super().broken(sample)


@dataclass
class Easel:
    """An engine with one model, and everything that it says."""

    engine: Engine
    lane: WatchedLane
    pixels: dict[int, list[Pixels]] = field(default_factory=dict)
    progress: dict[int, list[Progress]] = field(default_factory=dict)
    failures: dict[int, AtelierError] = field(default_factory=dict)

    def submit(self, number: int, request: Request, image: bytes | None = None) -> None:
        """Hand in a request."""
        self.progress[number] = []
        self.engine.submit(
            Painting(
                number=number,
                job=Job(id=f"job-{number}", request=replace(request, model=self.lane.name), image=image),
                on_progress=self.progress[number].append,
                on_failed=lambda error: self.failures.__setitem__(number, error),
            )
        )

    def run(self) -> None:
        """Work until there is nothing left to do."""
        while self.engine.tick():
            pass

    def latents(self, number: int) -> torch.Tensor:
        """(count, channels, height, width) of a painting that is through."""
        mine = sorted(place for place in self.lane.final if place[0] == number)
        return torch.stack([self.lane.final[place] for place in mine])


def easel(
    model: LoadedModel,
    options: EngineOptions = FAST,
    *,
    lane: Callable[[LoadedModel, EngineOptions], WatchedLane] = WatchedLane,
) -> Easel:
    """An engine that paints with `model`."""
    made: list[Easel] = []
    engine = Engine(options, painted=lambda painting, pixels: made[0].pixels.__setitem__(painting.number, pixels))
    made.append(Easel(engine, lane(model, options)))
    engine.put(made[0].lane)
    return made[0]


def painted(
    model: LoadedModel, *requests: Request, options: EngineOptions = FAST, image: bytes | None = None
) -> Sequence[torch.Tensor]:
    """The final latents of requests that are handed in together."""
    subject = easel(model, options)
    for number, request in enumerate(requests):
        subject.submit(number, request, image)
    subject.run()
    assert not subject.failures, subject.failures
    return [subject.latents(number) for number in range(len(requests))]


def png(image: Image.Image) -> bytes:
    """A picture as intake hands it over."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
