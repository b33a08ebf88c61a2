"""Whole pipelines behind the lane's interface: one picture a call, with its steps, previews and cancel inside."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from generation.engine.curve import Curve
from generation.engine.faults import is_shortage
from generation.engine.lane import Moved
from generation.engine.memory import let_go
from generation.engine.plain import PlainModel
from generation.engine.sample import Key, Sample
from generation.errors import Cancelled, OutOfMemory
from generation.job import Job
from generation.request import Request
from generation.safety.gate import Pixels

PATH = "plain"


class PlainLane:
    """One model whose pictures are painted one after the other; a new family that learns rows gets a file instead."""

    def __init__(self, model: PlainModel, *, curves: dict[str, Curve] | None = None) -> None:
        self.model = model
        self._curves = curves if curves is not None else {}
        self._requests: dict[Sample, Request] = {}
        self._clean: dict[Sample, torch.Tensor | None] = {}
        self._pictures: dict[Sample, Pixels] = {}

    @property
    def name(self) -> str:
        """See Lane."""
        return self.model.card.name

    @property
    def lone(self) -> int:
        """See Lane."""
        return 1

    def begin(self, number: int, job: Job, arrived: float) -> list[Sample]:
        """See Lane; raises BadRequest for what only models in rows can do."""
        request = job.request
        self.model.refuse(request)
        key = Key(self.name, (), (1, request.height, request.width), 0, PATH)
        samples = [Sample(number, index, key, 1, request.steps, arrived) for index in range(request.count)]
        for sample in samples:
            self._requests[sample] = request.single(sample.index)
        return samples

    def room(self, key: Key) -> int:
        """One picture at a time."""
        return 1

    def row_seconds(self, key: Key) -> float:
        """Seconds of a step."""
        return self._curve(key).seconds(1)

    def advance(self, samples: Sequence[Sample], moved: Moved) -> int:
        """All steps of one picture; `moved` hears of each, and ends it by saying no."""
        [sample] = samples
        began = time.perf_counter()

        def on_step(step: int, steps: int, clean: torch.Tensor | None) -> None:
            nonlocal began
            self.observe(sample.key, 1, time.perf_counter() - began)
            began = time.perf_counter()
            sample.done = min(step, sample.calls - 1)  # the last one is through when the picture is there
            self._clean[sample] = None if clean is None else clean[0]
            if not moved(sample):
                raise Cancelled

        try:
            pixels = self.model.paint(self._requests[sample], on_step, lambda: False)[0]
        except RuntimeError as error:
            if not is_shortage(error):
                raise
            let_go(self.model.place.device)
            raise OutOfMemory from error
        sound = bool(np.isfinite(pixels).all())
        self._pictures[sample] = (pixels.clip(0.0, 1.0) * 255).round().astype(np.uint8) if sound else None
        sample.done = sample.calls
        return 1

    def observe(self, key: Key, rows: int, seconds: float) -> None:
        """See Lane; only steps count here, whole calls do not."""
        if rows == 1 and seconds > 0:
            self._curve(key).observe(1, seconds)

    def clean(self, sample: Sample) -> torch.Tensor | None:
        """See Lane."""
        return self._clean.get(sample)

    def broken(self, sample: Sample) -> bool:
        """See Lane."""
        return self._pictures[sample] is None

    def decode(self, samples: Sequence[Sample]) -> list[Pixels]:
        """See Lane; the pipeline has done it."""
        return [self._pictures[sample] for sample in samples]

    def decodes(self, key: Key) -> int:
        """See Lane."""
        return 1

    def relieve(self) -> bool:
        """See Lane; a pipeline is taken as it is."""
        return False

    def forget(self, sample: Sample) -> None:
        """See Lane."""
        self._requests.pop(sample, None)
        self._clean.pop(sample, None)
        self._pictures.pop(sample, None)

    def curves(self) -> dict[str, Curve]:
        """See Lane."""
        return self._curves

    def curve_of(self, key: Key) -> Curve:
        """See Lane."""
        return self._curve(key)

    def own_size(self) -> tuple[Key, float]:
        """See Lane."""
        side = self.model.card.native
        return Key(self.name, (), (1, side, side), 0, PATH), side * side / 1e6

    def recipe_of(self, key: Key) -> dict[str, object]:
        """See Lane: a picture is alone in its call, so its bits are the same in any company."""
        return {"exact": True, "row_counts": [1], "path": PATH}

    def is_exact(self, key: Key) -> bool:
        """See Lane."""
        return True

    def _curve(self, key: Key) -> Curve:
        return self._curves.setdefault(f"{key.shape[1]}x{key.shape[2]} {PATH}", Curve())
