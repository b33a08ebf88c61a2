"""The safety checker that came with Stable Diffusion: 17 concepts in CLIP's space, all of them sexual."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPImageProcessor

from generation.request import Request
from generation.safety import parts
from generation.safety.checker import Verdict
from generation.safety.level import Level
from generation.safety.views import views

SPECIAL_CARE = 0.01  # added to every concept's score once a special-care concept was seen, as in the library


class StableDiffusionChecker:
    """The library's own weights and rule, on raw scores: its rounding to three digits would forgive 0.0004."""

    name = "Stable Diffusion safety checker"
    coverage = (
        "looks for 17 sexual concepts and says only yes or no; not for violence, gore, hate or self-harm. It is known "
        "to miss much and to take alarm at harmless pictures."
    )

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._model = parts.load(StableDiffusionSafetyChecker, folder, device)
        self._device = device
        self.version = parts.version_of(folder)
        side = int(self._model.config.vision_config.image_size)
        # Views are squares already, so the usual crop to the centre cuts nothing off.
        self._processor = CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side})

    def covers(self, request: Request) -> bool:
        """It looks at the picture itself, so at any."""
        return True

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """One verdict per image; a picture fails when any view of it does."""
        return [self._judge(image) for image in images]

    @torch.inference_mode()
    def _judge(self, image: Image.Image) -> Verdict:
        pixels = self._processor(views(image), return_tensors="pt").pixel_values
        model = self._model
        embedded = model.visual_projection(model.vision_model(pixels.to(self._device, torch.float32))[1])
        special = _similarity(embedded, model.special_care_embeds) - model.special_care_embeds_weights
        care = SPECIAL_CARE * (special > 0).any(dim=1, keepdim=True)
        concepts = _similarity(embedded, model.concept_embeds) - model.concept_embeds_weights + care
        worst = float(concepts.max())
        scores = (*special.flatten().tolist(), *concepts.flatten().tolist())
        return Verdict(Level.HIGH if worst > 0.0 else Level.NEUTRAL, scores, f"concept {worst:+.4f}")


def _similarity(images: torch.Tensor, concepts: torch.Tensor) -> torch.Tensor:
    normal = torch.nn.functional.normalize
    return normal(images) @ normal(concepts).T
