"""The families of models that can be painted row by row; a new one is one more file and one more line here."""

from __future__ import annotations

from generation.engine.families.stable_diffusion import StableDiffusion
from generation.engine.families.stable_diffusion_xl import StableDiffusionXL
from generation.engine.model import Family

FAMILIES: dict[str, Family] = {
    "sd1": StableDiffusion("sd1"),
    "sd2": StableDiffusion("sd2"),
    "sdxl": StableDiffusionXL(),
}
