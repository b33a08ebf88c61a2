"""What happens to pictures on their way, and how much of a mark is left then."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from generation.engine.watermark.hiding import Hider, squares
from generation.engine.watermark.networks import Decoder
from generation.provenance.payload import Payload


def jpeg(image: Image.Image, quality: int = 85) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def smaller(image: Image.Image) -> Image.Image:
    return image.resize([length * 3 // 4 for length in image.size], Image.Resampling.LANCZOS)


WAYS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image,
    "JPEG 85": jpeg,
    "75 %": smaller,
    "75 %, JPEG 85": lambda image: jpeg(smaller(image)),
}


def right_bits(hider: Hider, decoder: Decoder, pictures: Sequence[Image.Image], way: str) -> float:
    """The share of bits that are read back from copies of `pictures`."""
    dice = np.random.default_rng(5)
    shares = []
    for picture in pictures:
        payload = Payload(int(dice.integers(2**21)), int(dice.integers(2**40)))
        copy = WAYS[way](Image.fromarray(hider.hide(np.asarray(picture), payload)))
        with torch.inference_mode():
            read = decoder(squares([copy], hider.card.decoder.side))[0] > 0
        shares.append((read == torch.tensor(payload.bits(), dtype=torch.bool)).float().mean().item())
    return float(np.mean(shares))
