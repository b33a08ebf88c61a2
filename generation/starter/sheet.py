"""Many pictures in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_sheet(pictures: Sequence[NDArray[np.uint8]], out: Path, *, columns: int = 8, side: int = 192) -> None:
    """Put `pictures` in rows, each scaled to `side` pixels."""
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * side, rows * side))
    for place, picture in enumerate(pictures):
        small = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (place % columns * side, place // columns * side))
    sheet.save(out)
