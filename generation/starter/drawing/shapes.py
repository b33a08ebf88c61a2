"""Paths and colour arithmetic."""

from __future__ import annotations

import skia

from generation.starter.world import Tint

Point = tuple[float, float]
WHITE: Tint = (250, 250, 246)
DARK: Tint = (34, 32, 42)


def mix(first: Tint, second: Tint, share: float) -> Tint:
    """`first` with `share` (0 to 1) of `second`."""
    keep = 1 - share
    return (
        first[0] * keep + second[0] * share,
        first[1] * keep + second[1] * share,
        first[2] * keep + second[2] * share,
    )


def darker(tint: Tint, share: float = 0.25) -> Tint:
    """Towards a bluish black."""
    return mix(tint, (12, 12, 30), share)


def lighter(tint: Tint, share: float = 0.3) -> Tint:
    """Towards white."""
    return mix(tint, (255, 255, 255), share)


def brightness(tint: Tint) -> float:
    """Sum of the three parts, 0 to 765."""
    return sum(tint)


def paint_color(tint: Tint, alpha: float = 255) -> int:
    """As skia wants it; parts outside 0 to 255 are clipped."""
    red, green, blue = (max(0, min(255, int(part))) for part in tint)
    return int(skia.Color(red, green, blue, int(alpha)))


def polygon(*points: Point, close: bool = True) -> skia.Path:
    """Straight lines from point to point."""
    path = skia.Path()
    path.addPoly([skia.Point(x, y) for x, y in points], close)
    return path


def ellipse(x: float, y: float, rx: float, ry: float | None = None) -> skia.Path:
    """Around a centre; a circle without `ry`."""
    ry = rx if ry is None else ry
    return skia.Path.Oval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))


def box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> skia.Path:
    """A rectangle, its corners rounded by `radius`."""
    rect = skia.Rect.MakeLTRB(left, top, right, bottom)
    return skia.Path.RRect(skia.RRect.MakeRectXY(rect, radius, radius)) if radius else skia.Path.Rect(rect)


def curve(start: Point, *parts: tuple[float, ...], close: bool = True) -> skia.Path:
    """From `start` along lines (2 numbers), quadratic (4) and cubic (6) curves."""
    path = skia.Path()
    path.moveTo(*start)
    for part in parts:
        {2: path.lineTo, 4: path.quadTo, 6: path.cubicTo}[len(part)](*part)
    if close:
        path.close()
    return path
