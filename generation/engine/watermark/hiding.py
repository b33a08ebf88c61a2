"""Hides a payload in finished pixels, so that they look the same and a decoder still reads it from a copy."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn import functional

from generation.engine.watermark.frame import box, fade
from generation.engine.watermark.networks import Decoder, Encoder
from generation.engine.watermark.weights import open_decoder, open_encoder
from generation.errors import ConfigError, PaintingError
from generation.provenance.payload import Payload
from generation.provenance.watermark import Card, check_folder

log = logging.getLogger(__name__)

LEAST = 0.75  # of the bits that must come back at the start; networks that do not belong together give back half
TRIALS = 4  # pictures at the start
TRIAL_SIDE = 320  # pixels

Pixels = npt.NDArray[np.uint8]  # (height, width, 3)


class Hider:
    """A watermark's encoder in service; safe in several threads."""

    def __init__(self, card: Card, encoder: Encoder) -> None:
        self.card = card
        self._encoder = encoder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the weights in `folder` and try them; raises ConfigError unless they hide bits that can be read."""
        card = check_folder(folder)
        hider, decoder = cls(card, open_encoder(folder, card)), open_decoder(folder, card)
        right = hider.trial(decoder)
        if right < LEAST:
            raise ConfigError(
                f"The watermark in “{folder}” reads back only {right:.0%} of what it hides, as good as chance: its two "
                "files do not belong together, or they were never trained."
            )
        log.info("Pictures carry the watermark %s; at the start %.1f %% of its bits came back", card.title, 100 * right)
        return hider

    @torch.inference_mode()
    def hide(self, picture: Pixels, payload: Payload) -> Pixels:
        """A copy of `picture` with the payload in it; raises PaintingError where that gives no numbers."""
        left, top, right, bottom = box(picture.shape[1], picture.shape[0], self.card.widest)
        part = picture[top:bottom, left:right]
        residual = self._residual(part, payload)
        height, width, _ = part.shape
        full = functional.interpolate(residual, size=(height, width), mode="bilinear")[0].permute(1, 2, 0).numpy()
        cover = part.astype(np.float32)
        marked = np.clip(cover + full * (127.5 * self.card.strength), 0, 255)
        result = picture.copy()
        result[top:bottom, left:right] = np.rint(cover + fade(width, height)[..., None] * (marked - cover))
        return result

    def trial(self, decoder: Decoder) -> float:
        """The share of bits that `decoder` reads back from a few pictures of noise."""
        dice = np.random.default_rng(1)
        right = 0
        for number in range(TRIALS):
            payload = Payload(issuer=number, number=int(dice.integers(2**40)))
            marked = self.hide(_clouds(dice), payload)
            seen = decoder(squares([Image.fromarray(marked)], self.card.decoder.side))[0] > 0
            right += int((seen == torch.tensor(payload.bits(), dtype=torch.bool)).sum())
        return right / (TRIALS * self.card.bits)

    def _residual(self, part: Pixels, payload: Payload) -> torch.Tensor:
        """What the encoder adds to the small square, without a shift of whole colours."""
        cover = squares([Image.fromarray(part)], self.card.encoder.side)
        bits = torch.tensor([payload.bits()], dtype=torch.float32)
        residual: torch.Tensor = self._encoder(cover, bits).clamp(-1, 1) - cover
        if not torch.isfinite(residual).all():
            raise PaintingError
        return residual - residual.mean(dim=(2, 3), keepdim=True)


def squares(images: list[Image.Image], side: int) -> torch.Tensor:
    """Pictures as the networks see them: (n, 3, side, side) in -1 … 1."""
    small = [np.asarray(image.resize((side, side), Image.Resampling.BILINEAR)) for image in images]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def _clouds(dice: np.random.Generator) -> Pixels:
    """Noise of all sizes, as rich as a picture."""
    whole = np.zeros((TRIAL_SIDE, TRIAL_SIDE, 3), np.float32)
    for cells in (3, 8, 24, 80):
        coarse = Image.fromarray(dice.integers(0, 256, (cells, cells, 3), np.uint8))
        whole += np.asarray(coarse.resize((TRIAL_SIDE, TRIAL_SIDE), Image.Resampling.BICUBIC), np.float32) / 4
    return np.clip(whole, 0, 255).astype(np.uint8)
