"""Real models of the library, tiny and random, saved as folders."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from generation.models import STARTER

SIDE = 64  # pixels, the native size of the tiny model


def stable_diffusion(folder: Path, *, embedded_guidance: bool = False) -> Path:
    """A Stable Diffusion 1 pipeline with AutoencoderKL, all of its weights random."""
    torch.manual_seed(7)
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=SIDE // 8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        norm_num_groups=16,
        time_cond_proj_dim=32 if embedded_guidance else None,
    )
    config: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    pipeline = StableDiffusionPipeline(
        vae=_autoencoder(),
        unet=unet,
        text_encoder=CLIPTextModel(_text_config()),
        tokenizer=CLIPTokenizer.from_pretrained(str(STARTER / "tokenizer")),
        scheduler=PNDMScheduler(skip_prk_steps=True, steps_offset=1, **config)
        if not embedded_guidance
        else DDIMScheduler(clip_sample=False, steps_offset=1, **config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _saved(pipeline, folder)


def stable_diffusion_xl(folder: Path, *, zeros: bool = True, embedded_guidance: bool = False) -> Path:
    """A Stable Diffusion XL pipeline, all of its weights random; `zeros` is its force_zeros_for_empty_prompt."""
    torch.manual_seed(17)
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=SIDE // 8,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=6 * 8 + 24,
        cross_attention_dim=32 + 48,
        norm_num_groups=16,
        time_cond_proj_dim=32 if embedded_guidance else None,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=_autoencoder(),
        unet=unet,
        text_encoder=CLIPTextModel(_text_config()),
        text_encoder_2=CLIPTextModelWithProjection(_text_config(hidden_size=48, projection_dim=24, pad_token_id=0)),
        tokenizer=CLIPTokenizer.from_pretrained(str(STARTER / "tokenizer")),
        tokenizer_2=CLIPTokenizer.from_pretrained(str(STARTER / "tokenizer"), pad_token="!"),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="leading",
        ),
        force_zeros_for_empty_prompt=zeros,
        add_watermarker=False,
    )
    return _saved(pipeline, folder)


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=[16, 16, 32, 32],
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=4,
        norm_num_groups=16,
    )


def _text_config(**changes: Any) -> CLIPTextConfig:
    values: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "vocab_size": 1682,
        "bos_token_id": 1680,
        "eos_token_id": 1681,
        "pad_token_id": 1681,
    }
    return CLIPTextConfig(**values | changes)


def _saved(pipeline: Any, folder: Path) -> Path:
    pipeline.save_pretrained(str(folder), safe_serialization=True)
    for tokenizer in folder.glob("tokenizer*"):
        shutil.copy(STARTER / "tokenizer" / "vocab.json", tokenizer)
        shutil.copy(STARTER / "tokenizer" / "merges.txt", tokenizer)
    return folder


def single_file(folder: Path, path: Path) -> Path:
    """The model in `folder` as one file with the names of the original Stable Diffusion code (1 layer per block)."""
    tensors: dict[str, torch.Tensor] = {}
    xl = (folder / "text_encoder_2").is_dir()
    for name, tensor in load_file(folder / "unet" / "diffusion_pytorch_model.safetensors").items():
        tensors["model.diffusion_model." + _original_unet(name, 2 if xl else 1)] = tensor
    for name, tensor in load_file(folder / "vae" / "diffusion_pytorch_model.safetensors").items():
        square = ".attentions." in name and tensor.ndim == 2  # these were convolutions of one pixel
        tensors["first_stage_model." + _original_vae(name)] = tensor[:, :, None, None] if square else tensor
    prefix = "conditioner.embedders.0" if xl else "cond_stage_model"
    for name, tensor in load_file(folder / "text_encoder" / "model.safetensors").items():
        tensors[f"{prefix}.transformer.text_model.{name.removeprefix('text_model.')}"] = tensor
    if xl:
        second = _original_open_clip(load_file(folder / "text_encoder_2" / "model.safetensors"))
        tensors |= {f"conditioner.embedders.1.model.{name}": tensor for name, tensor in second.items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"format": "pt"})
    return path


def _original_open_clip(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    moves = [
        ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
        ("text_model.embeddings.token_embedding", "token_embedding"),
        ("text_model.final_layer_norm", "ln_final"),
        ("text_model.encoder.layers", "transformer.resblocks"),
        ("layer_norm", "ln_"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
        ("self_attn", "attn"),
    ]
    found = {}
    for name, tensor in tensors.items():
        if name == "text_projection.weight":
            found["text_projection"] = tensor.T
        elif ".q_proj." in name:  # the three projections were one
            three = [tensors[name.replace(".q_proj.", f".{which}_proj.")] for which in "qkv"]
            name = name.replace(".q_proj.", ".in_proj_")
            tensor = torch.cat(three)
        elif ".k_proj." in name or ".v_proj." in name:
            continue
        for new, old in moves:
            name = name.replace(new, old)
        if name != "text_projection.weight":
            found[name] = tensor
    return found


def _original_unet(name: str, upsampler: int) -> str:
    """`upsampler`: which member of its output block it is, after a block's attention where there is one."""
    plain = {
        "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    for new, old in plain.items():
        if name.startswith(new + "."):
            return name.replace(new, old, 1)
    moves = [
        (r"down_blocks\.(\d)\.resnets\.0\.", lambda m: f"input_blocks.{2 * int(m[1]) + 1}.0."),
        (r"down_blocks\.(\d)\.attentions\.0\.", lambda m: f"input_blocks.{2 * int(m[1]) + 1}.1."),
        (r"down_blocks\.(\d)\.downsamplers\.0\.conv\.", lambda m: f"input_blocks.{2 * int(m[1]) + 2}.0.op."),
        (r"up_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f"output_blocks.{2 * int(m[1]) + int(m[2])}.0."),
        (r"up_blocks\.(\d)\.attentions\.(\d)\.", lambda m: f"output_blocks.{2 * int(m[1]) + int(m[2])}.1."),
        (r"up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"output_blocks.{2 * int(m[1]) + 1}.{upsampler}."),
        (r"mid_block\.resnets\.(\d)\.", lambda m: f"middle_block.{2 * int(m[1])}."),
        (r"mid_block\.attentions\.0\.", lambda m: "middle_block.1."),
    ]
    for pattern, place in moves:
        name = re.sub("^" + pattern, place, name)
    parts = [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("norm2", "out_layers.0"), ("conv2", "out_layers.3")]
    parts += [("time_emb_proj", "emb_layers.1"), ("conv_shortcut", "skip_connection")]
    if "transformer_blocks" not in name:
        for new, old in parts:
            name = re.sub(rf"\.{new}\.", f".{old}.", name)
    return name


def _original_vae(name: str) -> str:
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{3 - int(m[1])}.block", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{3 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    for new, old in (("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")):
        name = name.replace(f"mid_block.attentions.0.{new}", f"mid.attn_1.{old}")
    return name


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
