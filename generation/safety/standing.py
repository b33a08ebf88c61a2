"""Decides at start which checkers stand: those of the configuration, the model's own, and that of the shipped world."""

from __future__ import annotations

from pathlib import Path

import torch

from generation.engine.shelf import Model
from generation.errors import ModelUnavailable
from generation.safety import parts
from generation.safety.checker import Checker
from generation.safety.one_motif import OneMotif, motif_of
from generation.safety.starter_world import StarterWorld
from generation.safety.unchecked_local import UncheckedLocal
from generation.workers.worker import EngineSettings


def stand(settings: EngineSettings, model: Model) -> tuple[Checker, ...]:
    """All checkers for `model`; raises ModelUnavailable when one that was asked for cannot be loaded.

    A missing checker stops the engine rather than leaving a thinner gate. Empty, when nothing can judge this model:
    then nothing will be shown.
    """
    looking = [open_checker(parts.folder_of(name), model.place.device) for name in settings.checkers]
    own, world = model.own_checker, StarterWorld(model.files)
    known = motif_of(own) if own is not None else ""
    if own is not None and not known:
        looking.append(open_checker(own, model.place.device))
    if not world.stands:
        return tuple(looking)
    # Only our own small world may go unseen where the owner said so: other weights can turn an upload into anything.
    unseen = [UncheckedLocal()] if settings.allow_unchecked_uploads and not looking else []
    motif = [OneMotif(own, model.place.device, world)] if own is not None and known else []
    return (world, *unseen, *motif, *looking)


def open_checker(folder: Path, device: torch.device) -> Checker:
    """The checker in `folder`, by the class its configuration names; raises ModelUnavailable."""
    kind = parts.architecture(folder)
    if known := motif_of(folder):
        raise ModelUnavailable(f"“{folder.name}” knows {known} and nothing else, so it cannot check other pictures.")
    if kind == "StableDiffusionSafetyChecker":
        from generation.safety.stable_diffusion import StableDiffusionChecker

        return StableDiffusionChecker(folder, device)
    if kind.endswith("ForImageClassification"):
        from generation.safety.classifier import ClassifierChecker

        return ClassifierChecker(folder, device)
    raise ModelUnavailable(f"“{folder.name}” is no safety checker that is understood here, but a {kind or 'mystery'}.")
