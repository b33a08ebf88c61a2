"""How much arithmetic a call is, counted on tensors without contents, and what matrix products reach here."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from generation.bench.architectures import denoiser_inputs
from generation.bench.timing import seconds_of
from generation.engine.device import Place
from generation.engine.model import LoadedModel

META = Place(torch.device("meta"), torch.float32, "nowhere")
SIDES_ON_GPU, SIDES_ON_CPU = (4096, 8192, 16384), (512, 1024, 2048)


def denoiser_flops(model: LoadedModel, side: tuple[int, int]) -> int:
    """FLOPs of one row on latents of `side` (height, width in cells); a multiply-add is two."""
    twin: Any = _without_contents(model.denoiser)
    given = denoiser_inputs(twin, META, 1, side)
    return _counted(lambda: twin(**given))


def decode_flops(model: LoadedModel, side: tuple[int, int]) -> int:
    """FLOPs of decoding one picture."""
    twin: Any = _without_contents(model.vae)
    latents = torch.empty(1, model.latent_channels, *side, device="meta")
    return _counted(lambda: twin.decode(latents, return_dict=False))


def gemm_rate(place: Place, budget: float) -> float:
    """The most FLOP a second that a square matrix product reaches on `place`, over about `budget` seconds."""
    sides = SIDES_ON_GPU if place.device.type == "cuda" else SIDES_ON_CPU
    best = 0.0
    for side in sides:
        left, right = (torch.randn(side, side, device=place.device, dtype=place.dtype) for _ in range(2))

        def product(a: torch.Tensor = left, b: torch.Tensor = right) -> torch.Tensor:
            return a @ b

        best = max(best, 2 * side**3 / seconds_of(product, place.device, budget=budget / len(sides)))
    return best


def _without_contents(part: Any) -> Any:
    with torch.device("meta"):
        return type(part).from_config(part.config).eval()


def _counted(work: Any) -> int:
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())
