"""What is known of a model without loading it: its kind, native size, sensible settings and licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One set of weights as members and the front desk see it."""

    name: str  # what the owner wrote in config.yaml
    family: str  # "sd1", "sd2", "sdxl", "unknown"
    native: int  # side in pixels of the square it was trained on
    steps: int  # sensible number of steps
    guidance: float
    sampler: str
    licence: str  # one line, e.g. "MIT" or "unknown: see the model's page"
    sha256: str = ""  # of the denoiser's weights, once loaded
    note: str = ""  # one sentence about what it can draw or may be used for
