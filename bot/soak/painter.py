"""A painter of fixed speed for several jobs at once, which may be lost as a painting process may be."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from bot.benches.paced import SIDE, Paced
from generation.job import Job, Progress, Result


class Losable(Paced):
    """Takes `seconds` for every job, `capacity` jobs at once."""

    def __init__(self, seconds: float, capacity: int) -> None:
        super().__init__(seconds)
        self.capacity = capacity
        assert self.status is not None, "nothing has to be loaded"
        self.status = replace(self.status, together=capacity)

    def lose(self) -> None:
        """What is painted now ends as if the painting process had died; the next jobs find a new one."""
        self._closing.set()
        self._closing = asyncio.Event()

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        """A square in the colour of the seed, the same at every attempt, with previews on the way."""
        preview = _preview(job.request.seed)
        return await super().paint(job, lambda progress: on_progress(replace(progress, preview=preview)))


def _preview(seed: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (seed % 256, seed // 256 % 256, seed // 65536 % 256)).save(file, "jpeg")
    return file.getvalue()
