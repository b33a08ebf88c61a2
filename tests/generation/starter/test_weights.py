from __future__ import annotations

import torch
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

from generation.models import STARTER
from generation.safety.starter_world import shipped_files

LIMIT = 40_000_000  # bytes, of all files together


def painted(**settings: object):
    pipeline = StableDiffusionPipeline.from_pretrained(STARTER, local_files_only=True, **settings)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.Generator().manual_seed(1)
    return pipeline, pipeline(
        "a red heart on a white background", height=256, width=256, num_inference_steps=2, generator=noise
    )


def test_plain_diffusers_loads_the_folder_with_a_dtype():
    pipeline, result = painted(dtype=torch.float32)
    assert result.images[0].size == (256, 256)
    assert pipeline.unet.dtype == pipeline.text_encoder.dtype == torch.float32
    assert isinstance(pipeline.safety_checker, StableDiffusionSafetyChecker)
    assert pipeline.safety_checker.dtype == torch.float32


def test_plain_diffusers_loads_the_folder_without_a_dtype():
    pipeline, result = painted()
    assert result.images[0].size == (256, 256)
    assert pipeline.unet.dtype == pipeline.text_encoder.dtype == pipeline.safety_checker.dtype


def test_the_folder_is_small_and_every_file_is_known():
    files = [path for path in STARTER.rglob("*") if path.is_file() and path.suffix != ".md"]
    assert sum(path.stat().st_size for path in files) < LIMIT
    assert {path.relative_to(STARTER).as_posix() for path in files} == set(shipped_files())
