"""Decides where every single thing of a spec stands, how large it is and how it leans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from generation.starter.drawing.shapes import mix
from generation.starter.drawing.sky import jitter
from generation.starter.world import COLORS, SKYLESS, THINGS, Footing, Group, Layout, Size, Spec, Tint

HEIGHTS = (128.0, 104.0, 80.0, 64.0, 54.0)  # pixels, for one thing, two things, and so on
GROWTH: Mapping[Size, float] = MappingProxyType({Size.USUAL: 1.0, Size.BIG: 1.28, Size.SMALL: 0.62})
STIFF = 0.5  # with less variety than this every thing keeps one pose
WIDE = frozenset(
    {"car", "fish", "whale", "bird", "ufo", "butterfly", "umbrella", "heart", "star", "mushroom", "hot air balloon"}
)


@dataclass(frozen=True, slots=True)
class Placement:
    """One thing ready to be drawn; `x` and `y` are its foot, in pixels."""

    thing: str
    tint: Tint
    x: float
    y: float
    height: float
    flip: bool
    turn: float
    seed: int  # of the thing's own variation


def arrange(spec: Spec, rng: Random, ground: float) -> list[Placement]:
    """All things of `spec`, back to front; `ground` is where things stand, in pixels from the top."""
    if len(spec.groups) == 2 and spec.layout in (Layout.ABOVE, Layout.BELOW, Layout.BEHIND):
        return _two(spec, rng, ground)
    order = list(spec.groups)
    if spec.layout is Layout.RIGHT or (spec.layout is Layout.BESIDE and rng.random() < 0.5):
        order.reverse()
    things = [group for group in order for _ in range(group.count)]
    return [_in_row(spec, rng, ground, group, place, len(things)) for place, group in enumerate(things)]


def _in_row(spec: Spec, rng: Random, ground: float, group: Group, place: int, count: int) -> Placement:
    slot, free = 236 / count, spec.variety
    height = HEIGHTS[count - 1] * (1 + free * rng.uniform(-0.08, 0.08)) * GROWTH[group.size]
    widest = slot * (1.12 if group.thing in WIDE else 1.35)
    height = min(height, widest if count > 1 else 172.0)
    x = 10 + slot * (place + 0.5) + free * rng.uniform(-0.1, 0.1) * slot
    y, turn = _foot(spec, rng, ground, group.thing, height)
    return _placed(spec, rng, group, x, y, height, turn)


def _two(spec: Spec, rng: Random, ground: float) -> list[Placement]:
    first, second = spec.groups
    free = spec.variety
    if spec.layout is Layout.BEHIND:
        x = 128 + free * rng.uniform(-14, 14)
        aside = rng.choice((-34, 34))
        back = _placed(spec, rng, first, x + aside, ground - 6, 132 * (1 + free * rng.uniform(-0.05, 0.05)))
        return [back, _placed(spec, rng, second, x, ground + 18, 92 * (1 + free * rng.uniform(-0.05, 0.05)))]
    upper, lower = (first, second) if spec.layout is Layout.ABOVE else (second, first)
    high = _placed(spec, rng, upper, 128 + free * rng.uniform(-18, 18), 112 + free * rng.uniform(-8, 4), 92.0)
    return [high, _placed(spec, rng, lower, 128 + free * rng.uniform(-18, 18), 232 + free * rng.uniform(-6, 4), 96.0)]


def _foot(spec: Spec, rng: Random, ground: float, thing: str, height: float) -> tuple[float, float]:
    """Where the thing's foot is, in pixels from the top, and how far it leans, in degrees."""
    footing, free = THINGS[thing], spec.variety
    if spec.scene == "space":
        return 128 + height / 2 + free * rng.uniform(-16, 16), free * rng.uniform(-12, 12)
    if spec.scene == "plain":
        return 128 + height / 2 + free * rng.uniform(-8, 8), 0.0
    if spec.scene == "underwater":
        return (238.0 if footing is Footing.GROUND else 122 + height / 2 + free * rng.uniform(-20, 18)), 0.0
    turn = free * rng.uniform(-16, 16) if thing == "rocket" else 0.0
    if footing is Footing.AIR:
        return max(height + 6, 100 + height / 2 + free * rng.uniform(-18, 16)), turn
    if footing is Footing.AFLOAT:
        return ground - 14 + free * rng.uniform(-8, 8), turn
    if footing is Footing.WATER:
        return ground - 4 + free * rng.uniform(-10, 10), turn
    return ground + 15 + free * rng.uniform(-9, 9), turn


def _placed(spec: Spec, rng: Random, group: Group, x: float, y: float, height: float, turn: float = 0.0) -> Placement:
    tint = jitter(rng, COLORS[group.color], 9)
    if spec.time == "night" and spec.scene not in SKYLESS:
        tint = mix(tint, (14, 18, 60), 0.12)
    posed = spec.variety > STIFF
    flip, seed = posed and rng.random() < 0.5, rng.randrange(1 << 30) if posed else 0
    return Placement(group.thing, tint, x, y, height, flip, turn, seed)
