"""The landscapes; each says how far down the picture things stand in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from generation.starter.drawing.pen import InkPen, Pen
from generation.starter.drawing.shapes import Point, box, curve, lighter, mix, polygon
from generation.starter.drawing.sky import LIGHT, jitter
from generation.starter.world import Spec, Tint

GROUND = 222.0  # pixels from the top


@dataclass(frozen=True, slots=True)
class Land:
    """What a landscape is drawn with."""

    pen: Pen
    rng: Random
    spec: Spec
    horizon: float  # pixels from the top

    def lit(self, tint: Tint, amount: float = 0.0) -> Tint:
        """`tint` in this hour's light, moved by at most `amount`."""
        light, share = LIGHT[self.spec.time]
        return mix(jitter(self.rng, tint, amount) if amount else tint, light, share)

    def ridge(self, foot: float, height: float, tint: Tint) -> None:
        """Rolling ground from side to side, its lowest crest at `foot`."""
        phase, waves = self.rng.random() * math.tau, self.rng.uniform(0.8, 1.6)
        xs = [-10 + 276 * step / 23 for step in range(24)]
        crest = [(x, foot - height * (0.5 + 0.5 * math.sin(phase + x / 256 * math.tau * waves))) for x in xs]
        self.pen.fill(polygon((-10, 270), *crest, (266, 270)), tint)

    def ripples(self, count: int, tint: Tint) -> None:
        """Small waves, denser towards the horizon."""
        for row in range(count):
            y = self.horizon + 6 + (row / max(1, count - 1)) ** 1.2 * (250 - self.horizon)
            x, width = self.rng.uniform(-10, 240), self.rng.uniform(16, 46)
            self.pen.line(curve((x, y), (x + width / 2, y - 5, x + width, y), close=False), tint, 2.2)


def hills(land: Land) -> float:
    """Three green ridges."""
    land.ridge(land.horizon + 12, 34, land.lit((126, 186, 98), 14))
    land.ridge(land.horizon + 36, 26, land.lit((96, 168, 80), 14))
    land.ridge(226, 16, land.lit((74, 148, 66), 14))
    return GROUND


def mountains(land: Land) -> float:
    """Snow-capped peaks over a green valley."""
    rng, foot = land.rng, land.horizon + 26
    points: list[Point] = []
    for step in range(7):
        rise = 110 * rng.uniform(0.55, 1.0) if step % 2 else 110 * rng.uniform(0.0, 0.25)
        points.append((-10 + 46.0 * step, foot - rise))
    land.pen.fill(polygon((-10, 270), *points, (266, 270)), land.lit((118, 124, 152), 14))
    for left, peak, right in zip(points[0::2], points[1::2], points[2::2], strict=False):
        slopes = [
            (peak[0] + (side[0] - peak[0]) * 0.32, peak[1] + (side[1] - peak[1]) * 0.32) for side in (left, right)
        ]
        cap = polygon(peak, slopes[0], (peak[0], peak[1] + 14), slopes[1])
        land.pen.fill(cap, land.lit((246, 248, 252)))
    land.ridge(land.horizon + 44, 18, land.lit((86, 142, 92), 14))
    land.ridge(226, 12, land.lit((70, 122, 74), 14))
    return GROUND


def sea(land: Land) -> float:
    """Open water with small waves."""
    water = land.lit((38, 110, 180), 10)
    land.pen.fill(box(-5, land.horizon, 262, 262), water)
    land.ripples(16, lighter(water, 0.38))
    return 214.0


def desert(land: Land) -> float:
    """Dunes."""
    land.ridge(land.horizon + 18, 28, land.lit((236, 186, 112), 14))
    land.ridge(land.horizon + 46, 26, land.lit((226, 168, 92), 14))
    land.ridge(228, 16, land.lit((210, 150, 76), 14))
    return GROUND


def city(land: Land) -> float:
    """Two rows of houses with windows, and a street."""
    for tint, low, high in (((128, 140, 170), 60, 108), ((84, 92, 124), 30, 80)):
        _houses(land, tint, low, high)
    land.pen.fill(box(-5, land.horizon + 40, 262, 262), land.lit((96, 98, 108)))
    for x in range(0, 256, 52):
        land.pen.fill(box(x, 236, x + 28, 241), land.lit((240, 226, 150)), outline=False)
    return GROUND


def _houses(land: Land, tint: Tint, low: float, high: float) -> None:
    rng, x, foot = land.rng, -8.0, land.horizon + 40
    while x < 256:
        width, top = rng.uniform(22, 38), foot - rng.uniform(low, high)
        wall = land.lit(tint, 14)
        land.pen.fill(box(x, top, x + width, 256), wall)
        glow: Tint = (255, 226, 130) if land.spec.time in ("night", "sunset") else lighter(wall, 0.45)
        glow = (90, 90, 110) if isinstance(land.pen, InkPen) else glow
        for y in range(int(top) + 7, int(foot) - 4, 12):
            for column in (x + width * 0.22, x + width * 0.6):
                if rng.random() < 0.7:
                    land.pen.dot(column + 2.5, y + 3, 3, glow)
        x += width + rng.uniform(-1, 2)


def forest(land: Land) -> float:
    """Two rows of firs behind a clearing."""
    rng = land.rng
    rows: tuple[tuple[Tint, float, float], ...] = (
        ((96, 150, 120), 90, land.horizon + 22),
        ((52, 112, 76), 110, land.horizon + 40),
    )
    for tint, height, foot in rows:
        x = rng.uniform(-10, 6)
        while x < 262:
            tall = height * rng.uniform(0.75, 1.1)
            fir = polygon((x - tall * 0.22, foot), (x, foot - tall), (x + tall * 0.22, foot))
            land.pen.fill(fir, land.lit(tint, 10))
            x += rng.uniform(20, 34)
        land.pen.fill(box(-5, foot - 2, 262, 262), land.lit(tint), outline=False)
    land.ridge(214, 12, land.lit((66, 128, 64), 14))
    return GROUND


def snowfield(land: Land) -> float:
    """White slopes and a few firs."""
    land.ridge(land.horizon + 14, 30, land.lit((206, 220, 238)))
    land.ridge(land.horizon + 40, 22, land.lit((226, 236, 246)))
    land.ridge(228, 14, land.lit((246, 250, 255)))
    for _ in range(3):
        x, y = land.rng.uniform(0, 256), land.horizon + land.rng.uniform(8, 26)
        tall = land.rng.uniform(18, 30)
        fir = polygon((x - tall * 0.4, y), (x, y - tall * 1.5), (x + tall * 0.4, y))
        land.pen.fill(fir, land.lit((70, 120, 104)))
    return GROUND


def beach(land: Land) -> float:
    """Water, surf and sand, sometimes a palm."""
    pen, rng = land.pen, land.rng
    water = land.lit((52, 150, 200))
    pen.fill(box(-5, land.horizon, 262, 262), water)
    for row in range(7):
        x, y = rng.uniform(-10, 230), land.horizon + 6 + row * 4
        pen.line(curve((x, y), (x + 14, y - 4, x + 28, y), close=False), lighter(water, 0.4), 1.8)
    land.ridge(land.horizon + 42, 10, land.lit((240, 250, 250)))
    land.ridge(land.horizon + 47, 10, land.lit((240, 212, 150)))
    if rng.random() < 0.5:
        _palm(land, rng.choice((18.0, 238.0)), rng.choice((-1, 1)))
    return GROUND


def _palm(land: Land, x: float, lean: int) -> None:
    trunk = curve((x, 236), (x + lean * 8, 170, x + lean * 2, 128), close=False)
    land.pen.line(trunk, land.lit((140, 96, 60)), 7)
    for angle in (-2.8, -2.2, -1.2, -0.5, 0.3):
        cos, sin = math.cos(angle), math.sin(angle)
        over = (x + 30 * cos, 112 + 20 * sin, x + 48 * cos, 134 + 18 * sin)
        back = (x + 24 * cos, 126 + 16 * sin, x + lean * 2, 128)
        land.pen.fill(curve((x + lean * 2, 128), over, back), land.lit((60, 150, 76)))


LANDS: Mapping[str, Callable[[Land], float]] = MappingProxyType(
    {
        "hills": hills,
        "mountains": mountains,
        "sea": sea,
        "desert": desert,
        "city": city,
        "forest": forest,
        "snowfield": snowfield,
        "beach": beach,
    }
)
