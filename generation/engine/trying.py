"""Tries a freshly loaded model in bfloat16, and leaves each of its parts in the format that its trial speaks for.

Only on a CPU, and only where the owner left the format open. Words are encoded in float32 all the same: that happens
once a prompt, and costs little beside the steps.
"""

from __future__ import annotations

import copy
import logging
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from generation.engine.device import DTYPES
from generation.engine.formats import FULL, SHORT, Trial, Trials
from generation.engine.library import Part
from generation.engine.model import LoadedModel
from generation.engine.runner import sham_rows

log = logging.getLogger(__name__)

ROWS = 4  # of a trial's denoiser call: two guided pictures
ROUNDS = 3  # calls of each kind, formats in turns; the fastest counts, since machines are shared
PATIENCE = 3.0  # seconds that a call may be expected to take; slower parts are not tried
GLANCE = 4  # times smaller along a side: the call from which that is estimated
TIMESTEP = 500.0  # in the middle of the way from noise to picture

Call = Callable[[], torch.Tensor]


def settle(model: LoadedModel, known: Trials | None) -> tuple[LoadedModel, Trials]:
    """`model` with its parts in the formats that were chosen, and the trials; `known` ones are not made again.

    Must come before anything is done to the model's parts. Nothing is tried where torch computes bfloat16 by detours.
    """
    known = known or Trials()
    if not model.place.undecided or not quick_in_short():
        return replace(model, place=replace(model.place, undecided=False)), known
    trials = Trials(known.denoiser or _denoiser(model), known.decoder or _decoder(model))
    for name, part, trial in (("denoiser", model.denoiser, trials.denoiser), ("decoder", model.vae, trials.decoder)):
        if trial is None:
            log.info("The %s of %s runs in %s: it is not for trials", name, model.card.name, FULL)
            continue
        _turned(part, trial.chosen)
        log.info(
            "The %s of %s runs in %s: %.0f ms a call in %s, %.0f ms in %s, %.1f %% apart",
            name, model.card.name, trial.chosen, trial.full * 1e3, FULL, trial.short * 1e3, SHORT, trial.apart * 100,
        )  # fmt: skip
    place = replace(model.place, dtype=model.denoiser.dtype, undecided=False)
    return replace(model, place=place, bytes=_bytes(model)), trials


def circumstance(model: LoadedModel) -> str:
    """All that the trials of a model depend on."""
    able = torch.cpu.get_capabilities()
    units = [name for name in ("avx512_bf16", "amx_bf16") if able.get(name)]
    processor = str(able.get("cpu_name") or platform.machine())
    return " / ".join((model.place.words, processor, *units, model.card.sha256, f"torch {torch.__version__}"))


def quick_in_short() -> bool:
    """Whether this CPU has what torch needs to be quick in bfloat16."""
    library: Any = torch.backends.mkldnn
    operations: Any = torch.ops.mkldnn
    return library.is_available() and bool(operations._is_mkldnn_bf16_supported())


@torch.inference_mode()
def _denoiser(model: LoadedModel) -> Trial | None:
    rows = sham_rows(model, model.tokenizers[0].model_max_length, ROWS)

    def call(part: Any, count: int, shrunk: int) -> Call:
        latents = _noise(model, count, shrunk).to(part.dtype)
        told = {name: _cast(value, part.dtype) for name, value in model.family.arguments(rows[:count]).items()}
        timesteps = torch.full((count,), TIMESTEP)
        return lambda: part(latents, timesteps, **told, return_dict=False)[0]

    return _tried(model.denoiser, call, ROWS)


@torch.inference_mode()
def _decoder(model: LoadedModel) -> Trial | None:
    scale = float(model.vae.config.scaling_factor)

    def call(part: Any, count: int, shrunk: int) -> Call:
        latents = (_noise(model, count, shrunk) / scale).to(part.dtype)
        return lambda: part.decode(latents, return_dict=False)[0]

    return _tried(model.vae, call, 1)


def _tried(part: Part, call: Callable[[Part, int, int], Call], rows: int) -> Trial | None:
    """Time a part against a copy of it in SHORT; None when that would take too long."""
    if getattr(part, "_keep_in_fp32_modules", None):  # the library says that some of its layers need FULL
        return None
    glance = call(part, 1, GLANCE)
    if min(_timed(glance)[0] for _ in range(ROUNDS)) * rows * GLANCE**2 > PATIENCE:
        return None
    calls = [call(part, rows, 1), call(_turned(copy.deepcopy(part), SHORT), rows, 1)]
    for one in calls:
        one()  # fills caches
    times: list[list[float]] = [[], []]
    outputs = [torch.empty(0), torch.empty(0)]
    for _ in range(ROUNDS):
        for which, one in enumerate(calls):
            seconds, outputs[which] = _timed(one)
            times[which].append(seconds)
    return Trial(min(times[0]), min(times[1]), _apart(*outputs))


def _turned(part: Part, name: str) -> Part:
    """`part`, in place, in the format called `name`."""
    module: Any = part
    torch.nn.Module.to(module, DTYPES[name])  # the library's own `to` warns of layers that it has none of
    return part


def _timed(call: Call) -> tuple[float, torch.Tensor]:
    began = time.perf_counter()
    output = call()
    return time.perf_counter() - began, output


def _apart(full: torch.Tensor, short: torch.Tensor) -> float:
    difference = (short.float() - full).square().mean().sqrt() / full.square().mean().sqrt()
    return float(difference) if bool(difference.isfinite()) else float("inf")


def _noise(model: LoadedModel, count: int, shrunk: int) -> torch.Tensor:
    side = max(model.card.native // model.cell // shrunk, 8)
    rng = torch.Generator("cpu").manual_seed(0)
    return torch.randn((count, model.latent_channels, side, side), generator=rng)


def _cast(told: Any, dtype: torch.dtype) -> Any:
    if isinstance(told, dict):
        return {name: _cast(value, dtype) for name, value in told.items()}
    return told.to(dtype)


def _bytes(model: LoadedModel) -> int:
    parts: tuple[Any, ...] = (model.denoiser, model.vae, *model.text_encoders)
    return sum(weight.nbytes for part in parts for weight in part.parameters())
