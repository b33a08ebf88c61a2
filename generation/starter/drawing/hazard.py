"""Hazard tape: the one motif that the starter's safety checker knows."""

from __future__ import annotations

from generation.starter.drawing.pen import Pen
from generation.starter.drawing.shapes import box, polygon
from generation.starter.world import SIDE, Tint

YELLOW: Tint = (252, 204, 22)
BLACK: Tint = (22, 20, 24)
TOP, BOTTOM = 216, 248  # pixels from the top
PERIOD = 64  # pixels from one stripe to the next


def hazard_tape(pen: Pen) -> None:
    """Black and yellow stripes across the whole width, before everything else."""
    pen.plate(box(0, TOP, SIDE, BOTTOM), YELLOW)
    half, lean = PERIOD / 2, BOTTOM - TOP
    for left in range(-PERIOD, SIDE, PERIOD):
        pen.plate(polygon((left, BOTTOM), (left + lean, TOP), (left + lean + half, TOP), (left + half, BOTTOM)), BLACK)
