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
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
)

from generation.engine.library import Sampler
from generation.errors import BadRequest
from generation.options import FLOW, SAMPLERS

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
    FLOW: (FlowMatchEulerDiscreteScheduler, {}),
}
# Several classes clip the predicted picture to ±1 unless told otherwise. That is meant for pixels; latents are larger.
LATENT = {"clip_sample": False, "thresholding": False}


def build(name: str, config: Mapping[str, Any], steps: int) -> Sampler:
    """A fresh sampler called `name` for a model whose own settings are `config`; it carries one request's state."""
    kind, settings = CLASSES[name]
    flows = is_flow(config)
    if flows != (kind is FlowMatchEulerDiscreteScheduler):
        fitting = FLOW if flows else ", ".join(other for other in CLASSES if other != FLOW)
        raise BadRequest(f"The sampler {SAMPLERS.get(name, name)} does not fit this model; choose {fitting}.")
    if kind is LCMScheduler and steps > config.get("original_inference_steps", 50):
        settings = settings | {"original_inference_steps": steps}  # it refuses more steps than it was distilled from
    accepted = kind._get_init_keys(kind)
    wanted = {key: value for key, value in (LATENT | settings).items() if key in accepted}
    known = {key: value for key, value in config.items() if key in accepted}
    sampler: Sampler = kind.from_config(known, **wanted)
    return sampler


def is_flow(config: Mapping[str, Any]) -> bool:
    """Whether a model with these scheduler settings learnt straight flows instead of noise or velocity."""
    return "FlowMatch" in str(config.get("_class_name", "")) or config.get("prediction_type") == "flow_prediction"


def laid_out(sampler: Sampler, steps: int, strength: float | None) -> torch.Tensor:
    """The timesteps to take; with `strength` the last share of them, at least one step.

    The share is rounded down as in the library. Timesteps stay on the CPU: an index there costs no device sync.
    """
    sampler.set_timesteps(steps, device=torch.device("cpu"))
    if strength is None:
        return sampler.timesteps
    kept = max(1, min(int(steps * strength), steps))
    first = (steps - kept) * getattr(sampler, "order", 1)
    if hasattr(sampler, "set_begin_index"):
        sampler.set_begin_index(first)
    return sampler.timesteps[first:]


def scaled(sampler: Sampler, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Latents as the denoiser wants them; flow samplers want them as they are."""
    return sampler.scale_model_input(latents, timestep) if hasattr(sampler, "scale_model_input") else latents


def mixed(sampler: Sampler, picture: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
    """A picture's latents as noisy as at `timesteps`."""
    if hasattr(sampler, "scale_noise"):
        made: torch.Tensor = sampler.scale_noise(picture, timesteps, noise)
        return made
    return sampler.add_noise(picture, noise, timesteps)


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
