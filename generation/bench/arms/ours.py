"""The engine of this product, file encoding in threads beside it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PIL import Image

from generation.bench.arms.arm import Witness, encode
from generation.bench.measures import Calls
from generation.engine.engine import Engine
from generation.engine.glimpse import Glimpse
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.painting import Painting
from generation.engine.preview import Preview
from generation.engine.rows import RowLane
from generation.errors import AtelierError, BrokenPicture
from generation.job import Job, Progress
from generation.request import Request
from generation.safety.gate import Pixels


class Ours:
    """Rows and steps, with previews as members get them."""

    def __init__(self, name: str, model: LoadedModel, options: EngineOptions, *, encoders: int = 2) -> None:
        self.name = name
        self._pool = ThreadPoolExecutor(encoders)
        self._files: list[Future[None]] = []
        self._fault: AtelierError | None = None
        self._witnesses: dict[int, Witness] = {}
        previews = {model.card.name: Preview.fit(model)}
        glimpse = Glimpse(previews, every=options.preview_every, per_second=options.previews_per_second)
        self._engine = Engine(options, painted=self._painted, glimpse=glimpse)
        self.lane = RowLane(model, options)
        self._engine.put(self.lane)

    def submit(self, number: int, request: Request, witness: Witness) -> None:
        """Hand the request over."""

        def stepped(_: Progress) -> None:
            witness.previewed(number)

        self._witnesses[number] = witness
        job = Job(id=f"bench-{number}", request=request)
        self._engine.submit(Painting(number=number, job=job, on_progress=stepped, on_failed=self._failed))

    def work(self) -> bool:
        """One tick; raises what a job failed with, for a benchmark in which pictures fail measures nothing."""
        worked = self._engine.tick()
        if self._fault is not None:
            raise self._fault
        return worked

    def settle(self) -> None:
        """Wait for the files."""
        for file in self._files:
            file.result()
        self._files.clear()

    def counted(self) -> Calls:
        """The engine's own count."""
        counts: Any = self._engine.counts
        return Calls(counts.calls, counts.rows, counts.padded)

    def ripen(self) -> bool:
        """Wait for the compilers; True when there was one, so that calls are not what they were."""
        return await_compilers()

    def close(self) -> None:
        """End the encoders."""
        self._pool.shutdown()

    def _painted(self, painting: Painting, pixels: Sequence[Pixels]) -> None:
        witness = self._witnesses.pop(painting.number)
        self._files.append(self._pool.submit(_encode, list(pixels), painting.number, witness))

    def _failed(self, error: AtelierError) -> None:
        self._fault = error


def await_compilers() -> bool:
    """Wait for the engine's threads that compile in the background; True when there was any."""
    compilers = [thread for thread in threading.enumerate() if thread.name == "compile"]
    for compiler in compilers:
        compiler.join()
    return bool(compilers)


def _encode(pixels: Sequence[Pixels], number: int, witness: Witness) -> None:
    for picture in pixels:
        if picture is None:
            raise BrokenPicture
        encode(Image.fromarray(picture))
    witness.finished(number)
