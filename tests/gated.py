"""A painter whose pictures pass the real gate, with a checker that says what the test tells it to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from generation.engine.files import PictureFile, encode
from generation.job import Job, Progress, Result
from generation.request import Request
from generation.safety.checker import Verdict
from generation.safety.gate import Gate
from generation.safety.level import Level
from tests.painter import Painter


class Scripted:
    """Says the same of every picture, or what comes next in a list; an exception in it is raised."""

    name = "scripted checker"
    version = "1"
    coverage = "says what it was told to say."

    def __init__(self, *answers: Any, always: Any = Level.NEUTRAL) -> None:
        self.answers = list(answers)
        self.always = always

    def covers(self, request: Request) -> bool:
        return True

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        answer = self.answers.pop(0) if self.answers else self.always
        if isinstance(answer, Level):
            answer = Verdict(answer, (float(answer),), f"scripted {answer.name.lower()}")
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return [answer] if isinstance(answer, Verdict) else answer  # type: ignore[no-any-return]


class GatedPainter(Painter):
    """Paints noise and sends it through the gate."""

    def __init__(self, checker: Scripted, *, timeout: float = 5.0) -> None:
        super().__init__(step_seconds=0.0)
        self.checker = checker
        self.gate = Gate([checker], timeout=timeout)
        assert self.status is not None
        self.status = type(self.status)(
            card=self.status.card,
            device="a brush",
            seconds_per_megapixel_step=0.01,
            checkers=self.gate.names,
            coverage=self.gate.coverage,
            accepts_uploads=True,
        )

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        self.painted.append(job)
        on_progress(Progress(step=1, steps=job.request.steps))
        await self.hold.wait()
        rng = np.random.default_rng(job.request.seed)
        pixels: list[Any] = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(job.request.count)]
        released = await asyncio.to_thread(self.gate.release, pixels, job=job, write=_write)
        return Result(job_id=job.id, pictures=released.pictures, grid=released.grid, recipe={}, seconds=0.1)


def _write(image: Image.Image, _index: int | None) -> PictureFile:
    return encode(image, "webp", parameters=None, from_upload=False)
