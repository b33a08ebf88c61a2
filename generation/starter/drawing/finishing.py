"""What a style does to the finished drawing: paper, glow, brush strokes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

import numpy as np
import skia
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from generation.starter.world import SIDE

Pixels = NDArray[np.uint8]  # height x width x 3
PAPER = np.array([250, 248, 242], np.float32)
BRUSHES = ((420, 9.0, 9.0), (760, 4.6, 6.0))  # strokes, width, half length


def finish(pixels: Pixels, style: str, rng: Random) -> Pixels:
    """Apply the style's last pass; the result is SIDE x SIDE."""
    return np.ascontiguousarray(PASSES[style](pixels, rng)) if style in PASSES else np.ascontiguousarray(pixels)


def _noise(rng: Random, cells: int) -> NDArray[np.float32]:
    """Smooth noise in -1..1, `cells` of it along a side."""
    grains = np.frombuffer(rng.randbytes(cells * cells), np.uint8).reshape(cells, cells)
    return np.asarray(Image.fromarray(grains).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32) / 127.5 - 1


def _pixel(pixels: Pixels, rng: Random) -> Pixels:
    fewer = np.clip((pixels.astype(np.int16) + 10) // 20 * 20, 0, 255)
    times = SIDE // pixels.shape[0]
    return np.repeat(np.repeat(fewer, times, 0), times, 1).astype(np.uint8)


def _neon(pixels: Pixels, rng: Random) -> Pixels:
    small = Image.fromarray(pixels).resize((SIDE // 4, SIDE // 4), Image.Resampling.BOX)
    glow = small.filter(ImageFilter.GaussianBlur(2.2)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.clip(pixels + np.asarray(glow, np.float32) * 0.85, 0, 255).astype(np.uint8)


def _watercolor(pixels: Pixels, rng: Random) -> Pixels:
    blotches = _noise(rng, 12)
    wash = pixels.astype(np.float32)
    wash += (255 - wash) * (0.10 + 0.13 * blotches)[..., None]
    wash *= (1 + 0.035 * _noise(rng, SIDE // 2))[..., None]
    ramp = np.minimum(np.arange(SIDE), SIDE - 1 - np.arange(SIDE))
    edge = np.minimum(ramp[:, None], ramp[None])
    inside = np.clip((edge - 3 - 4 * (blotches + _noise(rng, 40))) / 5, 0, 1)[..., None]
    painted: NDArray[np.float32] = wash * inside + PAPER * (1 - inside)
    return np.clip(painted, 0, 255).astype(np.uint8)


def _oil(pixels: Pixels, rng: Random) -> Pixels:
    quarter = (SIDE // 4, SIDE // 4)
    under = Image.fromarray(pixels).resize(quarter, Image.Resampling.BOX).resize((SIDE, SIDE))
    canvas_pixels = np.dstack([np.asarray(under), np.full((SIDE, SIDE), 255, np.uint8)]).copy()
    canvas = skia.Canvas(canvas_pixels, skia.kRGBA_8888_ColorType)
    grey = Image.fromarray(pixels.astype(np.float32).mean(2).astype(np.uint8)).resize(quarter, Image.Resampling.BOX)
    slopes = np.array(np.gradient(np.asarray(grey, np.float32)))
    dice = np.random.default_rng(rng.randrange(1 << 30))
    for count, width, reach in BRUSHES:
        _strokes(canvas, pixels, slopes, dice.random((count, 4)), width, reach)
    return canvas_pixels[..., :3]


def _strokes(
    canvas: skia.Canvas,
    pixels: Pixels,
    slopes: NDArray[np.float32],
    dice: NDArray[np.float64],
    width: float,
    reach: float,
) -> None:
    """Short strokes in the picture's own colours, along its edges."""
    paint = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeCap=skia.Paint.kRound_Cap)
    for along, below, lean, shade in dice:
        x, y = int(along * SIDE), int(below * SIDE)
        dy, dx = (float(slope[y // 4, x // 4]) for slope in slopes)
        steep = abs(dx) + abs(dy)
        angle = math.atan2(dx, -dy) if steep > 5 else 0.5 + (lean - 0.5) * 1.2
        red, green, blue = (min(255, int(part * (1 + (shade - 0.5) * 0.16))) for part in pixels[y, x])
        paint.setColor(skia.Color(red, green, blue, 235))
        paint.setStrokeWidth(width * (1 if steep < 12 else 0.6))
        step_x, step_y = math.cos(angle) * reach, math.sin(angle) * reach
        canvas.drawLine(x - step_x, y - step_y, x + step_x, y + step_y, paint)


PASSES: Mapping[str, Callable[[Pixels, Random], Pixels]] = MappingProxyType(
    {
        "pixel": _pixel,
        "neon": _neon,
        "watercolor": _watercolor,
        "oil": _oil,
    }
)
