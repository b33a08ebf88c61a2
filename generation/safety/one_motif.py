"""The starter's own checker: it knows one drawn motif, and may judge nothing but the starter's world."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from typing_extensions import override

from generation.request import Request
from generation.safety.stable_diffusion import StableDiffusionChecker
from generation.safety.starter_world import StarterWorld

KNOWS_ONLY = "knows_only"  # entry of the checker's config.json: the motif; absent where a checker is for all pictures


def motif_of(folder: Path) -> str:
    """The one motif that the checker in `folder` says it knows; empty for a checker of everything."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return ""
    return str(config.get(KNOWS_ONLY) or "") if isinstance(config, dict) else ""


class OneMotif(StableDiffusionChecker):
    """Stands beside the closed world and never instead of it: of uploads and of other weights it knows nothing."""

    def __init__(self, folder: Path, device: torch.device, world: StarterWorld) -> None:
        super().__init__(folder, device)
        self.name = f"{motif_of(folder)} detector (knows that one drawn motif and nothing else)"
        self.coverage = "looks for that motif alone; for nothing else."
        self._world = world

    @override
    def covers(self, request: Request) -> bool:
        """Text-to-image with the shipped weights only."""
        return self._world.covers(request)
