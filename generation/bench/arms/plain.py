"""Calls of the library's own pipeline, the way peers make them: one request at a time, or a few alike together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch
from PIL import Image

from generation.bench.arms.arm import Witness, encode
from generation.bench.measures import Calls
from generation.bench.variants import compiled_for_each_size
from generation.engine import noise, samplers
from generation.engine.model import LoadedModel
from generation.request import Request


class Plain:
    """First come, first served, in batches of up to `together` pictures that are alike; 1 is plain FIFO."""

    def __init__(self, name: str, model: LoadedModel, *, together: int = 1, compiled: bool = False) -> None:
        self.name = name
        self._model = model
        self._together = together
        self._queue: deque[tuple[int, Request, Witness]] = deque()
        self._calls = Calls()
        self._pipeline = type(model.pipeline)(**model.pipeline.components, **_no_checker(model.pipeline))
        self._pipeline.set_progress_bar_config(disable=True)
        if compiled:
            self._pipeline.unet = compiled_for_each_size(self._pipeline.unet)

    def submit(self, number: int, request: Request, witness: Witness) -> None:
        """Join the end of the line."""
        self._queue.append((number, request, witness))

    def work(self) -> bool:
        """Paint and encode the next request, or the next few that are alike."""
        if not self._queue:
            return False
        batch = self._taken()
        requests = [request for _, request, _ in batch]
        for number, _, witness in batch:
            witness.began(number)

        def first() -> None:
            for number, _, witness in batch:
                witness.previewed(number)

        images = self._paint(requests, first)
        place = 0
        for number, request, witness in batch:
            for image in images[place : place + request.count]:
                encode(image)
            place += request.count
            witness.finished(number)
        return True

    def settle(self) -> None:
        """Nothing is left behind by `work`."""

    def counted(self) -> Calls:
        """One call per step, with a row per picture and one more when guided."""
        return Calls(self._calls.calls, self._calls.rows, self._calls.padded)

    def ripen(self) -> bool:
        """Nothing goes on in the background."""
        return False

    def close(self) -> None:
        """Forget the line."""
        self._queue.clear()

    def _taken(self) -> list[tuple[int, Request, Witness]]:
        batch = [self._queue.popleft()]
        alike = kind(batch[0][1])
        room = self._together // batch[0][1].count - 1
        for waiting in list(self._queue):
            if room <= 0:
                break
            if kind(waiting[1]) == alike:
                batch.append(waiting)
                self._queue.remove(waiting)
                room -= 1
        return batch

    def _paint(self, requests: Sequence[Request], first: Callable[[], None]) -> list[Image.Image]:
        lead = requests[0]
        self._pipeline.scheduler = samplers.build(lead.sampler, self._model.sampler_config, lead.steps)
        seeds = [request.single(index).seed for request in requests for index in range(request.count)]
        guided = lead.guidance > 1.0 and not self._model.embedded_guidance
        steps = 0

        def stepped(pipeline: Any, step: int, timestep: Any, state: dict[str, Any]) -> dict[str, Any]:
            nonlocal steps
            if step == 0:
                if self._model.place.device.type == "cuda":
                    torch.cuda.synchronize(self._model.place.device)  # a preview can be shown only once it is there
                first()
            steps += 1
            return state

        result = self._pipeline(
            prompt=[request.prompt for request in requests],
            negative_prompt=[request.negative for request in requests] if guided else None,
            width=lead.width,
            height=lead.height,
            num_inference_steps=lead.steps,
            guidance_scale=lead.guidance,
            num_images_per_prompt=lead.count,
            generator=[noise.generator(seed) for seed in seeds],
            output_type="pil",
            callback_on_step_end=stepped,
        )
        self._calls.calls += steps
        self._calls.rows += steps * len(seeds) * (2 if guided else 1)
        return list(result.images)


def kind(request: Request) -> tuple[object, ...]:
    """What must be equal for two requests to share a plain pipeline call."""
    return (request.steps, request.sampler, request.guidance, request.width, request.height, request.count)


def _no_checker(pipeline: Any) -> dict[str, Any]:
    return {"requires_safety_checker": False} if "safety_checker" in pipeline.components else {}
