"""A rough picture of unfinished latents through a small linear map, fitted to each decoder when it is loaded.

A preview has at most 32 × 32 source pixels per picture, smoothly enlarged: composition and colour. It passes the gate
like a finished picture before anybody sees it, see `glance`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import torch
from PIL import Image

from generation.engine.shelf import Model

SOURCE = 32  # the most source pixels along a side
SHOWN = 256  # pixels, the width of the preview's file
FIT_SIDE = 64  # pixels along a side of the pictures that the map is fitted to
FIT_COUNT = 12


class Preview:
    """The linear map latent → colour of one decoder."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self._weight = weight  # (channels, 3)
        self._bias = bias  # (3,)

    @classmethod
    @torch.inference_mode()
    def fit(cls, model: Model) -> Preview:
        """Least squares between smooth random pictures and the latents that this model's encoder gives them."""
        rng = torch.Generator("cpu").manual_seed(0)
        coarse = torch.rand((FIT_COUNT, 3, 4, 4), generator=rng)
        pictures = torch.nn.functional.interpolate(coarse, FIT_SIDE, mode="bicubic").clamp(0, 1)
        pictures[:4] = coarse[:4, :, :1, :1]  # plain colours pin the map's corners
        given = (pictures * 2 - 1).to(model.place.device, model.vae.dtype)
        encoded = model.vae.encode(given)
        latents = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
        latents = (latents * model.vae.config.scaling_factor).float().cpu()
        cells = torch.nn.functional.adaptive_avg_pool2d(pictures, latents.shape[-2:])
        known = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
        known = torch.cat([known, torch.ones(len(known), 1)], dim=1)
        ridge = 1e-4 * torch.eye(known.shape[1])
        solved = torch.linalg.solve(known.T @ known + ridge, known.T @ cells.permute(0, 2, 3, 1).reshape(-1, 3))
        return cls(solved[:-1].contiguous(), solved[-1].contiguous())

    @torch.inference_mode()
    def jpeg(self, latents: torch.Tensor) -> bytes:
        """A JPEG about 256 pixels wide of all pictures in `latents` (count, channels, height, width), side by side."""
        small = torch.nan_to_num(latents.detach().float())
        height, width = small.shape[-2:]
        if max(height, width) > SOURCE:
            shrink = SOURCE / max(height, width)
            size = (max(1, int(height * shrink)), max(1, int(width * shrink)))
            small = torch.nn.functional.adaptive_avg_pool2d(small, size)
        colours = torch.einsum("nchw,ck->nhwk", small.cpu(), self._weight) + self._bias
        pixels = (colours.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        return _jpeg([Image.fromarray(picture) for picture in pixels])


def _jpeg(pictures: Sequence[Image.Image]) -> bytes:
    across = 1 if len(pictures) == 1 else 2
    down = -(-len(pictures) // across)
    width, height = pictures[0].size
    scale = SHOWN / (width * across)
    tile = (SHOWN // across, max(1, round(height * scale)))
    sheet = Image.new("RGB", (tile[0] * across, tile[1] * down))
    for i, picture in enumerate(pictures):
        sheet.paste(picture.resize(tile, Image.Resampling.BICUBIC), (i % across * tile[0], i // across * tile[1]))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
