"""Paints prompts with plain diffusers, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from rich.progress import track

from generation.starter.judging.questions import Question
from generation.starter.world import SIDE

BATCH = 10
CUDA_BATCH = 128


class Painter:
    """The pipeline in `folder`, on `device`."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        library: Any = StableDiffusionPipeline
        # What is measured is what was painted, so without the checker that would black a picture out.
        unchecked = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        self._pipeline: Any = library.from_pretrained(folder, dtype=torch.float32, local_files_only=True, **unchecked)
        self._pipeline.set_progress_bar_config(disable=True)
        self._pipeline.to(device)
        self._pipeline.unet.to(memory_format=torch.channels_last)
        self._device = device

    def paint(
        self, questions: Sequence[Question], *, steps: int, guidance: float, fast: bool = True
    ) -> list[NDArray[np.uint8]]:
        """A picture of 256 x 256 for every question; `fast` computes in bfloat16 where it can."""
        size = BATCH if self._device == "cpu" else CUDA_BATCH
        painted: list[NDArray[np.uint8]] = []
        for start in track(range(0, len(questions), size), f"painting at {steps} steps"):
            batch = questions[start : start + size]
            noise = [torch.Generator().manual_seed(question.seed) for question in batch]
            with torch.autocast(self._device, torch.bfloat16) if fast else nullcontext():
                result = self._pipeline(
                    [question.prompt for question in batch],
                    height=SIDE,
                    width=SIDE,
                    num_inference_steps=steps,
                    guidance_scale=guidance,
                    generator=noise,
                    output_type="np",
                )
            painted += list((result.images * 255).round().astype(np.uint8))
        return painted
