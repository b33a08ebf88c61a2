"""Decides at start which checkers stand: those of the configuration, the model's own, and those of the shipped world."""

from __future__ import annotations

from generation.engine.weights import LoadedModel
from generation.safety.checker import Checker
from generation.safety.starter_world import StarterWorld
from generation.safety.unchecked_local import UncheckedLocal
from generation.workers.worker import EngineSettings


def stand(settings: EngineSettings, model: LoadedModel) -> tuple[Checker, ...]:
    """All checkers for `model`; raises ModelUnavailable when one that was asked for cannot be loaded."""
    checkers: list[Checker] = []
    world = StarterWorld(model.files)
    if world.stands:
        checkers.append(world)
        if settings.allow_unchecked_uploads:
            checkers.append(UncheckedLocal())
    return tuple(checkers)
