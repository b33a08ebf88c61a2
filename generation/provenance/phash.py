"""A perceptual hash: 64 bits that stay much the same when a picture is re-saved, resized or slightly retouched.

The picture is made grey and 32 × 32 pixels small; of its discrete cosine transform the 64 lowest frequencies after the
mean are kept, and each gives one bit: whether it is above their median. Cropping, mirroring and turning change it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from statistics import median

from PIL import Image

BITS = 64
SIDE = 32  # pixels
PLAIN = 0.5  # grey levels of 255; a picture whose frequencies are all weaker has no features that would last

_FREQUENCIES = sorted(((u, v) for u in range(SIDE) for v in range(SIDE)), key=lambda uv: (sum(uv), uv))[1 : BITS + 1]
_HIGHEST = max(map(max, _FREQUENCIES))
_WAVES = tuple(
    tuple(math.cos(math.pi * (2 * x + 1) * u / (2 * SIDE)) for x in range(SIDE)) for u in range(_HIGHEST + 1)
)


def perceptual_hash(image: Image.Image) -> int | None:
    """The hash of `image`, 0 to 2⁶⁴ - 1; None when the picture is too plain to be told from others."""
    # Grey first: a third of the work of resizing. Sums of plain floats, in order: the same bits on every machine.
    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    levels = small.tobytes()
    rows = [levels[start : start + SIDE] for start in range(0, SIDE * SIDE, SIDE)]
    across = [[_along(wave, row) for row in rows] for wave in _WAVES]
    strengths = [_along(_WAVES[v], across[u]) for u, v in _FREQUENCIES]
    if max(map(abs, strengths)) < PLAIN * (SIDE / 2) ** 2:
        return None
    middle = median(strengths)
    return sum(1 << place for place, strength in enumerate(strengths) if strength > middle)


def distance(one: int, other: int) -> int:
    """In how many of the 64 bits two hashes differ; unrelated pictures are about 32 apart."""
    return (one ^ other).bit_count()


def _along(wave: Sequence[float], values: Sequence[float]) -> float:
    return sum(map(mul, wave, values), 0.0)
