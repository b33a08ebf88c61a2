"""Real models of the library, tiny and random, saved as folders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from generation.models import STARTER

SIDE = 64  # pixels, the native size of the tiny model


def stable_diffusion(folder: Path, *, embedded_guidance: bool = False) -> Path:
    """A Stable Diffusion 1 pipeline with AutoencoderKL and 13 million random weights fewer than a picture needs."""
    torch.manual_seed(7)
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=SIDE // 8,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        norm_num_groups=16,
        time_cond_proj_dim=32 if embedded_guidance else None,
    )
    vae = AutoencoderKL(
        block_out_channels=[16, 16, 32, 32],
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=4,
        norm_num_groups=16,
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=32,
            intermediate_size=64,
            num_attention_heads=4,
            num_hidden_layers=2,
            vocab_size=1682,
            bos_token_id=1680,
            eos_token_id=1681,
            pad_token_id=1681,
        )
    )
    config: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    pipeline = StableDiffusionPipeline(
        vae=vae,
        unet=unet,
        text_encoder=text_encoder,
        tokenizer=CLIPTokenizer.from_pretrained(str(STARTER / "tokenizer")),
        scheduler=PNDMScheduler(skip_prk_steps=True, steps_offset=1, **config)
        if not embedded_guidance
        else DDIMScheduler(clip_sample=False, steps_offset=1, **config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(str(folder), safe_serialization=True)
    shutil.copy(STARTER / "tokenizer" / "vocab.json", folder / "tokenizer")
    shutil.copy(STARTER / "tokenizer" / "merges.txt", folder / "tokenizer")
    return folder


def safety_checker(folder: Path, *, threshold: float) -> Path:
    """A StableDiffusionSafetyChecker with random weights; every concept has the same threshold (cosine, -1 … 1)."""
    torch.manual_seed(11)
    config = CLIPConfig(
        text_config={"hidden_size": 32, "intermediate_size": 37, "num_attention_heads": 4, "num_hidden_layers": 1},
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 37,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "image_size": 30,
            "patch_size": 6,
        },
        projection_dim=64,
    )
    model = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        model.concept_embeds.copy_(torch.randn_like(model.concept_embeds))
        model.special_care_embeds.copy_(torch.randn_like(model.special_care_embeds))
        model.concept_embeds_weights.fill_(threshold)
        model.special_care_embeds_weights.fill_(1.0)
    model.save_pretrained(str(folder), safe_serialization=True)
    size = {"height": 30, "width": 30}
    CLIPImageProcessor(size={"shortest_edge": 30}, crop_size=size).save_pretrained(str(folder))
    return folder


def classifier(folder: Path, labels: tuple[str, ...], *, favoured: int) -> Path:
    """A ViT classifier with random weights whose last layer always prefers label number `favoured`."""
    torch.manual_seed(13)
    model = ViTForImageClassification(
        ViTConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=37,
            image_size=32,
            patch_size=8,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
    )
    with torch.no_grad():
        model.classifier.bias.zero_()
        model.classifier.bias[favoured] = 6.0
    model.save_pretrained(str(folder), safe_serialization=True)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(str(folder))
    return folder
