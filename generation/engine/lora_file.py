"""Reads a LoRA file and decides whether it belongs to a model, before the model is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import state_dict_utils
from safetensors import safe_open

from generation.engine.model import LoadedModel
from generation.errors import ModelUnavailable
from generation.headers import FLOATS, read_header

PARTS = ("unet", "text_encoder", "text_encoder_2")
KOHYA = ("lora_unet_", "lora_te_", "lora_te1_", "lora_te2_")  # prefixes of the format that most trainers write
LYCORIS = (".hada_", ".lokr_", ".oft_", ".lora_mid.", ".dora_scale", ".diff")  # relatives of LoRA, by their tensors

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class LoraFile:
    """A LoRA that fits a model."""

    path: Path
    tensors: Tensors  # under the file's own names, without the unknown ones
    metadata: Mapping[str, str]
    unknown: tuple[str, ...]  # names of tensors that no part of the model has a place for
    sha256: str


def read(path: Path, model: LoadedModel) -> LoraFile:
    """Read and check `path`; raises ModelUnavailable when it is no LoRA, or one for another kind of model."""
    _check_header(path)
    with safe_open(path, "pt") as file:
        metadata = dict(file.metadata() or {})
        tensors: Tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  it is no mapping
    known = {key: tensor for key, tensor in tensors.items() if _is_paired(key, tensors)}
    foreign = _misplaced(path, known, model)
    kept = {key: tensor for key, tensor in known.items() if _module(key) not in foreign}
    if not kept:
        raise _foreign(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LoraFile(path, kept, metadata, tuple(sorted(set(tensors) - set(kept))), digest)


def _check_header(path: Path) -> None:
    entries = read_header(path)
    if not any(_is_down(key) for key in entries):
        raise ModelUnavailable(
            f"“{path.stem}” is a relative of LoRA (LyCORIS) that cannot be used here."
            if any(mark in key for key in entries for mark in LYCORIS)
            else f"“{path.stem}” is not a LoRA."
        )
    if any(entry.dtype not in FLOATS for entry in entries.values()):
        raise ModelUnavailable(f"The weights of “{path.stem}” are in a number format that is not supported here.")


def _foreign(path: Path) -> ModelUnavailable:
    return ModelUnavailable(f"The LoRA “{path.stem}” was made for another kind of model.")


def _is_down(key: str) -> bool:
    return key.endswith((".lora_down.weight", ".lora_A.weight", ".lora.down.weight", "_lora.down.weight"))


def _module(key: str) -> str:
    """The module that a tensor of the file belongs to, as the file calls it."""
    for ending in (
        ".lora_down.weight", ".lora_up.weight", ".lora_A.weight", ".lora_B.weight",
        ".lora.down.weight", ".lora.up.weight", "_lora.down.weight", "_lora.up.weight", ".alpha",
    ):  # fmt: skip
        if key.endswith(ending):
            return key.removesuffix(ending)
    return key


def _is_paired(key: str, tensors: Tensors) -> bool:
    """Whether a tensor is one half of a pair in a part that is known, or the strength that belongs to one."""
    if not key.startswith((*KOHYA, *(part + "." for part in PARTS))):
        return False
    if key.endswith(".alpha"):
        return f"{_module(key)}.lora_down.weight" in tensors and f"{_module(key)}.lora_up.weight" in tensors
    for down, up in (("lora_down", "lora_up"), ("lora_A", "lora_B"), ("lora.down", "lora.up")):
        for one, other in ((down, up), (up, down)):
            if key.endswith(f"{one}.weight"):
                return key.removesuffix(f"{one}.weight") + f"{other}.weight" in tensors
    return False


def _misplaced(path: Path, tensors: Tensors, model: LoadedModel) -> set[str]:
    """The file's modules that the model does not have; raises ModelUnavailable when a shape does not fit."""
    if not tensors:
        raise _foreign(path)
    # The library renames tensors without copying them, so each can be followed by its identity.
    names = {id(tensor): key for key, tensor in tensors.items()}
    missing = set()
    for part, renamed in _as_peft(path, tensors, model).items():
        modules = dict(getattr(model.pipeline, part).named_modules()) if hasattr(model.pipeline, part) else {}
        for key, tensor in renamed.items():
            module = modules.get(key.partition(".lora_")[0])
            if module is None:
                missing.add(_module(names[id(tensor)]))
            elif not _fits(key, renamed, getattr(module, "base_layer", module)):
                raise _foreign(path)
    return missing


def _as_peft(path: Path, tensors: Tensors, model: LoadedModel) -> dict[str, Tensors]:
    """Part → its tensors, named module.lora_A.weight and module.lora_B.weight."""
    renaming: Any = state_dict_utils
    config = {"unet_config": model.denoiser.config} if model.card.family == "sdxl" else {}
    try:
        state: Tensors = model.pipeline.lora_state_dict(dict(tensors), **config)[0]
        parts = {part: _below(part, state) for part in PARTS}
        for part, found in parts.items():
            if part == "unet":
                parts[part] = (
                    found
                    if "lora_A" in next(iter(found), "lora_A")
                    else renaming.convert_unet_state_dict_to_peft(found)
                )
            elif found:
                converted = renaming.convert_state_dict_to_peft(renaming.convert_state_dict_to_diffusers(found))
                flat = not hasattr(getattr(model.pipeline, part, None), "text_model")
                parts[part] = {key.removeprefix("text_model.") if flat else key: t for key, t in converted.items()}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _foreign(path) from error
    return parts


def _below(part: str, state: Tensors) -> Tensors:
    return {key.removeprefix(f"{part}."): tensor for key, tensor in state.items() if key.startswith(f"{part}.")}


def _fits(key: str, tensors: Tensors, module: Any) -> bool:
    """Whether a half (rank, inputs …) or (outputs, rank …) fits its module's weight and its other half."""
    weight, tensor = getattr(module, "weight", None), tensors[key]
    if weight is None or weight.ndim not in (2, 4) or tensor.ndim not in (2, 4):
        return False
    if ".lora_A" in key:
        return tensor.shape[1] == weight.shape[1] and tensor.ndim in (2, weight.ndim)
    down = tensors.get(key.replace(".lora_B", ".lora_A"))
    return down is not None and tensor.shape[0] == weight.shape[0] and tensor.shape[1] == down.shape[0]
