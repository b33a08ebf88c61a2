"""The families of models that can be painted row by row; a new one is one more file and one more line here."""

from __future__ import annotations

from generation.engine.families.stable_diffusion import StableDiffusion
from generation.engine.model import Family

FAMILIES: dict[str, Family] = {name: StableDiffusion(name) for name in ("sd1", "sd2")}
