"""Which part of a picture carries the mark, and how it fades towards its edges: TrustMark's own rules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

FADE, LONGEST_FADE = 0.01, 50  # of the shorter side, and pixels at most

Box = tuple[int, int, int, int]  # left, top, right, bottom


def box(width: int, height: int, widest: float) -> Box:
    """The whole picture, or its central square where it is more than `widest` times as long as it is short."""
    if max(width, height) <= widest * min(width, height):
        return 0, 0, width, height
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def fade(width: int, height: int) -> npt.NDArray[np.float32]:
    """How much of the mark shows at each pixel (height, width): all of it but for a narrow margin."""
    margin = min(max(1, int(min(width, height) * FADE)), LONGEST_FADE)
    shown = np.ones((height, width), np.float32)
    steps = [(place, (place + 1) / margin) for place in range(margin)]
    for place, share in steps:
        shown[place, :] = shown[-1 - place, :] = share
    for place, share in steps:  # at the corners the upright edges count
        shown[:, place] = shown[:, -1 - place] = share
    return shown


def windows(image: Image.Image) -> list[Image.Image]:
    """Where a mark may be sought: the picture, then its halves and quarters, of which a grid may be made."""
    width, height = image.size
    across, down = width // 2, height // 2
    columns, rows = ((0, across), (across, width)), ((0, down), (down, height))
    parts = [(left, 0, right, height) for left, right in columns]
    parts += [(left, top, right, bottom) for top, bottom in rows for left, right in columns]
    return [image, *(image.crop(part) for part in parts if across and down)]
