"""Sky, sun and moon, clouds, rainbow and lightning behind a landscape; rain, snow and fog in front of it."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from types import MappingProxyType

import skia

from generation.starter.drawing.pen import InkPen, NeonPen, Pen
from generation.starter.drawing.shapes import curve, darker, ellipse, mix, paint_color, polygon
from generation.starter.world import SKYLESS, Spec, Tint

SKIES: Mapping[str, tuple[Tint, Tint]] = MappingProxyType(
    {
        "day": ((92, 170, 240), (206, 236, 252)),
        "sunset": ((104, 52, 130), (255, 158, 66)),
        "night": ((10, 14, 48), (38, 50, 110)),
        "dawn": ((150, 150, 220), (255, 206, 190)),
    }
)
LIGHT: Mapping[str, tuple[Tint, float]] = MappingProxyType(
    {  # what falls on the land, and how strongly
        "day": ((255, 255, 255), 0.0),
        "sunset": ((150, 60, 60), 0.32),
        "night": ((14, 18, 60), 0.6),
        "dawn": ((210, 150, 190), 0.25),
    }
)
GLOOM: Mapping[str, tuple[Tint, float]] = MappingProxyType(
    {
        "rain": ((120, 132, 150), 0.72),
        "storm": ((60, 62, 84), 0.72),
        "fog": ((206, 212, 218), 0.72),
        "snow": ((186, 200, 218), 0.5),
    }
)
CLOUDS: Mapping[str, int] = MappingProxyType({"cloudy": 4, "rain": 4, "storm": 5, "snow": 3, "rainbow": 2})
BOW: tuple[Tint, ...] = (
    (232, 60, 60), (244, 146, 44), (250, 220, 70), (80, 180, 90), (60, 120, 220), (130, 70, 190),
)  # fmt: skip
MOONLIGHT: Tint = (250, 244, 206)


def jitter(rng: Random, tint: Tint, amount: float = 14) -> Tint:
    """`tint` moved a little, each part by at most `amount`."""
    red, green, blue = (part + rng.uniform(-amount, amount) for part in tint)
    return red, green, blue


def heavens(pen: Pen, spec: Spec, rng: Random, horizon: float) -> None:
    """All above the horizon; `horizon` in pixels from the top."""
    weather = spec.weather or "clear"
    top, bottom = SKIES[spec.time]
    if weather in GLOOM:
        grey, share = GLOOM[weather]
        grey = darker(grey, 0.6) if spec.time == "night" else grey
        top, bottom = mix(top, grey, share), mix(bottom, grey, share)
    pen.sky(jitter(rng, top, 8), jitter(rng, bottom, 8))
    if spec.time == "night":
        _night(pen, weather, rng, horizon)
    elif weather in ("clear", "cloudy", "rainbow"):
        _sun(pen, spec.time, rng, horizon)
    if weather == "rainbow":
        _rainbow(pen, rng, horizon)
    count = CLOUDS.get(weather, 1 if rng.random() < 0.15 else 0)
    _clouds(pen, spec, rng, count)
    if weather == "storm":
        x = rng.uniform(50, 206)
        bolt = ((x, 62), (x - 16, 112), (x - 2, 110), (x - 14, 156), (x + 18, 98), (x + 4, 99), (x + 16, 62))
        _bright(pen, polygon(*bolt), (255, 240, 110))


def _bright(pen: Pen, path: skia.Path, tint: Tint) -> None:
    held, pen.behind = pen.behind, False
    pen.fill(path, tint)
    pen.behind = held


def _night(pen: Pen, weather: str, rng: Random, horizon: float) -> None:
    if weather in ("clear", "rainbow"):
        for _ in range(46):
            star = rng.uniform(0, 256), rng.uniform(0, horizon), rng.choice((0.8, 1.1, 1.7))
            pen.dot(*star, pen.sparkle((255, 250, 220)))
    if weather == "storm":
        return
    x, y = rng.choice((rng.uniform(24, 76), rng.uniform(180, 232))), rng.uniform(26, 56)
    size = rng.uniform(13, 19)
    if rng.random() < 0.5:
        _bright(pen, ellipse(x, y, size), MOONLIGHT)
        return
    outer = (x - size * 1.5, y, x - size * 0.1, y + size)
    tip = (x + size * 0.6, y + size * 0.9, x + size * 0.8, y + size * 0.3)
    inner = (x - size * 0.2, y + size * 0.3, x - size * 0.3, y - size)
    _bright(pen, curve((x - size * 0.3, y - size), outer, tip, inner), MOONLIGHT)


def _sun(pen: Pen, time: str, rng: Random, horizon: float) -> None:
    size = rng.uniform(15, 22)
    if time == "day":
        x = rng.choice((rng.uniform(22, 70), rng.uniform(186, 234)))
        _bright(pen, ellipse(x, rng.uniform(24, 50), size), (255, 222, 80))
        return
    tint: Tint = (255, 112, 60) if time == "sunset" else (255, 236, 190)
    _bright(pen, ellipse(rng.uniform(40, 216), horizon - rng.uniform(2, 26), size * 1.35), tint)


def _rainbow(pen: Pen, rng: Random, horizon: float) -> None:
    x, radius = rng.uniform(90, 166), rng.uniform(112, 132)
    width = 3.0 if isinstance(pen, NeonPen) else 7.2
    for band, tint in enumerate(BOW):
        r = radius - band * 7
        arc = skia.Path()
        arc.addArc(skia.Rect.MakeLTRB(x - r, horizon - r + 20, x + r, horizon + r + 20), 180, 180)
        paint = skia.Paint(AntiAlias=pen.smooth, Color=paint_color(tint, 215), StrokeWidth=width)
        paint.setStyle(skia.Paint.kStroke_Style)
        pen.canvas.drawPath(arc, paint)


def _clouds(pen: Pen, spec: Spec, rng: Random, count: int) -> None:
    tints: dict[str, Tint] = {"rain": (150, 158, 172), "storm": (66, 66, 88)}
    tint = tints.get(spec.weather or "", (250, 250, 252))
    light, share = LIGHT[spec.time]
    for _ in range(count):
        x, y, size = rng.uniform(10, 246), rng.uniform(16, 76), rng.uniform(0.7, 1.25)
        cloud = skia.Path()
        for dx, dy, radius in ((-24, 3, 12), (-9, -6, 16), (10, -4, 15), (25, 4, 11)):
            left, top = x + (dx - radius) * size, y + (dy - radius) * size
            cloud.addOval(skia.Rect.MakeXYWH(left, top, 2 * radius * size, 2 * radius * size))
        cloud.addRect(skia.Rect.MakeLTRB(x - 24 * size, y, x + 25 * size, y + 15 * size))
        pen.fill(skia.Simplify(cloud), mix(tint, light, share * 0.55), 235)


def falling(pen: Pen, spec: Spec, rng: Random) -> None:
    """Rain, snow or fog in front of everything."""
    if spec.scene in SKYLESS:
        return
    if spec.weather in ("rain", "storm"):
        streaks = skia.Path()
        for _ in range(90):
            x, y = rng.uniform(-10, 266), rng.uniform(-10, 256)
            streaks.moveTo(x, y)
            streaks.lineTo(x - 4, y + 13)
        pen.line(streaks, (206, 222, 244), 1.4, 190)
    elif spec.weather == "snow":
        tint: Tint = (120, 130, 160) if isinstance(pen, InkPen) else (255, 255, 255)
        for _ in range(80):
            pen.dot(rng.uniform(0, 256), rng.uniform(0, 256), rng.choice((1.4, 2.0, 2.8)), tint, 235)
    elif spec.weather == "fog":
        _fog(pen, spec, rng)


def _fog(pen: Pen, spec: Spec, rng: Random) -> None:
    tint: Tint = (110, 116, 140) if spec.time == "night" else (232, 236, 240)
    if isinstance(pen, NeonPen):
        tint = (70, 66, 100)
    pen.veil(tint, 70)
    paint = skia.Paint(AntiAlias=True, Color=paint_color(tint, 110))
    for y in (110, 150, 190, 226):
        bank = rng.uniform(40, 216), y + rng.uniform(-8, 8), rng.uniform(110, 170), rng.uniform(8, 14)
        pen.canvas.drawPath(ellipse(*bank), paint)
