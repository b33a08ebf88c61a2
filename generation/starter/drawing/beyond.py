"""Backdrops without a sky: space, under water, and a plain colour."""

from __future__ import annotations

from random import Random

from generation.starter.drawing.pen import PAPER, InkPen, NeonPen, Pen
from generation.starter.drawing.shapes import box, curve, darker, ellipse, lighter, mix, polygon
from generation.starter.drawing.sky import jitter
from generation.starter.world import COLORS, Spec, Tint

SPACES: tuple[tuple[Tint, Tint], ...] = (
    ((10, 8, 36), (34, 16, 70)),
    ((6, 10, 30), (10, 40, 80)),
    ((16, 4, 30), (70, 16, 70)),
)
PLANETS: tuple[Tint, ...] = ((226, 140, 90), (90, 160, 200), (190, 120, 200), (230, 200, 130))
WEEDS: tuple[Tint, ...] = ((40, 150, 90), (70, 170, 80), (220, 90, 110), (240, 140, 70))


def plain(pen: Pen, spec: Spec, rng: Random) -> None:
    """One colour all over."""
    pen.veil(pen.plain_tint(jitter(rng, COLORS[spec.backdrop], 6)))


def space(pen: Pen, spec: Spec, rng: Random) -> None:
    """Stars, and often a ringed planet in a corner."""
    top, bottom = rng.choice(SPACES)
    if isinstance(pen, InkPen):
        pen.veil(mix(PAPER, (30, 30, 60), 0.8))
    elif isinstance(pen, NeonPen):
        pen.veil((8, 6, 22))
    else:
        pen.sky(top, bottom)
    for _ in range(70):
        size = rng.choice((0.7, 1.0, 1.0, 1.6))
        pen.dot(rng.uniform(0, 256), rng.uniform(0, 256), size, (255, 250, 230), rng.randint(120, 255))
    if rng.random() < 0.6:
        x, y = rng.choice((26, 230)) + rng.uniform(-14, 14), rng.choice((30, 222)) + rng.uniform(-12, 12)
        radius, tint = rng.uniform(18, 28), rng.choice(PLANETS)
        pen.fill(ellipse(x, y, radius), darker(tint, 0.12))
        ring = (x, y + radius * 0.95, x + radius * 1.6, y - radius * 0.3)
        pen.line(curve((x - radius * 1.6, y + radius * 0.3), ring, close=False), lighter(tint, 0.4), 3.5)


def underwater(pen: Pen, spec: Spec, rng: Random) -> None:
    """Shafts of light, sand, weeds and bubbles."""
    night = spec.time == "night"
    day_waters: tuple[tuple[Tint, Tint], ...] = (((60, 180, 214), (10, 60, 130)), ((40, 150, 200), (8, 40, 100)))
    pen.behind = True
    pen.sky(*(((20, 70, 120), (4, 16, 52)) if night else rng.choice(day_waters)))
    for _ in range(3):
        x = rng.uniform(0, 230)
        shaft = polygon((x, -5), (x + 22, -5), (x + 60, 240), (x + 6, 240))
        pen.fill(shaft, (255, 255, 255), 22, outline=False)
    sand: Tint = (90, 90, 110) if night else (222, 196, 130)
    pen.fill(box(-5, rng.uniform(228, 238), 262, 262), sand)
    for _ in range(rng.randint(3, 6)):
        x, height, tint = rng.uniform(5, 250), rng.uniform(22, 46), rng.choice(WEEDS)
        for bend in (-9, 0, 9):
            stalk = (x + bend * 2, 246 - height * 0.5, x + bend, 246 - height)
            pen.line(curve((x, 246), stalk, close=False), tint, 5)
    for _ in range(10):
        bubble = ellipse(rng.uniform(0, 256), rng.uniform(0, 220), rng.uniform(2, 5))
        pen.line(bubble, (220, 244, 255), 1.4)
    pen.behind = False
