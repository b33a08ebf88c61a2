"""A model ready to paint: its lane, its preview, and the gate that judges what it paints."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace

import diffusers
import torch

from generation.engine.building import BUILDING
from generation.engine.curve import Curve
from generation.engine.engine import Engine
from generation.engine.lane import Lane
from generation.engine.lora import Loras
from generation.engine.notebook import Notebook
from generation.engine.options import EngineOptions
from generation.engine.painting import Painting
from generation.engine.plain import PlainModel
from generation.engine.plain_lane import PlainLane
from generation.engine.preview import Preview
from generation.engine.rows import RowLane
from generation.engine.shelf import Model
from generation.errors import AtelierError, ModelDelayed, OutOfMemory, PaintingError
from generation.job import Job
from generation.models import ModelCard
from generation.request import Request
from generation.safety.gate import Gate
from generation.safety.standing import stand
from generation.workers.worker import EngineSettings, WorkerStatus

log = logging.getLogger(__name__)

WARM_STEPS = 2
LEAST_TOGETHER, MOST_TOGETHER = 16, 64  # jobs in the engine at once: enough that newcomers see their first step


@dataclass(frozen=True, slots=True)
class Easel:
    """One model in service."""

    model: Model
    lane: Lane
    gate: Gate
    preview: Preview | None  # None: its decoder is of a kind that previews are not made of

    @property
    def card(self) -> ModelCard:
        """What the model is."""
        return self.model.card


def set_up(
    model: Model, settings: EngineSettings, *, loras: Loras, notebook: Notebook, alive: Callable[[str], None]
) -> Easel:
    """Checkers, lane and preview for a loaded model; raises ModelUnavailable or NotApproved when a checker fails."""
    alive("loading the safety checkers")
    with BUILDING:
        checkers = stand(settings, model)
    gate = Gate(checkers, alive=lambda: alive("checking"))
    curves = notebook.page(_circumstance(model, settings.options))
    easel = Easel(model, _lane(model, settings.options, loras, curves, alive), gate, _preview(model))
    words = sample(easel.card, 64)
    if gate.can_judge(words):
        gate.self_test(words)
    else:
        log.warning(
            "No safety checker can judge what “%s” paints: nothing will be shown. Name one under safety.checkers.",
            model.card.name,
        )
    return easel


def _lane(
    model: Model, options: EngineOptions, loras: Loras, curves: dict[str, Curve], alive: Callable[[str], None]
) -> Lane:
    if isinstance(model, PlainModel):
        return PlainLane(model, curves=curves)
    return RowLane(model, options, loras=loras, curves=curves, alive=lambda: alive("working"))


def _preview(model: Model) -> Preview | None:
    try:
        return Preview.fit(model)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:  # a decoder of videos, or none at all
        if not isinstance(model, PlainModel):
            raise
        log.info("Model %s paints without previews: %s", model.card.name, error)
        return None


def warm_up(easel: Easel, options: EngineOptions, alive: Callable[[str], None]) -> None:
    """Paint a short picture of the model's own size without showing it: measures, and fills all caches."""
    engine = Engine(options, painted=lambda *_: None, hear=lambda: alive("warming up"))
    engine.put(easel.lane)
    job = Job(id="warm-up", request=sample(easel.card, easel.card.native))
    engine.submit(Painting(number=-1, job=job, on_failed=_raise))
    alive("warming up")
    while engine.tick():
        alive("warming up")


def introduce(easel: Easel) -> WorkerStatus:
    """What a worker says of itself when this is its first model."""
    lane, place = easel.lane, easel.model.place
    key, megapixels = lane.own_size()
    curve, room = lane.curve_of(key), lane.room(key)
    full, alone = curve.seconds(room) / room, curve.seconds(lane.lone) / lane.lone  # seconds of a row
    upload = replace(sample(easel.card, 64), image="0" * 64, strength=0.5)
    return WorkerStatus(
        card=easel.card,
        device=f"{place.words}, {place.dtype_name}",
        seconds_per_megapixel_step=full * lane.lone / megapixels or None,
        checkers=easel.gate.names,
        coverage=easel.gate.coverage,
        accepts_uploads=easel.gate.can_judge(upload),
        together=max(LEAST_TOGETHER, min(MOST_TOGETHER, 2 * room)),
        rows=room,
        exact=lane.is_exact(key),
        alone_factor=alone / full if full else 1.0,
        call_seconds=dict(curve.times),
    )


def sample(card: ModelCard, side: int) -> Request:
    """A request that this model can paint."""
    return Request(
        prompt="a hill",
        width=side,
        height=side,
        steps=WARM_STEPS,
        guidance=max(card.guidance, 0.0),
        sampler=card.sampler,
        seed=0,
        model=card.name,
    )


def _circumstance(model: Model, options: EngineOptions) -> str:
    """All that a measurement depends on."""
    parts = (
        model.place.words,
        platform.processor() or platform.machine(),
        model.place.dtype_name,
        model.card.sha256,
        f"torch {torch.__version__}",
        f"diffusers {diffusers.__version__}",
        f"exact {options.exact}",
        f"rows {options.rows}",
    )
    return " / ".join(parts)


def _raise(error: AtelierError) -> None:
    if isinstance(error, OutOfMemory) or type(error) is PaintingError:  # says nothing of the model: it may pass
        raise ModelDelayed from error
    raise error
