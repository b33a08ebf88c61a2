"""Watches a whole pipeline at work: when a step is done, and what the picture is going to be."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import torch

OnStep = Callable[[torch.Tensor | None], None]  # predicted clean latents, None where their layout is not known


class Watch:
    """While it is entered, `on_step` hears of every step of `pipeline`; what it raises ends the pipeline's call.

    Latents are told as (pictures, channels, cells down, cells across), in the decoder's own scale without the shift
    that some pipelines add, so that a map fitted to what the encoder gives can be used on them.
    """

    def __init__(self, pipeline: Any, height: int, width: int, on_step: OnStep) -> None:
        self._pipeline = pipeline
        self._size = (height, width)
        self._on_step = on_step
        self._clean: torch.Tensor | None = None
        known = inspect.signature(type(pipeline).__call__).parameters
        self._called_back = "callback_on_step_end" in known
        # What has to be given to the pipeline's call. Older pipelines have no callback that is worth using; there, a
        # step is done when the scheduler says so.
        self.arguments: dict[str, Any] = {"callback_on_step_end": self._done} if self._called_back else {}

    def __enter__(self) -> Self:
        scheduler = getattr(self._pipeline, "scheduler", None)
        if scheduler is not None:
            scheduler.step = self._watched(scheduler, scheduler.step)  # on the object, above its class's method
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        scheduler = getattr(self._pipeline, "scheduler", None)
        if scheduler is not None:
            del scheduler.step

    def _watched(self, scheduler: Any, step: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(step)

        @functools.wraps(step)  # pipelines look at the parameters of a step before they call it
        def watched(*positional: Any, **named: Any) -> Any:
            stepped = step(*positional, **named)
            given = signature.bind(*positional, **named).arguments
            self._clean = _aimed_at(scheduler, given["model_output"], given["sample"], stepped)
            if not self._called_back:
                self._on_step(self._shaped(self._clean))
            return stepped

        return watched

    def _done(self, pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        self._on_step(self._shaped(self._clean))
        return {}

    def _shaped(self, latents: torch.Tensor | None) -> torch.Tensor | None:
        """Latents as a decoder takes them, where that can be told."""
        config = getattr(getattr(self._pipeline, "vae", None), "config", None)
        channels = getattr(config, "latent_channels", None)
        unpack = getattr(self._pipeline, "_unpack_latents", None)
        if latents is not None and latents.ndim == 3 and unpack is not None:
            names = list(inspect.signature(unpack).parameters)
            if names == ["latents", "height", "width", "vae_scale_factor"]:
                latents = unpack(latents, *self._size, self._pipeline.vae_scale_factor)
        if latents is None or latents.ndim != 4 or latents.shape[1] != channels:
            return None
        shift = (getattr(config, "shift_factor", None) or 0.0) * getattr(config, "scaling_factor", 1.0)
        return latents + shift


def _aimed_at(scheduler: Any, output: torch.Tensor, sample: torch.Tensor, stepped: Any) -> torch.Tensor | None:
    """The clean latents that a step was aiming at; None where the scheduler's way is not known."""
    if isinstance(stepped, tuple) and len(stepped) > 1 and isinstance(stepped[1], torch.Tensor):
        return stepped[1]  # Euler, DDIM, LCM: (previous sample, predicted clean sample)
    outputs = getattr(scheduler, "model_outputs", None)  # multistep solvers keep the last converted outputs
    if outputs and isinstance(outputs[-1], torch.Tensor):
        converted: torch.Tensor = outputs[-1]
        return converted
    index = getattr(scheduler, "step_index", None)
    sigmas = getattr(scheduler, "sigmas", None)
    if "FlowMatch" in type(scheduler).__name__ and index and sigmas is not None and output.shape == sample.shape:
        start: torch.Tensor = sigmas[index - 1].to(sample.device)
        return sample - start * output  # a straight line from the picture to noise
    return None
