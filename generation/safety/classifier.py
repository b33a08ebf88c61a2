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
from generation.safety.level import Level
from generation.safety.views import views

THRESHOLD = 0.5  # of the summed probability of the labels of one level and all above it
LABELS = {
    Level.NEUTRAL: ("safe", "sfw", "normal", "neutral", "drawing", "drawings", "general", "ok"),
    Level.LOW: ("low", "sexy", "suggestive", "sensitive"),
    Level.MEDIUM: ("medium", "questionable", "nude", "nudity"),
    Level.HIGH: (
        *("high", "nsfw", "unsafe", "porn", "hentai", "explicit", "sexual"),
        *("gore", "violence", "violent", "hate", "self-harm"),
    ),
}
LEVELS = {word: level for level, words in LABELS.items() for word in words}
BEYOND_SEXUAL = frozenset({"gore", "violence", "violent", "hate", "self-harm", "unsafe"})


class ClassifierChecker:
    """Says the highest level whose labels, with those above it, reach the threshold in any view of a picture."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.name = f"image classifier {folder.name}"
        self._model = parts.load(AutoModelForImageClassification, folder, device)
        self._device = device
        self.version = parts.version_of(folder)
        self._levels = levels_of(self._model.config.id2label, folder.name)
        self.coverage = coverage_of(self._model.config.id2label)
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
        level, share = Level.NEUTRAL, 0.0
        for candidate in (Level.LOW, Level.MEDIUM, Level.HIGH):
            places = [place for place, known in enumerate(self._levels) if known >= candidate]
            worst = float(shares[:, places].sum(dim=-1).max()) if places else 0.0
            if not worst < THRESHOLD:  # what is no number counts as seen
                level, share = candidate, worst
        return Verdict(level, tuple(shares.flatten().tolist()), f"{self.name} {level.name.lower()} {share:.3f}")


def levels_of(labels: Mapping[int, str], name: str) -> list[Level]:
    """The level of every label by its index; raises ModelUnavailable for labels we cannot be sure of."""
    words = _words(labels)
    unknown = sorted(word for word in words if word not in LEVELS)
    if unknown:
        shown = ", ".join(unknown[:4])
        raise ModelUnavailable(f"The safety checker “{name}” has labels that are not understood: {shown}.")
    levels = [LEVELS[word] for word in words]
    if len({level is Level.NEUTRAL for level in levels}) < 2:
        raise ModelUnavailable(f"The safety checker “{name}” has labels of one kind only.")
    return levels


def coverage_of(labels: Mapping[int, str]) -> str:
    """What a classifier with these labels looks for, one sentence."""
    words = [word for word in _words(labels) if LEVELS.get(word, Level.NEUTRAL) > Level.NEUTRAL]
    degrees = "in degrees" if len({LEVELS[word] for word in words}) > 1 else "yes or no"
    rest = "" if BEYOND_SEXUAL & {*words} else "; sexual content only, not violence, gore, hate or self-harm"
    return f"looks for {', '.join(words)} ({degrees}){rest}."


def _words(labels: Mapping[int, str]) -> list[str]:
    return [str(label).strip().lower() for _, label in sorted((int(index), label) for index, label in labels.items())]
