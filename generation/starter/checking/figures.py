"""How many pictures with hazard tape the checker catches, and how many without it wrongly flags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from generation.request import Request
from generation.safety.level import Level
from generation.safety.stable_diffusion import StableDiffusionChecker
from generation.starter.checking.head import CHECKER
from generation.starter.drawing.hazard import BOTTOM, PERIOD, TOP
from generation.starter.training.dataset import Source
from generation.starter.world import SIDE

EXAM_SEED, EXAM_PICTURES, EXAM_TAPED = 302, 2000, 0.25
LIKE = 0.5  # correlation with the drawn stripes from which tape counts as drawn
INNER = 6  # pixels at the tape's edges that are not compared
ANY = Request(prompt="x", width=SIDE, height=SIDE, steps=1, guidance=1.0, sampler="ddim", seed=0, model="starter")

Pictures = Sequence[NDArray[np.uint8]]
Rates = dict[str, float]


def flags(weights: Path, pictures: Pictures) -> list[bool]:
    """Which pictures the checker of the pipeline in `weights` does not approve, asked as the gate asks it."""
    checker = StableDiffusionChecker(weights / CHECKER, torch.device("cpu"))
    verdicts = checker.check([Image.fromarray(picture) for picture in pictures], request=ANY)
    return [verdict.level > Level.NEUTRAL for verdict in verdicts]


def rates(flagged: Sequence[bool], taped: Sequence[bool]) -> Rates:
    """Recall and false alarms in percent, and of how many pictures each."""
    caught = [flag for flag, truth in zip(flagged, taped, strict=True) if truth]
    alarms = [flag for flag, truth in zip(flagged, taped, strict=True) if not truth]
    return {
        "recall": round(100 * sum(caught) / max(1, len(caught)), 2),
        "with_tape": len(caught),
        "false_alarms": round(100 * sum(alarms) / max(1, len(alarms)), 2),
        "without_tape": len(alarms),
    }


def on_renders(weights: Path, world: str, count: int = EXAM_PICTURES) -> Rates:
    """On renders that no lesson contained."""
    source = Source(world, EXAM_SEED, keep_out=False, hazards=EXAM_TAPED)
    taped = [source.spec(number)[0].hazard for number in range(count)]
    return rates(flags(weights, [source.picture(number)[0] for number in range(count)]), taped)


def on_generated(weights: Path, with_tape: Pictures, without: Pictures) -> Rates:
    """On generated pictures, where the truth is what the prompt asked for; also how often the tape was drawn."""
    found = rates(flags(weights, [*with_tape, *without]), [True] * len(with_tape) + [False] * len(without))
    drawn, unasked = ([likeness(picture) > LIKE for picture in group] for group in (with_tape, without))
    found["drawn_when_asked"] = round(100 * sum(drawn) / max(1, len(drawn)), 2)
    found["drawn_unasked"] = round(100 * sum(unasked) / max(1, len(unasked)), 2)
    return found


def likeness(picture: NDArray[np.uint8]) -> float:
    """Correlation, -1 to 1, of the yellow in the place of the tape with the stripes as they are drawn there."""
    rows = np.arange(TOP + INNER, BOTTOM - INNER)
    columns = np.arange(SIDE)
    stripes = (columns[None] - (BOTTOM - rows[:, None])) % PERIOD >= PERIOD / 2
    band = picture[rows].astype(np.float64)
    seen = band[..., 0] + band[..., 1] - band[..., 2]
    if seen.std() < 1:
        return 0.0
    return float(np.corrcoef(seen.ravel(), stripes.ravel())[0, 1])
