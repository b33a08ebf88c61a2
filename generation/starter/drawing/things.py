"""Plants and simple things, and the table of everything that can be drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from random import Random
from types import MappingProxyType

from generation.starter.drawing import buildings, creatures
from generation.starter.drawing.pen import NeonPen, Pen
from generation.starter.drawing.shapes import WHITE, box, brightness, curve, darker, ellipse, lighter, mix, polygon
from generation.starter.world import Tint

Draw = Callable[[Pen, Tint, Random], None]


def tree(pen: Pen, tint: Tint, rng: Random) -> None:
    """A round crown, or three tiers of a fir."""
    pen.fill(box(-0.07, -0.42, 0.07, 0), (110, 70, 44))
    if rng.random() < 0.7:
        for x, y, radius in ((-0.2, -0.5, 0.22), (0.2, -0.52, 0.22), (0.0, -0.72, 0.27), (0.0, -0.58, 0.26)):
            pen.fill(ellipse(x, y, radius), tint, outline=False)
        pen.fill(ellipse(-0.08, -0.76, 0.1), lighter(tint, 0.22), outline=False)
        return
    for tier in range(3):
        y, half = -0.3 - 0.22 * tier, 0.36 - 0.07 * tier
        pen.fill(polygon((-half, y), (0, y - 0.36), (half, y)), mix(tint, WHITE, 0.07 * tier))


def flower(pen: Pen, tint: Tint, rng: Random) -> None:
    """Six petals on a stem with one leaf."""
    pen.line(curve((0, 0), (0.06, -0.3, 0, -0.62), close=False), (50, 140, 60), 4)
    pen.fill(curve((0, -0.15), (0.2, -0.38, 0.3, -0.3), (0.22, -0.12, 0, -0.12)), (70, 160, 74))
    for petal in range(6):
        angle = petal * math.pi / 3
        pen.fill(ellipse(0.19 * math.cos(angle), -0.72 + 0.19 * math.sin(angle), 0.135), tint)
    pen.fill(ellipse(0, -0.72, 0.12), (255, 214, 70) if brightness(tint) < 600 else (240, 160, 40))


def cactus(pen: Pen, tint: Tint, rng: Random) -> None:
    """A column with two arms."""
    pen.fill(box(-0.36, -0.62, -0.22, -0.3, 0.07), tint)
    pen.fill(box(-0.36, -0.42, 0, -0.3, 0.05), tint, outline=False)
    pen.fill(box(0.22, -0.74, 0.36, -0.4, 0.07), tint)
    pen.fill(box(0, -0.52, 0.36, -0.4, 0.05), tint, outline=False)
    pen.fill(box(-0.13, -0.98, 0.13, 0, 0.13), tint)
    for x in (-0.05, 0.05):
        pen.line(polygon((x, -0.88), (x, -0.08), close=False), darker(tint, 0.3), 1.4)


def mushroom(pen: Pen, tint: Tint, rng: Random) -> None:
    """A dotted cap of the colour on a pale stem."""
    pen.fill(box(-0.14, -0.5, 0.14, 0, 0.08), (244, 232, 208))
    cap = ((-0.46, -0.98, 0, -0.98), (0.46, -0.98, 0.48, -0.42), (0, -0.34, -0.48, -0.42))
    pen.fill(curve((-0.48, -0.42), *cap), tint)
    for x, y, radius in ((-0.22, -0.62, 0.075), (0.05, -0.78, 0.085), (0.26, -0.58, 0.065)):
        pen.fill(ellipse(x, y, radius), WHITE if brightness(tint) < 680 else (220, 90, 80))


def umbrella(pen: Pen, tint: Tint, rng: Random) -> None:
    """Open, with a crook handle."""
    handle = ((0, -0.12), (0, 0.0, 0.1, 0.0), (0.18, 0, 0.18, -0.1))
    pen.line(curve((0, -0.94), *handle, close=False), (90, 60, 44), 4)
    dome = ((-0.44, -0.96, 0, -0.96), (0.44, -0.96, 0.5, -0.48))
    ribs = (0.5, 0.33, 0.165, 0.0, -0.165, -0.33, -0.5)
    hem = tuple(((a + b) / 2, -0.58, b, -0.48) for a, b in pairwise(ribs))
    pen.fill(curve((-0.5, -0.48), *dome, *hem), tint)
    panel = ((-0.16, -0.8, 0, -0.95), (0.16, -0.8, 0.165, -0.48))
    inner = ((0.08, -0.58, 0, -0.48), (-0.08, -0.58, -0.165, -0.48))
    pen.fill(curve((-0.165, -0.48), *panel, *inner), lighter(tint, 0.25), outline=False)


def balloon(pen: Pen, tint: Tint, rng: Random) -> None:
    """A toy balloon on a string."""
    string = (200, 200, 210) if isinstance(pen, NeonPen) else (120, 110, 110)
    pen.line(curve((0, -0.38), (0.08, -0.2, 0, 0), close=False), string, 2)
    pen.fill(polygon((-0.06, -0.35), (0.06, -0.35), (0, -0.42)), darker(tint, 0.2))
    left = ((-0.34, -0.56, -0.32, -0.76), (-0.26, -1.0, 0.0, -1.0))
    pen.fill(curve((0, -0.38), *left, (0.26, -1.0, 0.32, -0.76), (0.34, -0.56, 0, -0.38)), tint)
    pen.fill(ellipse(-0.12, -0.82, 0.05, 0.09), lighter(tint, 0.55), outline=False)


def star(pen: Pen, tint: Tint, rng: Random) -> None:
    """Five points."""
    points = []
    for corner in range(10):
        radius, angle = (0.5, 0.21)[corner % 2], corner * math.pi / 5
        points.append((radius * math.sin(angle), -0.5 - radius * math.cos(angle)))
    pen.fill(polygon(*points), tint)


def heart(pen: Pen, tint: Tint, rng: Random) -> None:
    """With a small highlight."""
    left = ((-0.62, -0.45, -0.52, -0.95, -0.24, -0.95), (-0.08, -0.95, 0, -0.8, 0, -0.72))
    right = ((0, -0.8, 0.08, -0.95, 0.24, -0.95), (0.52, -0.95, 0.62, -0.45, 0, -0.05))
    pen.fill(curve((0, -0.05), *left, *right), tint)
    pen.fill(ellipse(-0.24, -0.74, 0.07, 0.09), lighter(tint, 0.5), outline=False)


DRAW: Mapping[str, Draw] = MappingProxyType(
    {
        "house": buildings.house,
        "castle": buildings.castle,
        "lighthouse": buildings.lighthouse,
        "car": buildings.car,
        "sailboat": buildings.sailboat,
        "hot air balloon": buildings.hot_air_balloon,
        "ufo": buildings.ufo,
        "rocket": buildings.rocket,
        "robot": buildings.robot,
        "cat": creatures.cat,
        "owl": creatures.owl,
        "penguin": creatures.penguin,
        "snowman": creatures.snowman,
        "bird": creatures.bird,
        "butterfly": creatures.butterfly,
        "fish": creatures.fish,
        "whale": creatures.whale,
        "ghost": creatures.ghost,
        "tree": tree,
        "flower": flower,
        "cactus": cactus,
        "mushroom": mushroom,
        "umbrella": umbrella,
        "balloon": balloon,
        "star": star,
        "heart": heart,
    }
)
