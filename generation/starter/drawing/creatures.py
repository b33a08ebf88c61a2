"""Animals and other beings, one unit high, standing on y = 0 around x = 0."""

from __future__ import annotations

from random import Random

from generation.starter.drawing.pen import Pen
from generation.starter.drawing.shapes import DARK, WHITE, box, brightness, curve, darker, ellipse, lighter, polygon
from generation.starter.world import Tint

BEAK: Tint = (246, 160, 40)


def _eyes(pen: Pen, x: float, y: float, apart: float, radius: float, *, white: bool = True) -> None:
    for side in (-1, 1):
        if white:
            pen.fill(ellipse(x + side * apart, y, radius * 1.5), WHITE)
        pen.fill(ellipse(x + side * apart, y, radius * 0.85), DARK)


def cat(pen: Pen, tint: Tint, rng: Random) -> None:
    """Sitting, seen from the front, tail to the right."""
    pen.line(curve((0.22, -0.08), (0.52, -0.1, 0.42, -0.46), close=False), tint, 0.09 * pen.scale)
    pen.fill(curve((-0.26, 0), (-0.3, -0.5, 0, -0.5), (0.3, -0.5, 0.26, 0)), tint)
    for side in (-1, 1):
        pen.fill(polygon((side * 0.3, -0.72), (side * 0.29, -1.0), (side * 0.07, -0.86)), tint)
    pen.fill(ellipse(0, -0.66, 0.31, 0.26), tint)
    pen.fill(ellipse(0, -0.17, 0.12, 0.15), lighter(tint, 0.35), outline=False)
    _eyes(pen, 0, -0.7, 0.12, 0.048)
    pen.fill(polygon((-0.04, -0.6), (0.04, -0.6), (0, -0.56)), (240, 120, 140))
    whisker = DARK if brightness(tint) > 250 else WHITE
    for side in (-1, 1):
        pen.line(polygon((side * 0.1, -0.57), (side * 0.34, -0.6), close=False), whisker, 1.2)


def owl(pen: Pen, tint: Tint, rng: Random) -> None:
    """Big eyes, feather ears and folded wings."""
    for side in (-1, 1):
        pen.fill(polygon((side * 0.3, -0.72), (side * 0.26, -1.0), (side * 0.06, -0.88)), tint)
    pen.fill(ellipse(0, -0.46, 0.34, 0.46), tint)
    pen.fill(ellipse(0, -0.32, 0.2, 0.27), lighter(tint, 0.45))
    for side in (-1, 1):
        wing = ((side * 0.5, -0.3, side * 0.28, -0.12), (side * 0.22, -0.36, side * 0.3, -0.62))
        pen.fill(curve((side * 0.3, -0.62), *wing), darker(tint, 0.3))
        pen.fill(ellipse(side * 0.13, -0.68, 0.13), WHITE)
        pen.fill(ellipse(side * 0.12, -0.68, 0.065), DARK)
    pen.fill(polygon((-0.05, -0.6), (0.05, -0.6), (0, -0.5)), BEAK)


def penguin(pen: Pen, tint: Tint, rng: Random) -> None:
    """The colour is the coat; the belly stays white."""
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.13, -0.03, 0.12, 0.05), BEAK)
        flipper = ((side * 0.52, -0.36, side * 0.36, -0.2), (side * 0.28, -0.3, side * 0.24, -0.62))
        pen.fill(curve((side * 0.24, -0.62), *flipper), darker(tint, 0.2))
    pen.fill(ellipse(0, -0.5, 0.3, 0.49), tint)
    belly = WHITE if brightness(tint) < 690 else (215, 220, 232)
    pen.fill(ellipse(0, -0.38, 0.21, 0.33), belly, outline=False)
    _eyes(pen, 0, -0.78, 0.1, 0.042)
    pen.fill(polygon((-0.07, -0.71), (0.07, -0.71), (0, -0.62)), BEAK)


def snowman(pen: Pen, tint: Tint, rng: Random) -> None:
    """The colour is that of hat and scarf."""
    for y, rx, ry in ((-0.23, 0.27, 0.24), (-0.52, 0.2, 0.18), (-0.75, 0.15, 0.14)):
        pen.fill(ellipse(0, y, rx, ry), (244, 248, 252))
    pen.fill(box(-0.2, -0.885, 0.2, -0.84), tint)
    pen.fill(box(-0.12, -1.0, 0.12, -0.86), tint)
    pen.fill(box(-0.19, -0.655, 0.19, -0.585, 0.03), tint)
    pen.fill(box(0.06, -0.62, 0.14, -0.4), tint)
    _eyes(pen, 0, -0.78, 0.05, 0.026, white=False)
    pen.fill(polygon((0, -0.74), (0.16, -0.71), (0, -0.69)), (246, 140, 40))


def bird(pen: Pen, tint: Tint, rng: Random) -> None:
    """In flight to the right, wing raised."""
    pen.fill(polygon((-0.28, -0.42), (-0.52, -0.3), (-0.5, -0.52)), darker(tint))
    pen.fill(ellipse(-0.02, -0.42, 0.32, 0.2), tint)
    pen.fill(ellipse(0.27, -0.58, 0.16), tint)
    pen.fill(curve((-0.16, -0.46), (-0.3, -0.98, 0.02, -0.92), (0.16, -0.7, 0.12, -0.44)), darker(tint))
    pen.fill(polygon((0.4, -0.62), (0.54, -0.56), (0.4, -0.52)), BEAK)
    pen.fill(ellipse(0.31, -0.61, 0.035), WHITE if brightness(tint) < 200 else DARK)


def butterfly(pen: Pen, tint: Tint, rng: Random) -> None:
    """Two pairs of wings seen from above."""
    for side in (-1, 1):
        upper = ((side * 0.12, -1.02, side * 0.46, -0.94), (side * 0.58, -0.6, 0, -0.46))
        lower = ((side * 0.5, -0.4, side * 0.36, -0.1), (side * 0.12, -0.02, 0, -0.42))
        pen.fill(curve((0, -0.5), *upper), tint)
        pen.fill(curve((0, -0.46), *lower), lighter(tint, 0.25))
        pen.fill(ellipse(side * 0.29, -0.73, 0.07), WHITE if brightness(tint) < 640 else DARK)
        pen.line(curve((0, -0.72), (side * 0.04, -0.9, side * 0.12, -0.98), close=False), DARK, 1.8)
    pen.fill(ellipse(0, -0.48, 0.045, 0.28), DARK)


def fish(pen: Pen, tint: Tint, rng: Random) -> None:
    """Swimming to the right."""
    pen.fill(polygon((-0.26, -0.5), (-0.52, -0.78), (-0.46, -0.5), (-0.52, -0.22)), darker(tint))
    pen.fill(curve((-0.14, -0.74), (0.06, -1.0, 0.2, -0.7)), darker(tint))
    pen.fill(ellipse(0.06, -0.5, 0.42, 0.29), tint)
    pen.fill(ellipse(-0.02, -0.46, 0.1, 0.1), darker(tint, 0.2), outline=False)
    pen.fill(ellipse(0.27, -0.58, 0.075), WHITE)
    pen.fill(ellipse(0.285, -0.58, 0.04), DARK)
    pen.line(curve((0.3, -0.38), (0.36, -0.4, 0.42, -0.42), close=False), DARK, 2)


def whale(pen: Pen, tint: Tint, rng: Random) -> None:
    """Spouting, facing right."""
    for bend, tip in ((0.02, -0.1), (0.14, 0.26)):
        pen.line(curve((0.08, -0.72), (bend, -0.96, tip, -0.92), close=False), (170, 220, 250), 3.5)
    tail = ((-0.42, -0.76, -0.4, -0.66), (-0.34, -0.8, -0.24, -0.8), (-0.26, -0.56, -0.2, -0.4))
    pen.fill(curve((-0.34, -0.36), (-0.52, -0.5, -0.54, -0.82), *tail), tint)
    back = ((-0.1, -0.42, 0.0, -0.62), (0.2, -0.82, 0.42, -0.56))
    pen.fill(curve((-0.4, -0.48), *back, (0.56, -0.2, 0.3, -0.1), (-0.3, 0, -0.4, -0.48)), tint)
    belly = curve((-0.1, -0.12), (0.2, -0.26, 0.47, -0.3), (0.44, -0.08, 0.2, -0.06))
    pen.fill(belly, lighter(tint, 0.6), outline=False)
    pen.fill(ellipse(0.28, -0.44, 0.038), WHITE if brightness(tint) < 300 else DARK)


def ghost(pen: Pen, tint: Tint, rng: Random) -> None:
    """A sheet with a jagged hem and round eyes."""
    hem = ((0.23, -0.14), (0.11, 0), (0, -0.14), (-0.11, 0), (-0.23, -0.14))
    pen.fill(curve((-0.34, 0), (-0.36, -0.98, 0, -0.98), (0.36, -0.98, 0.34, 0), *hem), tint)
    hole = WHITE if brightness(tint) < 300 else DARK
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.12, -0.64, 0.055, 0.085), hole, outline=False)
    pen.fill(ellipse(0, -0.44, 0.05, 0.06), hole, outline=False)
