"""What is known of a model without loading it: where it lives, its kind, native size, sensible settings and licence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from generation.errors import ModelUnavailable

STARTER_NOTE = "Draws one big thing in a scene, in eight colours and four styles; no people."
STARTER = Path(__file__).parent / "starter" / "weights"
PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle")  # unpickling runs whatever code the file contains
HEADER_LIMIT = 100_000_000  # bytes; the safetensors format's own limit for its JSON header
CONFIG_LIMIT = 1_000_000  # bytes; a model's JSON configuration is a few KiB
UNKNOWN_LICENCE = "unknown: see the model's page"
HUB_ID = re.compile(r"^[\w][\w.-]{0,95}/[\w][\w.-]{0,95}(@[\w./-]{1,100})?$")
DISTILLED = re.compile(r"(?<![a-z])(turbo|lightning|lcm|hyper|dmd2?)(?![a-z])")
LICENCES = {
    "starter": "MIT",
    "stable-diffusion-v1-5/stable-diffusion-v1-5": "CreativeML OpenRAIL-M",
    "runwayml/stable-diffusion-v1-5": "CreativeML OpenRAIL-M",
    "compvis/stable-diffusion-v1-4": "CreativeML OpenRAIL-M",
    "stabilityai/stable-diffusion-2-1": "CreativeML OpenRAIL++-M",
    "stabilityai/stable-diffusion-2-1-base": "CreativeML OpenRAIL++-M",
    "stabilityai/sd-turbo": "Stability AI Community Licence; commercial use has conditions",
    "simianluo/lcm_dreamshaper_v7": "MIT",
}
SAMPLER_OF = {
    "DDIMScheduler": "ddim",
    "EulerDiscreteScheduler": "euler",
    "EulerAncestralDiscreteScheduler": "euler_a",
    "HeunDiscreteScheduler": "heun",
    "LCMScheduler": "lcm",
    "UniPCMultistepScheduler": "unipc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One set of weights as members and the front desk see it."""

    name: str  # what the owner wrote in config.yaml
    family: str  # "sd1", "sd2", "sdxl", "unknown"
    native: int  # side in pixels of the square it was trained on
    steps: int  # sensible number of steps
    guidance: float
    sampler: str
    licence: str  # one line, e.g. "MIT" or "unknown: see the model's page"
    sha256: str = ""  # of the denoiser's weights, once loaded
    note: str = ""  # one sentence about what it can draw or may be used for


class SourceKind(StrEnum):
    """The three places weights come from."""

    FOLDER = "folder"
    FILE = "file"
    HUB = "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """Where a model's weights are to be read from."""

    name: str
    kind: SourceKind
    place: str  # a path, or a hub id
    revision: str | None = None  # commit or tag of a hub id, written name@revision


def resolve(model: str) -> ModelSource:
    """Find what `model` names; raises ModelUnavailable with a sentence for the owner."""
    if model == "starter":
        return ModelSource(name=model, kind=SourceKind.FOLDER, place=str(STARTER))
    path = Path(model).expanduser()
    if path.suffix.lower() in PICKLES:
        raise ModelUnavailable(
            f"“{path.name}” is a pickle file, which can run any code when it is opened; use a .safetensors file."
        )
    if path.is_dir():
        if not (path / "model_index.json").is_file():
            raise ModelUnavailable(f"The folder “{model}” has no model_index.json, so it is no diffusers model.")
        return ModelSource(name=model, kind=SourceKind.FOLDER, place=str(path))
    if path.suffix.lower() == ".safetensors":
        if not path.is_file():
            raise ModelUnavailable(f"There is no model file at “{model}”.")
        return ModelSource(name=model, kind=SourceKind.FILE, place=str(path))
    if HUB_ID.match(model):
        place, _, revision = model.partition("@")
        return ModelSource(name=model, kind=SourceKind.HUB, place=place, revision=revision or None)
    raise ModelUnavailable(
        f"There is no model called “{model}”: write starter, a diffusers folder, a .safetensors file, or a hub id "
        "such as stabilityai/sd-turbo."
    )


def describe(model: str) -> ModelCard:
    """The card of `model` from its configuration files alone; raises ModelUnavailable when it cannot be used."""
    source = resolve(model)
    if source.kind is SourceKind.FOLDER:
        return describe_folder(model, Path(source.place))
    if source.kind is SourceKind.FILE:
        return _describe_file(model, Path(source.place))
    family = "sdxl" if "xl" in model.lower() else "sd2" if re.search(r"diffusion-2|sd-?2|sd-turbo", model) else "sd1"
    native = 1024 if family == "sdxl" else 768 if model.lower().endswith("stable-diffusion-2-1") else 512
    return _card(model, family=family, native=native, scheduler="", embedded_guidance=False)


def describe_folder(name: str, folder: Path) -> ModelCard:
    """The card of a diffusers folder, called `name`."""
    index = _read_json(folder / "model_index.json")
    unet = _read_json(folder / "unet" / "config.json") if (folder / "unet").is_dir() else {}
    vae = _read_json(folder / "vae" / "config.json") if (folder / "vae").is_dir() else {}
    scheduler = index.get("scheduler") or [None, None]
    cell = 2 ** (len(vae.get("block_out_channels", (0,) * 4)) - 1)  # pixels per latent cell
    sample = unet.get("sample_size", 64)
    side = sample if isinstance(sample, int) else max(sample, default=64)
    return _card(
        name,
        family=family_of(str(index.get("_class_name", "")), unet),
        native=side * cell,
        scheduler=str(scheduler[1]),
        embedded_guidance=unet.get("time_cond_proj_dim") is not None,
    )


def _describe_file(name: str, path: Path) -> ModelCard:
    tensors = read_header(path)
    if any(key.startswith("conditioner.embedders.1.") for key in tensors):
        family = "sdxl"
    else:
        key = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
        if key not in tensors:
            raise ModelUnavailable(f"“{path.name}” is not a whole Stable Diffusion model (a LoRA or another part?).")
        family = "sd2" if tensors[key]["shape"][-1] == 1024 else "sd1"
    small = family == "sd1" or DISTILLED.search(path.stem.lower()) or "base" in path.stem.lower()
    native = 1024 if family == "sdxl" else 512 if small else 768
    return _card(name, family=family, native=native, scheduler="", embedded_guidance=False)


def read_header(path: Path) -> Mapping[str, Any]:
    """Tensor names → {dtype, shape, data_offsets} of a safetensors file; raises ModelUnavailable when it is none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(HEADER_LIMIT, size - 8):
            raise ModelUnavailable(f"“{path.name}” is not a safetensors file, or it is cut off.")
        raw = file.read(length)
    try:
        header = json.loads(raw)
        header.pop("__metadata__", None)
        ends = [int(tensor["data_offsets"][1]) for tensor in header.values()]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ModelUnavailable(f"“{path.name}” has a broken header.") from error
    if not ends or max(ends) != size - 8 - length:
        raise ModelUnavailable(f"“{path.name}” is cut off: it is shorter or longer than its header says.")
    return dict(header)


def family_of(pipeline: str, unet: Mapping[str, Any]) -> str:
    """The family of a pipeline class name and its denoiser's configuration, as far as both are known."""
    if "XL" in pipeline or unet.get("cross_attention_dim") == 2048:
        return "sdxl"
    if not pipeline.startswith(("StableDiffusionPipeline", "StableDiffusionImg2Img", "LatentConsistencyModel")):
        return "unknown"
    return "sd2" if unet.get("cross_attention_dim") == 1024 else "sd1"


def _card(name: str, *, family: str, native: int, scheduler: str, embedded_guidance: bool) -> ModelCard:
    found = DISTILLED.search(name.lower())
    word = found.group(1) if found else "lcm" if scheduler == "LCMScheduler" else ""
    steps, guidance, sampler = 25, 7.0, SAMPLER_OF.get(scheduler, "dpmpp_2m")
    if name == "starter":
        steps, guidance = 20, 3.0
    elif word:
        steps, sampler = (1, "euler") if word == "turbo" else (4, "lcm" if word == "lcm" else "euler")
        guidance = 8.5 if embedded_guidance else 0.0  # a consistency model may take guidance as an input of its own
    return ModelCard(
        name=name,
        family=family,
        native=native,
        steps=steps,
        guidance=guidance,
        sampler=sampler,
        licence=LICENCES.get(name.partition("@")[0].lower(), UNKNOWN_LICENCE),
        note=STARTER_NOTE if name == "starter" else "",
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > CONFIG_LIMIT:
            raise ModelUnavailable(f"“{path.name}” in “{path.parent.name}” is far too large for a configuration.")
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"“{path.name}” in “{path.parent.name}” cannot be read.") from error
    if not isinstance(data, dict):
        raise ModelUnavailable(f"“{path.name}” in “{path.parent.name}” is not a model's configuration.")
    return data
