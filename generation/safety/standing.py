"""Decides at start which checkers stand: those of the configuration, the model's own, and that of the shipped world."""

from __future__ import annotations

from pathlib import Path

import torch

from generation.engine.shelf import Model
from generation.errors import ModelUnavailable
from generation.safety import parts
from generation.safety.checker import Checker
from generation.safety.starter_world import StarterWorld
from generation.safety.unchecked_local import UncheckedLocal
from generation.workers.worker import EngineSettings


def stand(settings: EngineSettings, model: Model) -> tuple[Checker, ...]:
    """All checkers for `model`; raises ModelUnavailable when one that was asked for cannot be loaded.

    A missing checker stops the engine rather than leaving a thinner gate. Empty, when nothing can judge this model:
    then nothing will be shown.
    """
    folders = [parts.folder_of(name) for name in settings.checkers]
    if model.own_checker is not None:
        folders.append(model.own_checker)
    looking = [open_checker(folder, model.place.device) for folder in folders]
    world = StarterWorld(model.files)
    if not world.stands:
        return tuple(looking)
    # Only our own small world may go unseen where the owner said so: other weights can turn an upload into anything.
    unseen = [UncheckedLocal()] if settings.allow_unchecked_uploads and not looking else []
    return (world, *unseen, *looking)


def open_checker(folder: Path, device: torch.device) -> Checker:
    """The checker in `folder`, by the class its configuration names; raises ModelUnavailable."""
    kind = parts.architecture(folder)
    if kind == "StableDiffusionSafetyChecker":
        from generation.safety.stable_diffusion import StableDiffusionChecker

        return StableDiffusionChecker(folder, device)
    if kind.endswith("ForImageClassification"):
        from generation.safety.classifier import ClassifierChecker

        return ClassifierChecker(folder, device)
    raise ModelUnavailable(f"“{folder.name}” is no safety checker that is understood here, but a {kind or 'mystery'}.")
