"""Approves what the shipped weights draw from words alone: they know nothing but their own small drawn world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from generation.request import Request
from generation.safety.checker import Verdict
from generation.safety.level import Level

SUMS = Path(__file__).parents[1] / "starter" / "SHA256SUMS"  # the form of `sha256sum`, paths relative to the weights


def shipped_files() -> dict[str, str]:
    """SHA-256 of every shipped weight and configuration file, by relative path."""
    lines = SUMS.read_text("ascii").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines if line)}


class StarterWorld:
    """Judges by origin, not by looking: exactly the shipped weights, no LoRA, no uploaded picture in the making."""

    name = "starter closed world"
    coverage = "the shipped model draws nothing but its own small world of words; the pictures are not looked at."

    def __init__(self, files: Mapping[str, str]) -> None:
        shipped = shipped_files()
        self.version = (shipped.get("unet/diffusion_pytorch_model.safetensors") or "")[:8]
        self._exact = bool(shipped) and dict(files) == shipped

    @property
    def stands(self) -> bool:
        """Whether the loaded model is the shipped one, byte for byte."""
        return self._exact

    def covers(self, request: Request) -> bool:
        """Text-to-image with the shipped weights only; a LoRA would bring another world along."""
        return self._exact and request.image is None and not request.loras

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """Approve all or none; the pictures themselves are not looked at."""
        if not self.covers(request):
            return [Verdict(Level.HIGH, (float("nan"),), "not a picture of the closed world") for _ in images]
        return [Verdict(Level.NEUTRAL, reason="drawn by the shipped weights from words alone") for _ in images]
