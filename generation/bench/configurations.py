"""The written-out configurations of well-known architectures; no weights, no downloads, no torch.

Sources: the public configuration files of Stable Diffusion 1.5, SD-Turbo (the 2.1 architecture) and SDXL base 1.0.
Parameter counts of the denoisers: 860 M, 866 M and 2.57 B.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.errors import BadRequest

TOKENS = 1693  # of the starter's tokenizer, which stands in for every model's own
START, END = 1680, 1681  # its first and last token


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One model's shape, and how people use models of that shape."""

    name: str
    family: str  # as in ModelCard.family
    native: int  # pixels along a side
    steps: int
    guidance: float
    sampler: str
    unet: Mapping[str, Any]
    vae: Mapping[str, Any]
    texts: tuple[Mapping[str, Any], ...]  # the first one is CLIPTextModel, a second one has a projection
    tiny_vae: bool = False  # AutoencoderTiny instead of AutoencoderKL
    scheduler: Mapping[str, Any] = field(default_factory=dict)


LATENT_DIFFUSION: Mapping[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "prediction_type": "epsilon",
}
VAE: Mapping[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 512,
    "scaling_factor": 0.18215,
}


def _text(width: int, layers: int, heads: int, activation: str, **more: Any) -> Mapping[str, Any]:
    return {
        "hidden_size": width,
        "intermediate_size": width * 4,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "hidden_act": activation,
        "max_position_embeddings": 77,
        "bos_token_id": START,
        "eos_token_id": END,
        "pad_token_id": END,
    } | more


CLIP_L = _text(768, 12, 12, "quick_gelu", projection_dim=768, vocab_size=49408)

SD15 = Architecture(
    name="sd15",
    family="sd1",
    native=512,
    steps=25,
    guidance=7.0,
    sampler="dpmpp_2m",
    unet={
        "sample_size": 64,
        "block_out_channels": (320, 640, 1280, 1280),
        "attention_head_dim": 8,
        "cross_attention_dim": 768,
    },
    vae=VAE,
    texts=(CLIP_L,),
    scheduler=LATENT_DIFFUSION,
)
SD_TURBO = Architecture(
    name="sd-turbo",
    family="sd2",
    native=512,
    steps=1,
    guidance=0.0,
    sampler="euler",
    unet={
        "sample_size": 64,
        "block_out_channels": (320, 640, 1280, 1280),
        "attention_head_dim": [5, 10, 20, 20],
        "cross_attention_dim": 1024,
        "use_linear_projection": True,
    },
    vae=VAE,
    texts=(_text(1024, 23, 16, "gelu", projection_dim=512, vocab_size=49408),),
    scheduler=dict(LATENT_DIFFUSION) | {"timestep_spacing": "trailing"},
)
SDXL = Architecture(
    name="sdxl",
    family="sdxl",
    native=1024,
    steps=30,
    guidance=6.0,
    sampler="dpmpp_2m",
    unet={
        "sample_size": 128,
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "attention_head_dim": [5, 10, 20],
        "transformer_layers_per_block": [1, 2, 10],
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
    # force_upcast is off: people run SDXL with the decoder that was repaired for half precision
    vae=dict(VAE) | {"sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": False},
    texts=(CLIP_L, _text(1280, 32, 20, "gelu", projection_dim=1280, vocab_size=49408)),
    scheduler=LATENT_DIFFUSION,
)
SMALL = Architecture(
    name="small",
    family="sd1",
    native=64,  # latents of 8 × 8; up to 128 (16 × 16) it stays launch-bound
    steps=8,
    guidance=5.0,
    sampler="dpmpp_2m",
    unet={
        "sample_size": 8,
        "block_out_channels": (16, 32, 32, 32),
        "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        "attention_head_dim": 8,
        "cross_attention_dim": 96,
        "norm_num_groups": 4,
    },
    vae={
        "encoder_block_out_channels": (16,) * 4,
        "decoder_block_out_channels": (16,) * 4,
        "num_encoder_blocks": (1, 1, 1, 1),
        "num_decoder_blocks": (1, 1, 1, 1),
    },
    tiny_vae=True,
    texts=(_text(96, 2, 4, "gelu", projection_dim=96, vocab_size=TOKENS),),
    scheduler=LATENT_DIFFUSION,
)

ARCHITECTURES: Mapping[str, Architecture] = {item.name: item for item in (SD15, SDXL, SD_TURBO, SMALL)}


def architecture(name: str) -> Architecture:
    """The architecture called `name`; raises BadRequest naming the nearest one."""
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    near = difflib.get_close_matches(name, ARCHITECTURES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(ARCHITECTURES)}."
    raise BadRequest(f"There is no architecture called “{name[:40]}”; {hint}")
