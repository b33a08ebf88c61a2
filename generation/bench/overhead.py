"""What the engine adds to a denoiser call: measured with a denoiser that answers at once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from generation.bench.architectures import assemble_denoiser, build, denoiser_inputs
from generation.bench.configurations import SD15
from generation.bench.timing import seconds_of
from generation.engine.curve import Curve
from generation.engine.device import Place
from generation.engine.engine import Engine
from generation.engine.glimpse import Glimpse
from generation.engine.memory import available
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.painting import Painting
from generation.engine.preview import Preview
from generation.engine.rows import RowLane
from generation.errors import AtelierError
from generation.job import Job
from generation.request import Request
from generation.safety.gate import Pixels

REQUESTS = 16
STEPS = 30
SKIPPED = 3  # steps before things are warm
SAMPLERS = ("euler_a", "dpmpp_2m", "euler", "ddim")
NEEDED = 6 * 2**30  # bytes of main memory for a denoiser of SD1.5 size in float32 with some rows
CPU_ROWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Seconds of one engine step at REQUESTS requests beside the denoiser."""

    tables: float
    with_previews: float
    objects: float
    rows: float  # rows per call that were seen
    step: float | None = None  # seconds of one SD1.5 denoiser call of REQUESTS rows; None: not measured
    step_words: str = "not measured"  # how it was measured


class _Still(nn.Module):
    """A denoiser that answers at once, with the configuration of a real one."""

    def __init__(self, config: Any, place: Place, answer: torch.Tensor) -> None:
        super().__init__()
        self.config = config
        self.dtype = place.dtype
        self.device = place.device
        self._answer = answer

    def forward(self, sample: torch.Tensor, *_: object, **__: object) -> tuple[torch.Tensor]:
        """The same small noise whatever the question."""
        return (self._answer[: len(sample)],)


def measure(place: Place, *, budget: float) -> Overhead:
    """The engine's own time, and one SD1.5 step to hold it against, which may take `budget` seconds and longer."""
    step, words = _sd15_step(place, budget)
    return replace(beside_the_denoiser(place), step=step, step_words=words)


def beside_the_denoiser(place: Place) -> Overhead:
    """The engine's own time on latents of SD1.5 size (4 × 64 × 64)."""
    small = build("small", place)
    rng = torch.Generator("cpu").manual_seed(0)
    cells = SD15.native // small.cell
    answer = torch.randn((64, small.latent_channels, cells, cells), generator=rng).to(place.device, place.dtype)
    still: Any = _Still(small.denoiser.config, place, answer)
    model = replace(small, denoiser=still, card=replace(small.card, native=SD15.native))
    options = EngineOptions(exact="off", rows=REQUESTS, compile="off")
    tables, rows = _engine_step(model, options, previews=False)
    previewed, _ = _engine_step(model, options, previews=True)
    objects, _ = _engine_step(model, replace(options, stepping="objects"), previews=False)
    return Overhead(tables=tables, with_previews=previewed, objects=objects, rows=rows)


def _engine_step(model: LoadedModel, options: EngineOptions, *, previews: bool) -> tuple[float, float]:
    """Median seconds of a tick in which REQUESTS pictures of four samplers take a step, and the rows of its call."""
    faults: list[AtelierError] = []
    glimpse = None
    if previews:
        glimpse = Glimpse(
            {model.card.name: Preview.fit(model)}, every=options.preview_every, per_second=options.previews_per_second
        )
    engine = Engine(options, painted=_nobody, glimpse=glimpse)
    side = model.card.native // model.cell
    size = f"{model.latent_channels}x{side}x{side}+77"  # as the lane names it; all REQUESTS shall share every call
    known = Curve({1: 1.0, REQUESTS: 1.0}, [(1,), (REQUESTS,)], counts=(REQUESTS,))
    engine.put(RowLane(model, options, curves={size: known}))
    for number in range(REQUESTS):
        job = Job(id=f"overhead-{number}", request=_request(model, number))
        engine.submit(Painting(number=number, job=job, on_failed=faults.append))
    taken = []
    while engine.busy and not engine.counts.decoded:
        began = time.perf_counter()
        engine.tick()
        if model.place.device.type == "cuda":
            torch.cuda.synchronize(model.place.device)
        taken.append(time.perf_counter() - began)
    if faults:
        raise faults[0]
    steps = taken[SKIPPED : STEPS - SKIPPED]
    return statistics.median(steps), engine.counts.rows / max(1, engine.counts.calls)


def _nobody(painting: Painting, pixels: Sequence[Pixels]) -> None:
    """Pictures are not what is looked for."""


def _request(model: LoadedModel, number: int) -> Request:
    return Request(
        prompt="a red house",
        width=model.card.native,
        height=model.card.native,
        steps=STEPS,
        guidance=0.0,
        sampler=SAMPLERS[number % len(SAMPLERS)],
        seed=number,
        model=model.card.name,
    )


@torch.inference_mode()
def _sd15_step(place: Place, budget: float) -> tuple[float | None, str]:
    """Seconds of one denoiser call of REQUESTS rows with random weights; on a CPU, CPU_ROWS rows taken many times."""
    if place.device.type == "cpu" and available(place.device) < NEEDED:
        return None, "not measured: too little memory is free for a denoiser of SD1.5 size"
    unet = assemble_denoiser(SD15, place)
    rows = REQUESTS if place.device.type == "cuda" else CPU_ROWS
    given = denoiser_inputs(unet, place, rows, (64, 64))
    seconds = seconds_of(lambda: unet(**given), place.device, budget=budget, least=1)
    times = REQUESTS // rows
    words = f"one call of {rows} rows" + (f", times {times}" if times > 1 else "")
    return seconds * times, words
