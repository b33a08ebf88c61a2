"""Image classification models of transformers as checkers, once all their labels are understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from generation.errors import ModelUnavailable
from generation.request import Request
from generation.safety import parts
from generation.safety.checker import Verdict
from generation.safety.views import views

THRESHOLD = 0.5  # of the summed probability of the labels that speak against a picture
SAFE = frozenset({"safe", "sfw", "normal", "neutral", "drawing", "drawings", "general", "ok"})
UNSAFE = frozenset(
    {"nsfw", "unsafe", "porn", "hentai", "sexy", "explicit", "questionable", "sensitive", "nude", "nudity", "sexual"}
    | {"low", "medium", "high", "gore", "violence", "violent", "hate", "self-harm"}
)


class ClassifierChecker:
    """Approves a picture whose unwanted labels together stay below the threshold in every view of it."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.name = f"image classifier {folder.name}"
        self._model = parts.load(AutoModelForImageClassification, folder, device)
        self._device = device
        self.version = parts.version_of(folder)
        self._unsafe = unsafe_places(self._model.config.id2label, folder.name)
        try:
            processors: Any = AutoImageProcessor
            self._processor = processors.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            sentence = f"The safety checker “{folder.name}” does not say how to prepare pictures."
            raise ModelUnavailable(sentence) from error

    def covers(self, request: Request) -> bool:
        """It looks at the picture itself, so at any."""
        return True

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """One verdict per image; a picture fails when any view of it does."""
        return [self._judge(image) for image in images]

    @torch.inference_mode()
    def _judge(self, image: Image.Image) -> Verdict:
        pixels = self._processor(views(image), return_tensors="pt").pixel_values
        shares = self._model(pixels.to(self._device, torch.float32)).logits.float().softmax(dim=-1)
        against = shares[:, self._unsafe].sum(dim=-1)
        worst = float(against.max())
        scores = (*against.tolist(), *shares.flatten().tolist())
        return Verdict(worst < THRESHOLD, scores, f"{self.name} {worst:.3f}")


def unsafe_places(labels: Mapping[int, str], name: str) -> list[int]:
    """Indices of the labels that speak against a picture; raises ModelUnavailable for labels we cannot be sure of."""
    words = {int(index): str(label).strip().lower() for index, label in labels.items()}
    unknown = sorted(word for word in words.values() if word not in SAFE | UNSAFE)
    if unknown:
        shown = ", ".join(unknown[:4])
        raise ModelUnavailable(f"The safety checker “{name}” has labels that are not understood: {shown}.")
    places = [index for index, word in words.items() if word in UNSAFE]
    if not places or len(places) == len(words):
        raise ModelUnavailable(f"The safety checker “{name}” has labels of one kind only.")
    return places
