"""Buildings and vehicles, one unit high, standing on y = 0 around x = 0."""

from __future__ import annotations

from random import Random

from generation.starter.drawing.pen import Pen
from generation.starter.drawing.shapes import DARK, WHITE, box, curve, darker, ellipse, lighter, polygon
from generation.starter.world import Tint

WOOD: Tint = (112, 70, 44)
LAMP: Tint = (255, 228, 130)
GLASS: Tint = (190, 226, 246)


def house(pen: Pen, tint: Tint, rng: Random) -> None:
    """Gable roof, chimney, door and two lit windows."""
    pen.fill(box(0.16, -0.98, 0.27, -0.62), darker(tint, 0.45))
    pen.fill(box(-0.36, -0.6, 0.36, 0), tint)
    pen.fill(polygon((-0.47, -0.56), (0, -0.97), (0.47, -0.56)), darker(tint, 0.38))
    pen.fill(box(-0.09, -0.34, 0.09, 0), WOOD)
    for x in (-0.23, 0.23):
        pen.fill(box(x - 0.08, -0.42, x + 0.08, -0.25), LAMP)


def castle(pen: Pen, tint: Tint, rng: Random) -> None:
    """Two pointed towers, battlements and a gate."""
    pen.fill(box(-0.3, -0.55, 0.3, 0), tint)
    for x in (-0.38, 0.38):
        pen.fill(box(x - 0.11, -0.72, x + 0.11, 0), lighter(tint, 0.12))
        pen.fill(polygon((x - 0.15, -0.7), (x, -1.0), (x + 0.15, -0.7)), darker(tint, 0.4))
        pen.fill(box(x - 0.03, -0.55, x + 0.03, -0.42), LAMP)
    for x in (-0.18, 0.0, 0.18):
        pen.fill(box(x - 0.06, -0.65, x + 0.06, -0.54), tint)
    pen.fill(curve((-0.1, 0), (-0.1, -0.2), (-0.1, -0.32, 0.0, -0.32), (0.1, -0.32, 0.1, -0.2), (0.1, 0)), WOOD)


def lighthouse(pen: Pen, tint: Tint, rng: Random) -> None:
    """A white tower with two coloured bands and a lamp."""

    def half(height: float) -> float:
        return 0.2 - 0.08 * height / 0.72

    pen.fill(polygon((-0.2, 0), (-0.12, -0.72), (0.12, -0.72), (0.2, 0)), WHITE)
    for low, high in ((0.0, 0.18), (0.36, 0.54)):
        pen.fill(polygon((-half(low), -low), (-half(high), -high), (half(high), -high), (half(low), -low)), tint)
    pen.fill(box(-0.1, -0.86, 0.1, -0.7), LAMP)
    pen.fill(polygon((-0.15, -0.85), (0, -1), (0.15, -0.85)), tint)
    pen.fill(box(-0.17, -0.74, 0.17, -0.69), DARK)


def car(pen: Pen, tint: Tint, rng: Random) -> None:
    """Seen from the side, facing right."""
    pen.fill(curve((-0.3, -0.34), (-0.2, -0.62), (0.16, -0.62), (0.32, -0.34)), darker(tint, 0.12))
    pen.fill(curve((-0.22, -0.36), (-0.15, -0.56), (-0.02, -0.56), (-0.02, -0.36)), GLASS)
    pen.fill(curve((0.03, -0.36), (0.03, -0.56), (0.13, -0.56), (0.24, -0.36)), GLASS)
    pen.fill(box(-0.5, -0.38, 0.5, -0.12, 0.09), tint)
    pen.fill(ellipse(0.45, -0.28, 0.04), (255, 236, 140))
    for x in (-0.27, 0.27):
        pen.fill(ellipse(x, -0.12, 0.125), DARK)
        pen.fill(ellipse(x, -0.12, 0.055), (200, 204, 210))


def sailboat(pen: Pen, tint: Tint, rng: Random) -> None:
    """Two sails of the colour over a wooden hull."""
    pen.line(polygon((0, -0.16), (0, -1.0), close=False), (110, 74, 50), 4)
    pen.fill(curve((0.04, -0.95), (0.4, -0.55, 0.42, -0.26), (0.04, -0.26)), tint)
    pen.fill(polygon((-0.04, -0.82), (-0.04, -0.26), (-0.32, -0.26)), lighter(tint, 0.3))
    pen.fill(curve((-0.44, -0.2), (0.46, -0.2), (0.36, 0), (-0.3, 0)), (140, 84, 50))


def hot_air_balloon(pen: Pen, tint: Tint, rng: Random) -> None:
    """A striped envelope over a basket."""
    for side in (-1, 1):
        pen.line(polygon((side * 0.17, -0.36), (side * 0.08, -0.14), close=False), (90, 70, 60), 1.8)
    pen.fill(box(-0.1, -0.16, 0.1, 0, 0.02), (150, 96, 54))
    left = ((-0.44, -0.52, -0.4, -0.72), (-0.34, -1.0, 0.0, -1.0))
    pen.fill(curve((-0.1, -0.32), *left, (0.34, -1.0, 0.4, -0.72), (0.44, -0.52, 0.1, -0.32)), tint)
    stripe = curve((-0.05, -0.32), (-0.2, -0.6, 0, -1.0), (0.2, -0.6, 0.05, -0.32))
    pen.fill(stripe, lighter(tint, 0.5), outline=False)


def ufo(pen: Pen, tint: Tint, rng: Random) -> None:
    """A saucer with a glass dome, often with its beam on."""
    if rng.random() < 0.6:
        beam = polygon((-0.16, -0.4), (0.16, -0.4), (0.38, 0), (-0.38, 0))
        pen.fill(beam, (255, 250, 170), 90, outline=False)
    pen.fill(curve((-0.22, -0.6), (-0.2, -0.95, 0, -0.95), (0.2, -0.95, 0.22, -0.6)), (170, 226, 246))
    pen.fill(ellipse(0, -0.54, 0.5, 0.16), tint)
    for x in (-0.32, 0.0, 0.32):
        pen.fill(ellipse(x, -0.5, 0.05), (255, 240, 130))


def rocket(pen: Pen, tint: Tint, rng: Random) -> None:
    """Fins, a porthole and a flame."""
    pen.fill(curve((-0.1, -0.16), (-0.16, -0.02, 0, 0.04), (0.16, -0.02, 0.1, -0.16)), (255, 170, 40))
    for side in (-1, 1):
        pen.fill(polygon((side * 0.14, -0.44), (side * 0.36, -0.14), (side * 0.14, -0.2)), darker(tint, 0.4))
    pen.fill(curve((-0.16, -0.17), (-0.26, -0.66, 0, -1.0), (0.26, -0.66, 0.16, -0.17)), tint)
    pen.fill(ellipse(0, -0.6, 0.1), WHITE)
    pen.fill(ellipse(0, -0.6, 0.068), (110, 190, 236))


def robot(pen: Pen, tint: Tint, rng: Random) -> None:
    """A square head with an antenna on a square body."""
    pen.line(polygon((0, -0.86), (0, -0.97), close=False), DARK, 3)
    pen.fill(ellipse(0, -0.96, 0.045), (240, 70, 70))
    for side in (-1, 1):
        pen.fill(box(side * 0.16 - 0.06, -0.2, side * 0.16 + 0.06, 0, 0.02), darker(tint, 0.35))
        pen.fill(box(side * 0.36 - 0.055, -0.54, side * 0.36 + 0.055, -0.2, 0.05), darker(tint, 0.2))
    pen.fill(box(-0.3, -0.56, 0.3, -0.16, 0.04), tint)
    pen.fill(box(-0.26, -0.88, 0.26, -0.58, 0.06), lighter(tint, 0.18))
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.11, -0.75, 0.06), (250, 240, 120))
        pen.fill(ellipse(side * 0.11, -0.75, 0.026), DARK)
    pen.line(polygon((-0.1, -0.64), (0.1, -0.64), close=False), DARK, 2)
    pen.fill(box(-0.14, -0.46, 0.14, -0.28, 0.02), darker(tint, 0.4))
