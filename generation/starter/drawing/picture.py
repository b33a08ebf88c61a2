"""Spec and seed in, picture out."""

from __future__ import annotations

from random import Random

import numpy as np
import skia
from numpy.typing import NDArray

from generation.starter.drawing import beyond
from generation.starter.drawing.finishing import Pixels, finish
from generation.starter.drawing.hazard import hazard_tape
from generation.starter.drawing.land import LANDS, Land
from generation.starter.drawing.pen import PENS, Pen, SilhouettePen
from generation.starter.drawing.placing import Placement, arrange
from generation.starter.drawing.sky import falling, heavens
from generation.starter.drawing.things import DRAW
from generation.starter.world import SIDE, Spec

REGION = 32  # cells along one side of the region mask: the latents' own grid
HORIZONS = {"sea": (132.0, 150.0)}  # pixels from the top; elsewhere it lies lower


def render(spec: Spec, seed: int) -> tuple[Pixels, NDArray[np.uint8]]:
    """The picture (256 x 256 x 3) and where its things are (32 x 32, 0 to 255); the same seed, the same bytes."""
    rng = Random(seed)
    side = 64 if spec.style == "pixel" else SIDE
    pixels, canvas = _canvas(side)
    pen = PENS[spec.style](canvas, rng)
    ground = _backdrop(pen, spec, rng)
    placements = arrange(spec, rng, ground)
    _draw(pen, placements)
    falling(pen, spec, rng)
    if spec.hazard:
        hazard_tape(pen)
    silhouettes, small = _canvas(REGION)
    _draw(SilhouettePen(small, rng), placements)
    return finish(pixels[..., :3].copy(), spec.style, rng), silhouettes[..., 3].copy()


def _canvas(side: int) -> tuple[NDArray[np.uint8], skia.Canvas]:
    pixels = np.zeros((side, side, 4), np.uint8)
    canvas = skia.Canvas(pixels, skia.kRGBA_8888_ColorType)
    canvas.scale(side / SIDE, side / SIDE)
    return pixels, canvas


def _backdrop(pen: Pen, spec: Spec, rng: Random) -> float:
    """Draw what lies behind the things and say where they stand, in pixels from the top."""
    if spec.scene == "plain":
        beyond.plain(pen, spec, rng)
        return 214.0
    if spec.scene == "space":
        beyond.space(pen, spec, rng)
        return 190.0
    if spec.scene == "underwater":
        beyond.underwater(pen, spec, rng)
        return 176.0
    horizon = rng.uniform(*HORIZONS.get(spec.scene, (150.0, 168.0)))
    pen.behind = True
    heavens(pen, spec, rng, horizon)
    ground = LANDS[spec.scene](Land(pen, rng, spec, horizon))
    pen.behind = False
    return ground


def _draw(pen: Pen, placements: list[Placement]) -> None:
    for item in placements:
        pen.place(item.x, item.y, item.height, flip=item.flip, turn=item.turn)
        DRAW[item.thing](pen, item.tint, Random(item.seed))
        pen.lift()
