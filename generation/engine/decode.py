"""Latents to pixels, with a second try in full precision when the first one overflows."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from generation.engine.model import LoadedModel

log = logging.getLogger(__name__)


@torch.inference_mode()
def decode(model: LoadedModel, latents: torch.Tensor, alive: Callable[[], None]) -> npt.NDArray[np.float32]:
    """Pixels (count, height, width, 3), nominally 0 to 1; a broken picture is left non-finite for the gate to see.

    One picture at a time: its last bits then do not depend on its company, and on a CPU it is a third faster.
    """
    pixels = []
    for part in latents.chunk(len(latents)):
        pixels.append(_decode(model, part))
        alive()
    return torch.cat(pixels).permute(0, 2, 3, 1).numpy()


def _decode(model: LoadedModel, latents: torch.Tensor) -> torch.Tensor:
    pixels = _run(model, latents)
    lower = model.vae.dtype != torch.float32
    if lower and bool(latents.isfinite().all()) and not bool(pixels.isfinite().all()):
        log.warning("The decoder overflowed in %s; decoding again in float32", model.place.dtype_name)
        dtype = model.vae.dtype
        try:
            pixels = _run(model, latents, model.vae.to(torch.float32).dtype)
        finally:
            model.vae.to(dtype)
    return pixels


def _run(model: LoadedModel, latents: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
    scaled = (latents if dtype is None else latents.to(dtype)) / model.vae.config.scaling_factor
    pixels = model.vae.decode(scaled, return_dict=False)[0]
    return model.images.denormalize(pixels).float().cpu()
