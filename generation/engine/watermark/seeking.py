"""Reads the watermarks in a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch
from PIL import Image

from generation.engine.watermark.frame import box, windows
from generation.engine.watermark.hiding import squares
from generation.engine.watermark.networks import Decoder
from generation.engine.watermark.weights import open_decoder
from generation.provenance.payload import Payload
from generation.provenance.watermark import Card, check_folder


class Seeker:
    """A watermark's decoder in service."""

    def __init__(self, card: Card, decoder: Decoder) -> None:
        self._card = card
        self._decoder = decoder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the weights in `folder`; raises ConfigError."""
        card = check_folder(folder)
        return cls(card, open_decoder(folder, card))

    @torch.inference_mode()
    def seek(self, image: Image.Image) -> tuple[Payload, ...]:
        """Every payload that can be read from an RGB picture, or from the pictures that a grid is made of.

        Of bits that are pure chance, one window in 8,500 gives one; whose it is tells the two apart.
        """
        parts = [part.crop(box(*part.size, self._card.widest)) for part in windows(image)]
        read = self._decoder(squares(parts, self._card.decoder.side)) > 0
        found = (Payload.read([int(bit) for bit in row]) for row in read.tolist())
        return tuple(dict.fromkeys(payload for payload in found if payload is not None))
