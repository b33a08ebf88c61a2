"""A painter of fixed speed behind the Worker seam, for tests that are about the line and not about the model."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

from PIL import Image

from generation.errors import Cancelled, PaintingError
from generation.job import Job, Picture, Progress, Result
from generation.models import ModelCard
from generation.safety.approved import Approved
from generation.safety.held import Held
from generation.safety.level import Level
from generation.workers.worker import WorkerStatus

CARD = ModelCard(
    name="starter",
    family="sd1",
    native=256,
    steps=20,
    guidance=4.0,
    sampler="dpmpp_2m",
    licence="MIT",
    sha256="0" * 64,
)


class Painter:
    """Paints plain coloured squares, `step_seconds` a step; faults can be queued for the next jobs."""

    capacity = 1
    trouble = ""

    def __init__(self, step_seconds: float = 0.001, *, accepts_uploads: bool = True) -> None:
        self.step_seconds = step_seconds
        self.faults: list[PaintingError] = []
        self.painted: list[Job] = []
        self.status: WorkerStatus | None = WorkerStatus(
            card=CARD,
            device="a brush",
            seconds_per_megapixel_step=step_seconds / 0.065536,
            checkers=("test checker",),
            accepts_uploads=accepts_uploads,
        )
        self._cancelled: set[str] = set()
        self.kept_back: set[int] = set()  # places of pictures that a checker withholds from now on
        self.kept_level = Level.HIGH
        self.hold = asyncio.Event()  # clear it to let jobs wait in mid-painting
        self.hold.set()

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def cancel(self, job_id: str) -> None:
        self._cancelled.add(job_id)
        self.hold.set()

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        if self.faults:
            raise self.faults.pop(0)
        steps = job.request.steps
        for step in range(1, steps + 1):
            await asyncio.sleep(self.step_seconds)
            on_progress(Progress(step=step, steps=steps, preview=_square(job.request.seed + step, 32, "jpeg")))
            await self.hold.wait()
            if job.id in self._cancelled:
                raise Cancelled()
        self.painted.append(job)
        pictures = tuple(self._picture(job, index) for index in range(job.request.count))
        approved = sum(picture.approved is not None for picture in pictures)
        grid = _approved(job.request.seed, 64) if approved > 1 else None
        return Result(job_id=job.id, pictures=pictures, grid=grid, recipe={"model_sha256": "0" * 64}, seconds=0.1)

    def _picture(self, job: Job, index: int) -> Picture:
        seed = job.request.seed + index
        if index not in self.kept_back:
            return Picture(index=index, approved=_approved(seed))
        held = Held(
            data=_square(seed, 48, "webp"),
            media_type="image/webp",
            width=48,
            height=48,
            level=self.kept_level,
            seen=("test checker: 0.97",),
            checked_by=("test checker",),
        )
        return Picture(
            index=index,
            approved=None,
            withheld="The check kept this picture back.",
            level=self.kept_level,
            held=held,
            evidence=_approved(seed + 7, 8),
        )


def _approved(seed: int, side: int = 32) -> Approved:
    data = _square(seed, side, "webp")
    return Approved.of(data, media_type="image/webp", width=side, height=side, checked_by=("test checker",))


def _square(seed: int, side: int, kind: str) -> bytes:
    file = io.BytesIO()
    colour = (seed * 37 % 256, seed * 91 % 256, seed * 53 % 256)
    Image.new("RGB", (side, side), colour).save(file, kind)
    return file.getvalue()
