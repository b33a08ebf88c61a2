"""Other pipelines of the library, tiny and random, saved as folders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from generation.models import STARTER


def pixart(folder: Path) -> Path:
    """PixArt-Sigma: a transformer that predicts noise, DPM-Solver++, T5, and the old kind of callback."""
    torch.manual_seed(21)
    transformer = PixArtTransformer2DModel(
        sample_size=8,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=3,
        caption_channels=32,
        in_channels=4,
        cross_attention_dim=24,
        out_channels=8,
        attention_bias=True,
        activation_fn="gelu-approximate",
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        norm_eps=1e-6,
    )
    pipeline = PixArtSigmaPipeline(
        transformer=transformer,
        vae=_autoencoder(4),
        text_encoder=_t5(),
        tokenizer=_t5_tokenizer(),
        scheduler=DPMSolverMultistepScheduler(),
    )
    return _saved(pipeline, folder)


def flux(folder: Path) -> Path:
    """FLUX: packed latents, a shifted decoder, flow matching, CLIP and T5."""
    torch.manual_seed(22)
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
    )
    pipeline = FluxPipeline(
        transformer=transformer,
        vae=_autoencoder(4, shift_factor=0.0609, scaling_factor=1.5035),
        text_encoder=CLIPTextModel(_clip_config()),
        text_encoder_2=_t5(),
        tokenizer=_clip_tokenizer(),
        tokenizer_2=_t5_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(),
    )
    return _saved(pipeline, folder)


def stable_diffusion_3(folder: Path) -> Path:
    """Stable Diffusion 3 without T5: real guidance, flow matching, two CLIP encoders."""
    torch.manual_seed(23)
    transformer = SD3Transformer2DModel(
        sample_size=8,
        patch_size=1,
        in_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=64,
        pooled_projection_dim=64,
        out_channels=4,
    )
    pipeline = StableDiffusion3Pipeline(
        transformer=transformer,
        vae=_autoencoder(4, shift_factor=0.0609, scaling_factor=1.5035),
        text_encoder=CLIPTextModelWithProjection(_clip_config(projection_dim=32)),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config(projection_dim=32)),
        text_encoder_3=None,
        tokenizer=_clip_tokenizer(),
        tokenizer_2=_clip_tokenizer(),
        tokenizer_3=None,
        scheduler=FlowMatchEulerDiscreteScheduler(),
    )
    return _saved(pipeline, folder)


def _saved(pipeline: Any, folder: Path) -> Path:
    pipeline.save_pretrained(str(folder), safe_serialization=True)
    for tokenizer in folder.glob("tokenizer*"):
        if "CLIP" in (tokenizer / "tokenizer_config.json").read_text():
            shutil.copy(STARTER / "tokenizer" / "vocab.json", tokenizer)
            shutil.copy(STARTER / "tokenizer" / "merges.txt", tokenizer)
    return folder


def _autoencoder(channels: int, **config: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=[16, 16, 32, 32],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=channels,
        norm_num_groups=16,
        **config,
    )


def _t5() -> T5EncoderModel:
    return T5EncoderModel(T5Config(vocab_size=32, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4))


def _t5_tokenizer() -> T5Tokenizer:
    letters = [(letter, -3.0) for letter in "abcdefghijklmnopqrstuvwxyz"]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *letters]
    return T5Tokenizer(vocab=vocab, extra_ids=0, model_max_length=64)


def _clip_config(**changes: Any) -> CLIPTextConfig:
    values: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 37,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "vocab_size": 1682,
        "bos_token_id": 1680,
        "eos_token_id": 1681,
        "pad_token_id": 1681,
    }
    return CLIPTextConfig(**values | changes)


def _clip_tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(str(STARTER / "tokenizer"))
