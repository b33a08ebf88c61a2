"""Square views that together show every part of a picture, because checkers look at one small square."""

from __future__ import annotations

from PIL import Image

LARGE = 768  # pixels along the long side; above it, small things vanish when the whole is shrunk to 224
TILE_SHARE = 0.6  # of the short side, for tiles of large pictures
OVERLAP = 0.25  # of a tile, so that nothing is cut at every edge
SQUARE_ENOUGH = 1.05


def views(image: Image.Image) -> list[Image.Image]:
    """The whole picture (squeezed into a square when it is none), and overlapping squares where that is not enough."""
    short, long = sorted(image.size)
    oblong = long > short * SQUARE_ENOUGH
    whole = image.resize((short, short), Image.Resampling.BICUBIC) if oblong else image
    if not oblong and long <= LARGE:
        return [whole]
    side = short if long <= LARGE else max(1, round(short * TILE_SHARE))
    corners = [(x, y) for y in _starts(image.height, side) for x in _starts(image.width, side)]
    return [whole, *(image.crop((x, y, x + side, y + side)) for x, y in corners)]


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of `side` begin so that they cover `length` evenly with at least OVERLAP."""
    room = length - side
    count = -(-room // max(1, round(side * (1 - OVERLAP)))) + 1
    return [0] if count == 1 else [round(i * room / (count - 1)) for i in range(count)]
