"""The samplers members may choose, each made by the library from the model's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
)

from generation.engine.library import Sampler

DPM = {"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": False}
CLASSES: dict[str, tuple[Any, dict[str, object]]] = {
    "dpmpp_2m": (DPMSolverMultistepScheduler, DPM),
    "dpmpp_2m_karras": (DPMSolverMultistepScheduler, DPM | {"use_karras_sigmas": True}),
    "dpmpp_2m_sde": (DPMSolverMultistepScheduler, DPM | {"algorithm_type": "sde-dpmsolver++"}),
    "euler": (EulerDiscreteScheduler, {"use_karras_sigmas": False}),
    "euler_a": (EulerAncestralDiscreteScheduler, {}),
    "ddim": (DDIMScheduler, {}),
    "unipc": (UniPCMultistepScheduler, {"use_karras_sigmas": False, "solver_order": 2}),
    "heun": (HeunDiscreteScheduler, {"use_karras_sigmas": False}),
    "lcm": (LCMScheduler, {}),
}
# Several classes clip the predicted picture to ±1 unless told otherwise. That is meant for pixels; latents are larger.
LATENT = {"clip_sample": False, "thresholding": False}


def build(name: str, config: Mapping[str, Any], steps: int) -> Sampler:
    """A fresh sampler called `name` for a model whose own settings are `config`; it carries one request's state."""
    kind, settings = CLASSES[name]
    if kind is LCMScheduler and steps > config.get("original_inference_steps", 50):
        settings = settings | {"original_inference_steps": steps}  # it refuses more steps than it was distilled from
    accepted = kind._get_init_keys(kind)
    wanted = {key: value for key, value in (LATENT | settings).items() if key in accepted}
    known = {key: value for key, value in config.items() if key in accepted}
    sampler: Sampler = kind.from_config(known, **wanted)
    return sampler


def predicted(sampler: Sampler, output: Any) -> torch.Tensor:
    """The clean latents that the step just taken was aiming at."""
    for field in ("pred_original_sample", "denoised"):
        clean = getattr(output, field, None)
        if isinstance(clean, torch.Tensor):
            return clean
    outputs = getattr(sampler, "model_outputs", None)  # multistep solvers keep the last converted outputs
    if outputs and isinstance(outputs[-1], torch.Tensor):
        return outputs[-1]
    return output.prev_sample  # type: ignore[no-any-return]
