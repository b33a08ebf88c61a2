"""A painter of fixed speed behind the Worker seam: its pictures are noise, but they pass the real gate."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from generation.engine.files import PictureFile, encode
from generation.errors import Cancelled, WorkerLost
from generation.job import Job, Progress, Result
from generation.models import describe
from generation.request import Request
from generation.safety.checker import Verdict
from generation.safety.gate import Gate
from generation.safety.level import Level
from generation.workers.worker import WorkerStatus

SIDE = 32  # pixels
PARTS = 4  # moments of a painting at which it shows how far it is


class NoiseChecker:
    """Finds nothing: there is nothing in noise. What it approves is painted here and nowhere else."""

    name = "noise checker"
    version = "1"
    coverage = "looks at nothing but noise of the soak's own painter."

    def covers(self, request: Request) -> bool:
        """Noise can always be judged."""
        return True

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """One verdict per picture."""
        return [Verdict(Level.NEUTRAL) for _ in images]


class FixedSpeed:
    """Takes `seconds` for every job, `capacity` jobs at once."""

    trouble = ""

    def __init__(self, seconds: float, capacity: int) -> None:
        self.capacity = capacity
        self._seconds = seconds
        self._gate = Gate([NoiseChecker()])
        self._cancelled: set[str] = set()
        self._gone = asyncio.Event()
        card = describe("starter")
        megapixel_steps = card.native**2 / 1e6 * card.steps
        self.status: WorkerStatus | None = WorkerStatus(
            card=card,
            device="a brush",
            seconds_per_megapixel_step=seconds / megapixel_steps / capacity,
            checkers=self._gate.names,
            coverage=self._gate.coverage,
            accepts_uploads=True,
            together=capacity,
        )

    async def start(self) -> None:
        """Nothing has to be loaded."""

    async def close(self) -> None:
        """Whatever is still painted ends in WorkerLost."""
        self.lose()

    def cancel(self, job_id: str) -> None:
        """Stop the job at its next part."""
        self._cancelled.add(job_id)

    def lose(self) -> None:
        """What is painted now ends as if the painting process had died; the next jobs find a new one."""
        self._gone.set()
        self._gone = asyncio.Event()

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        """Noise by the job's seed, so that a second attempt gives the same picture."""
        gone, steps = self._gone, job.request.steps
        preview = await asyncio.to_thread(_preview, job.request.seed)
        try:
            for part in range(1, PARTS + 1):
                await self._part(gone)
                if job.id in self._cancelled:
                    raise Cancelled
                on_progress(Progress(step=max(1, steps * part // PARTS), steps=steps, preview=preview))
        finally:
            self._cancelled.discard(job.id)
        pixels = [_noise(job.request.seed + index) for index in range(job.request.count)]
        released = await asyncio.to_thread(self._gate.release, pixels, job=job, write=_write)
        recipe = {"model_sha256": "0" * 64}
        return Result(
            job_id=job.id, pictures=released.pictures, grid=released.grid, recipe=recipe, seconds=self._seconds
        )

    async def _part(self, gone: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._seconds / PARTS):
                await gone.wait()
        except TimeoutError:
            return
        raise WorkerLost


def _noise(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def _preview(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_noise(seed)).save(file, "jpeg")
    return file.getvalue()


def _write(image: Image.Image, _index: int | None) -> PictureFile:
    return encode(image, "webp", parameters=None, from_upload=False)
