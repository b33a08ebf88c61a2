"""What is known of models by their names and kinds: licences, and settings that suit them.

Settings are those of the model cards and of the papers that introduced each distillation. The licences are what the
model cards said in 2026; an owner has to read the card of what they serve.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN_LICENCE = "unknown: see the model's page"
DISTILLED = re.compile(r"(?<![a-z])(turbo|lightning|lcm|hyper|dmd2?|schnell|sprint)(?![a-z])")
STABILITY = "Stability AI Community Licence; commercial use has conditions"
STABILITY_RESEARCH = "Stability AI Non-Commercial Research Community Licence; no commercial use"
FLUX_DEV = "FLUX.1 [dev] Non-Commercial Licence; no commercial use of the model"
LICENCES = {
    "starter": "MIT",
    "stable-diffusion-v1-5/stable-diffusion-v1-5": "CreativeML OpenRAIL-M",
    "runwayml/stable-diffusion-v1-5": "CreativeML OpenRAIL-M",
    "compvis/stable-diffusion-v1-4": "CreativeML OpenRAIL-M",
    "lykon/dreamshaper-8": "CreativeML OpenRAIL-M",
    "stabilityai/stable-diffusion-2-1": "CreativeML OpenRAIL++-M",
    "stabilityai/stable-diffusion-2-1-base": "CreativeML OpenRAIL++-M",
    "stabilityai/sd-turbo": STABILITY,
    "simianluo/lcm_dreamshaper_v7": "MIT",
    "stabilityai/stable-diffusion-xl-base-1.0": "CreativeML OpenRAIL++-M",
    "stabilityai/sdxl-turbo": STABILITY_RESEARCH,
    "bytedance/sdxl-lightning": "CreativeML OpenRAIL++-M",
    "stabilityai/stable-diffusion-3-medium-diffusers": STABILITY,
    "stabilityai/stable-diffusion-3.5-medium": STABILITY,
    "stabilityai/stable-diffusion-3.5-large": STABILITY,
    "stabilityai/stable-diffusion-3.5-large-turbo": STABILITY,
    "black-forest-labs/flux.1-schnell": "Apache-2.0",
    "black-forest-labs/flux.1-dev": FLUX_DEV,
    "black-forest-labs/flux.2-klein-4b": "Apache-2.0",
    "black-forest-labs/flux.2-klein-9b": "FLUX Non-Commercial Licence; no commercial use of the model",
    "tongyi-mai/z-image-turbo": "Apache-2.0",
    "alpha-vllm/lumina-image-2.0": "Apache-2.0",
    "fal/auraflow": "Apache-2.0",
    "qwen/qwen-image": "Apache-2.0",
    "pixart-alpha/pixart-sigma-xl-2-1024-ms": "CreativeML OpenRAIL++-M",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What suits a kind of model."""

    steps: int
    guidance: float
    sampler: str = "dpmpp_2m"


# Families that are painted row by row.
WHOLE = {"sd1": Settings(25, 7.0), "sd2": Settings(25, 7.0), "sdxl": Settings(28, 6.0)}
STARTER_SETTINGS = Settings(20, 3.0)
# Distillations by the word in their names. Those that were trained without guidance break with it.
DISTILLATIONS = {
    "turbo": Settings(1, 0.0, "euler"),
    "lightning": Settings(4, 0.0, "euler"),
    "hyper": Settings(8, 0.0, "euler"),
    "dmd": Settings(4, 0.0, "lcm"),
    "dmd2": Settings(4, 0.0, "lcm"),
    "lcm": Settings(4, 0.0, "lcm"),
}
EMBEDDED_GUIDANCE = 8.5  # of consistency models that take guidance as an input of the denoiser
SCHNELL = "FluxPipeline without guidance"  # a class of its own to us: FLUX.1 [schnell] and what was made from it
# Whole pipelines by their class; they keep their own scheduler, whatever sampler is asked for.
PIPELINES = {
    "StableDiffusion3Pipeline": Settings(28, 4.5, "euler"),
    "FluxPipeline": Settings(28, 3.5, "euler"),
    SCHNELL: Settings(4, 0.0, "euler"),
    "Flux2KleinPipeline": Settings(4, 1.0, "euler"),
    "ZImagePipeline": Settings(8, 0.0, "euler"),
    "SanaPipeline": Settings(20, 4.5),
    "SanaSprintPipeline": Settings(2, 4.5, "euler"),
    "PixArtAlphaPipeline": Settings(20, 4.5),
    "PixArtSigmaPipeline": Settings(20, 4.5),
    "Lumina2Pipeline": Settings(30, 4.0, "euler"),
    "ChromaPipeline": Settings(35, 5.0, "euler"),
    "AuraFlowPipeline": Settings(50, 3.5, "euler"),
    "QwenImagePipeline": Settings(40, 4.0, "euler"),
}
# The classes that words in hub ids hint at, the more telling words first; only until the model's index was fetched.
HINTS = {
    "klein": "Flux2KleinPipeline",
    "schnell": SCHNELL,
    "flux": "FluxPipeline",
    "z-image": "ZImagePipeline",
    "sprint": "SanaSprintPipeline",
    "sana": "SanaPipeline",
    "pixart": "PixArtSigmaPipeline",
    "diffusion-3": "StableDiffusion3Pipeline",
    "sd3": "StableDiffusion3Pipeline",
    "lumina": "Lumina2Pipeline",
    "chroma": "ChromaPipeline",
    "auraflow": "AuraFlowPipeline",
    "qwen-image": "QwenImagePipeline",
    "hidream": "HiDreamImagePipeline",
    "cogview": "CogView4Pipeline",
    "hunyuan": "HunyuanDiTPipeline",
    "kolors": "KolorsPipeline",
}
OTHER_PIPELINE = Settings(28, 4.5, "euler")
PIPELINE_DISTILLATIONS = {"schnell": Settings(4, 0.0, "euler"), "turbo": Settings(4, 0.0, "euler")}
# Pipelines whose own defaults are already those of a distillation, whatever their names say.
DISTILLED_CLASSES = frozenset(("ZImagePipeline", "SanaSprintPipeline", "Flux2KleinPipeline"))


def licence_of(*names: str) -> str:
    """One line about the licence of a model, by the names it goes by: hub ids with or without revision."""
    for name in names:
        if found := LICENCES.get(name.partition("@")[0].lower()):
            return found
    return UNKNOWN_LICENCE


def is_restricted(licence: str) -> bool:
    """Whether a licence known here forbids commercial use or puts conditions on it."""
    return "ommercial use" in licence


def pipeline_hint(hub_id: str) -> str:
    """The pipeline class that the name of a hub id hints at; empty when it hints at none of the whole pipelines."""
    return next((kind for word, kind in HINTS.items() if word in hub_id.lower()), "")


def distillation_of(name: str) -> str:
    """The word in a model's name that says how it was distilled; empty for none."""
    found = DISTILLED.search(name.lower())
    return found.group(1) if found else ""


def settings_of(name: str, family: str, *, pipeline: str = "", consistency: bool = False) -> Settings:
    """What suits a model by its names, family and pipeline class; `consistency`: its scheduler says it is an LCM."""
    word = distillation_of(name) or ("lcm" if consistency else "")
    if name == "starter":
        return STARTER_SETTINGS
    if family == "plain":
        if pipeline in DISTILLED_CLASSES:
            return PIPELINES[pipeline]
        return PIPELINE_DISTILLATIONS.get(word) or PIPELINES.get(pipeline, OTHER_PIPELINE)
    return DISTILLATIONS.get(word) or WHOLE.get(family, WHOLE["sd1"])
