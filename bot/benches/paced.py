"""The real bot in a process of its own, with a painter of fixed speed: `python -m bot.benches.paced CONFIG SECONDS`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bot.waiting import within
from generation.engine.files import PictureFile, encode
from generation.errors import Cancelled, ConfigError, WorkerLost
from generation.job import Job, Progress, Result
from generation.models import ModelCard, describe
from generation.request import Request
from generation.safety.checker import Verdict
from generation.safety.gate import Gate
from generation.safety.level import Level
from generation.workers.worker import WorkerStatus

SIDE = 32  # pixels
BY = "a painter of fixed speed"


class Plainness:
    """Finds nothing, because there is nothing in a square of one colour; it approves what is painted here alone."""

    name = "plainness"
    version = "1"
    coverage = "looks at nothing but squares of one colour."

    def covers(self, request: Request) -> bool:
        """All that is painted here."""
        return True

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """One verdict per picture."""
        return [Verdict(Level.NEUTRAL) for _ in images]


class Paced:
    """Paints one small square after the other, `seconds` a job, a tenth of it each step."""

    capacity = 1
    trouble = ""

    def __init__(self, seconds: float, card: ModelCard | None = None) -> None:
        card = card or describe("starter")
        self.seconds = seconds
        self._gate = Gate([Plainness()])
        self._cancelled: set[str] = set()
        self._closing = asyncio.Event()
        self.status: WorkerStatus | None = WorkerStatus(
            card=card, device=BY, seconds_per_megapixel_step=None, checkers=self._gate.names, accepts_uploads=True
        )

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Whatever is being painted is lost."""
        self._closing.set()

    def cancel(self, job_id: str) -> None:
        """Stop at the next step."""
        self._cancelled.add(job_id)

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        """A square in the colour of the seed."""
        closing = self._closing
        for step in range(1, 11):
            if await within(closing, self.seconds / 10):
                raise WorkerLost
            on_progress(Progress(step=step, steps=10, preview=None))
            if job.id in self._cancelled:
                self._cancelled.discard(job.id)
                raise Cancelled
        pixels = [_square(job.request.seed + index) for index in range(job.request.count)]
        released = await asyncio.to_thread(self._gate.release, pixels, job=job, write=_write)
        return Result(job_id=job.id, pictures=released.pictures, grid=released.grid, recipe={}, seconds=self.seconds)


def _square(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((SIDE, SIDE, 3), (seed % 256, seed // 256 % 256, seed // 65536 % 256), np.uint8)


def _write(image: Image.Image, _index: int | None) -> PictureFile:
    return encode(image, "webp", parameters=None, from_upload=False)


async def _serve(path: Path, seconds: float) -> None:
    from bot.config import load
    from bot.running import run
    from bot.signals import Signals

    with Signals() as signals:
        config = load(path)
        await signals.through(run(config, signals, lambda: load(path), lambda: None, workers=(Paced(seconds),)))


def main(path: str, seconds: str) -> int:
    """Serve until a signal; returns the exit code."""
    import logging

    from bot.logs import set_up

    set_up(logging.INFO)
    try:
        asyncio.run(_serve(Path(path), float(seconds)))
    except ConfigError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 78
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
