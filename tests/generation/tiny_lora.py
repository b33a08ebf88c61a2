"""LoRA files, tiny and random, in the formats that trainers write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

ENDS = ("to_q", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "conv1", "proj_in")


def modules(pipeline: Any, parts: tuple[str, ...]) -> dict[str, torch.nn.Module]:
    """The modules that LoRAs usually touch, as part.path."""
    return {
        f"{part}.{name}": getattr(module, "base_layer", module)
        for part in parts
        for name, module in getattr(pipeline, part).named_modules()
        if name.endswith(ENDS)
    }


def peft_lora(pipeline: Any, path: Path, parts: tuple[str, ...], *, seed: int = 1, rank: int = 3, **extra: Any) -> Path:
    """A LoRA with the names that the library itself writes; `extra` tensors are added to the file."""
    rng = torch.Generator().manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}
    for name, module in modules(pipeline, parts).items():
        tensors |= _pair(module, rng, rank, f"{name}.lora_A.weight", f"{name}.lora_B.weight")
    save_file(tensors | extra, path, {"format": "pt"})
    return path


def kohya_lora(pipeline: Any, path: Path, parts: tuple[str, ...], *, seed: int = 2, **extra: Any) -> Path:
    """A LoRA of rank 4 and strength (alpha) 2 with the names of the kohya-ss scripts."""
    rng = torch.Generator().manual_seed(seed)
    two = hasattr(pipeline, "text_encoder_2")
    prefixes = {"unet": "lora_unet", "text_encoder": "lora_te1" if two else "lora_te", "text_encoder_2": "lora_te2"}
    tensors: dict[str, torch.Tensor] = {}
    for name, module in modules(pipeline, parts).items():
        part, _, inner = name.partition(".")
        if part.startswith("text"):
            inner = "text_model." + inner.removeprefix("text_model.")
        stem = f"{prefixes[part]}_{inner.replace('.', '_')}"
        tensors |= _pair(module, rng, 4, f"{stem}.lora_down.weight", f"{stem}.lora_up.weight")
        tensors[f"{stem}.alpha"] = torch.tensor(2.0)
    save_file(tensors | extra, path, {"format": "pt"})
    return path


def _pair(module: Any, rng: torch.Generator, rank: int, down: str, up: str) -> dict[str, torch.Tensor]:
    inner, outer = tuple(module.weight.shape[1:]), module.weight.shape[0]
    return {
        down: torch.randn((rank, *inner), generator=rng) * 0.2,
        up: torch.randn((outer, rank, *[1] * (len(inner) - 1)), generator=rng) * 0.2,
    }
