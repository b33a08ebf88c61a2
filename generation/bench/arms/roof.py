"""The most a machine could do offline: the trace's own rows and pictures in full batches, and nothing else.

No samplers, no text, no order to keep: a denoiser call of the best size for every so many row-steps that the requests
ask for, their pictures decoded in the best batches and encoded in threads. Whatever serves the same trace is slower.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from PIL import Image

from generation.bench.architectures import denoiser_inputs
from generation.bench.arms.arm import Witness, encode
from generation.bench.measures import Calls
from generation.bench.timing import seconds_of
from generation.bench.variants import compiled_for_each_size
from generation.engine.model import LoadedModel
from generation.request import Request

ROWS = (1, 2, 4, 8, 16, 32)
PICTURES = (1, 2, 4, 8)


class Roof:
    """Works off row-steps in batches of the best size; requests are done in order as their steps are paid for."""

    def __init__(self, name: str, model: LoadedModel, side: int, *, compiled: bool, budget: float) -> None:
        self.name = name
        self._model = model
        self._side = side  # pixels
        self._denoiser: Any = compiled_for_each_size(model.denoiser) if compiled else model.denoiser
        self._pool = ThreadPoolExecutor(2)
        self._queue: deque[tuple[int, Request, Witness]] = deque()
        self._decoding: list[tuple[int, int, Witness]] = []  # number, pictures that are left, witness
        self._files: list[Future[None]] = []
        self._credit = 0
        self._calls = Calls()
        self.rows = _best({rows: self._rate(rows, budget / 2 / len(ROWS)) for rows in ROWS})
        self.pictures = _best({count: self._decode_rate(count, budget / 2 / len(PICTURES)) for count in PICTURES})
        self._inputs = self._given(self.rows)
        self._latents = self._noise(self.pictures)

    def submit(self, number: int, request: Request, witness: Witness) -> None:
        """Join the end of the line."""
        self._queue.append((number, request, witness))

    @torch.inference_mode()
    def work(self) -> bool:
        """One call of the denoiser, and the pictures it pays for."""
        if not self._queue:
            self._decode()
            return False
        self._denoiser(**self._inputs)
        self._calls.calls += 1
        self._calls.rows += self.rows
        self._credit += self.rows
        while self._queue and self._credit >= self._cost(self._queue[0][1]):
            number, request, witness = self._queue.popleft()
            self._credit -= self._cost(request)
            self._decoding.append((number, request.count, witness))
        if sum(count for _, count, _ in self._decoding) >= self.pictures:
            self._decode()
        return True

    def settle(self) -> None:
        """Wait for the files."""
        for file in self._files:
            file.result()
        self._files.clear()

    def counted(self) -> Calls:
        """Calls of the best size."""
        return Calls(self._calls.calls, self._calls.rows, self._calls.padded)

    def ripen(self) -> bool:
        """Nothing goes on in the background."""
        return False

    def close(self) -> None:
        """End the encoders."""
        self._pool.shutdown()

    def _decode(self) -> None:
        owed, self._decoding = self._decoding, []
        pictures: list[Image.Image] = []
        for number, count, witness in owed:
            while len(pictures) < count:
                pictures += self._batch()
            mine, pictures = pictures[:count], pictures[count:]
            self._files.append(self._pool.submit(_encode, mine, number, witness))

    @torch.inference_mode()
    def _batch(self) -> list[Image.Image]:
        pixels = self._model.vae.decode(self._latents, return_dict=False)[0]
        ready = (self._model.images.denormalize(pixels) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()
        return [Image.fromarray(picture) for picture in ready.numpy()]

    def _cost(self, request: Request) -> int:
        """Row-steps."""
        guided = request.guidance > 1.0 and not self._model.embedded_guidance
        return request.count * request.steps * (2 if guided else 1)

    def _given(self, rows: int) -> dict[str, Any]:
        cells = self._side // self._model.cell
        return denoiser_inputs(self._model.denoiser, self._model.place, rows, (cells, cells))

    def _noise(self, count: int) -> torch.Tensor:
        cells = self._side // self._model.cell
        drawn = torch.randn(
            count, self._model.latent_channels, cells, cells, generator=torch.Generator("cpu").manual_seed(0)
        )
        return drawn.to(self._model.place.device, self._model.vae.dtype)

    @torch.inference_mode()
    def _rate(self, rows: int, budget: float) -> float:
        given = self._given(rows)
        return rows / seconds_of(lambda: self._denoiser(**given), self._model.place.device, budget=budget)

    @torch.inference_mode()
    def _decode_rate(self, count: int, budget: float) -> float:
        latents = self._noise(count)
        work = lambda: self._model.vae.decode(latents, return_dict=False)  # noqa: E731  # one line, said once
        return count / seconds_of(work, self._model.place.device, budget=budget)


def _best(rates: dict[int, float]) -> int:
    return max(rates, key=lambda size: rates[size])


def _encode(pictures: list[Image.Image], number: int, witness: Witness) -> None:
    for picture in pictures:
        encode(picture)
    witness.finished(number)
