"""Latents to pixels and back: batched on a GPU, in tiles when memory is short, again in full precision on overflow."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from generation.engine.faults import is_shortage
from generation.engine.memory import SHARE, available, decode_bytes, let_go
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.safety.gate import Pixels

log = logging.getLogger(__name__)

TOGETHER_ON_GPU = 8  # pictures of 512 × 512 decoded at once; larger ones fewer
USUAL_PIXELS = 512 * 512
BLACK = 1 / 255  # the brightest value of a picture that is none


class Decoder:
    """The autoencoder of one model."""

    def __init__(self, model: LoadedModel, options: EngineOptions, alive: Callable[[], None]) -> None:
        self._model = model
        self._wanted = options.decode_batch
        self._alive = alive
        self._tiled = False

    def together(self, shape: tuple[int, int, int]) -> int:
        """How many pictures of these latents are decoded at once.

        One on a CPU: its last bits then do not depend on its company, and it is a third faster.
        """
        if self._model.place.device.type == "cpu":
            return self._wanted or 1
        pixels = shape[1] * shape[2] * self._model.cell**2
        return max(1, self._wanted or TOGETHER_ON_GPU * USUAL_PIXELS // max(pixels, USUAL_PIXELS))

    @torch.inference_mode()
    def encode(self, picture: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        """Latents (1, channels, height, width) of a picture (1, 3, height, width) in -1 … 1."""
        model = self._model
        encoded = model.vae.encode(picture.to(model.vae.device, model.vae.dtype))
        latents = encoded.latent_dist.sample(rng) if hasattr(encoded, "latent_dist") else encoded.latents
        scaled: torch.Tensor = (latents - _shift(model)) * model.vae.config.scaling_factor
        return scaled

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> list[Pixels]:
        """Pictures of latents (n, channels, height, width), 8 bits a channel, rounded as the library does."""
        found: list[Pixels] = []
        for part in torch.split(latents, self.together(_shape(latents))):
            found += [_pixels(picture) for picture in self._whole(part)]
            self._alive()
        return found

    def _whole(self, latents: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) in 0 … 1; what is no number stays none, for the gate to see."""
        vae = self._model.vae
        pixels = self._run(latents.to(vae.device, vae.dtype))
        lower = vae.dtype != torch.float32
        if lower and bool(latents.isfinite().all()) and not all(_sound(picture) for picture in pixels):
            log.warning("The decoder overflowed in %s; decoding again in float32", self._model.place.dtype_name)
            dtype = vae.dtype
            try:
                vae.to(torch.float32)
                pixels = self._run(latents.to(vae.device).float())
            finally:
                vae.to(dtype)
        return pixels

    def _run(self, latents: torch.Tensor) -> torch.Tensor:
        """Down the ladder while memory is short: one by one, then in tiles, for good."""
        free = available(self._model.place.device)
        if not self._tiled and free and decode_bytes(self._model, _shape(latents)) > SHARE * free:
            self._tile()
        try:
            return self._once(latents)
        except RuntimeError as error:
            if not is_shortage(error):
                raise
            let_go(self._model.place.device)
            if len(latents) > 1:
                self._wanted = 1
                return torch.cat([self._run(one[None]) for one in latents])
            if self._tiled or not self._tile():
                raise
        return self._run(latents)

    def _once(self, latents: torch.Tensor) -> torch.Tensor:
        model = self._model
        scaled = latents / model.vae.config.scaling_factor + _shift(model)
        return model.images.denormalize(model.vae.decode(scaled, return_dict=False)[0]).float()

    def _tile(self) -> bool:
        """Decode in overlapping tiles from now on; False where the autoencoder cannot."""
        enable = getattr(self._model.vae, "enable_tiling", None)
        if enable is None:
            return False
        log.warning("Memory is short: pictures are decoded in tiles from now on")
        enable()
        self._tiled = True
        return True


def _shape(latents: torch.Tensor) -> tuple[int, int, int]:
    return latents.shape[1], latents.shape[2], latents.shape[3]


def _shift(model: LoadedModel) -> float:
    return float(getattr(model.vae.config, "shift_factor", None) or 0.0)


def _sound(picture: torch.Tensor) -> bool:
    """Whether (3, height, width) in 0 … 1 is a picture; an overflow leaves no numbers, or nothing but black."""
    return bool(picture.isfinite().all()) and float(picture.max()) > BLACK


def _pixels(picture: torch.Tensor) -> Pixels:
    """(3, height, width) in 0 … 1 to 8 bits on the device, then to main memory: a quarter of the bytes to move."""
    if not _sound(picture):
        return None
    eight = (picture.clamp(0.0, 1.0) * 255).round().to(torch.uint8)
    return eight.permute(1, 2, 0).contiguous().cpu().numpy()
