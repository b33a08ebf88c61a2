"""What is known of a model without loading it: where it lives, its kind, native size, sensible settings and licence."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from generation.errors import ModelUnavailable
from generation.headers import read_header
from generation.known_models import (
    EMBEDDED_GUIDANCE,
    SCHNELL,
    UNKNOWN_LICENCE,
    distillation_of,
    is_restricted,
    licence_of,
    pipeline_hint,
    settings_of,
)
from generation.licences import Licence, licence_in, licence_named

STARTER_NOTE = "Draws one big thing in a scene, in eight colours and four styles; no people."
STARTER = Path(__file__).parent / "starter" / "weights"
PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle")  # unpickling runs whatever code the file contains
CONFIG_LIMIT = 1_000_000  # bytes; a model's JSON configuration is a few KiB
TEXT_LIMIT = 65_536  # bytes of a model card or licence file that are looked at
SD_KEY = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
SDXL_KEY = "conditioner.embedders.1."
ENTRANCE = "model.diffusion_model.input_blocks.0.0.weight"
ROW_PIPELINES = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "LatentConsistencyModel")
XL_PIPELINES = ("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline")
HUB_ID = re.compile(r"^[\w][\w.-]{0,95}/[\w][\w.-]{0,95}(@[\w./-]{1,100})?$")
SAMPLER_OF = {
    "DDIMScheduler": "ddim",
    "DPMSolverMultistepScheduler": "dpmpp_2m",
    "EulerDiscreteScheduler": "euler",
    "FlowMatchEulerDiscreteScheduler": "euler",
    "EulerAncestralDiscreteScheduler": "euler_a",
    "HeunDiscreteScheduler": "heun",
    "LCMScheduler": "lcm",
    "UniPCMultistepScheduler": "unipc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One set of weights as members and the front desk see it."""

    name: str  # what the owner wrote in config.yaml
    family: str  # "sd1", "sd2", "sdxl"; "plain": any other pipeline of the library; "unknown"
    native: int  # side in pixels of the square it was trained on
    steps: int  # sensible number of steps
    guidance: float
    sampler: str
    licence: str  # one line, e.g. "MIT" or "unknown: see the model's page"
    sha256: str = ""  # of the denoiser's weights, once loaded
    note: str = ""  # one sentence about what it can draw or may be used for
    prediction: str = "epsilon"  # what the denoiser predicts: "epsilon", "v_prediction", "sample" or "flow"

    @property
    def restricted(self) -> bool:
        """Whether its licence is known to forbid commercial use, or to put conditions on it."""
        return is_restricted(self.licence)

    @property
    def terms(self) -> Licence:
        """What its licence asks of the people who paint with it."""
        return licence_named(self.licence)


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
    near = " did you mean “starter”? Otherwise" if difflib.get_close_matches(model, ["starter"], cutoff=0.7) else ""
    raise ModelUnavailable(
        f"There is no model called “{model}”:{near} write starter, a diffusers folder, a .safetensors file, "
        "or a hub id such as stabilityai/sd-turbo."
    )


def describe(model: str) -> ModelCard:
    """The card of `model` from its configuration files alone; raises ModelUnavailable when it cannot be used."""
    return describe_source(resolve(model))


def describe_source(source: ModelSource) -> ModelCard:
    """The card of a model whose place is known; of a hub id it is a guess."""
    if source.kind is SourceKind.FOLDER:
        return describe_folder(source.name, Path(source.place))
    if source.kind is SourceKind.FILE:
        return _describe_file(source.name, Path(source.place))
    return _guess(source.name, source.place)


def _guess(name: str, hub_id: str) -> ModelCard:
    """The card of a hub id that nothing but the name is known of."""
    low = hub_id.lower()
    if kind := pipeline_hint(hub_id):
        return _card(name, hub_id, family="plain", native=1024, pipeline=kind)
    family = "sdxl" if "xl" in low else "sd2" if re.search(r"diffusion-2|sd-?2|sd-turbo", low) else "sd1"
    velocity = low.endswith("stable-diffusion-2-1")
    native = 512 if "sdxl-turbo" in low else 1024 if family == "sdxl" else 768 if velocity else 512
    return _card(name, hub_id, family=family, native=native, prediction="v_prediction" if velocity else "epsilon")


def describe_folder(name: str, folder: Path) -> ModelCard:
    """The card of a diffusers folder, called `name`."""
    index = read_json(folder / "model_index.json")
    pipeline = str(index.get("_class_name", ""))
    unet, transformer, vae = (_optional(folder / part / "config.json") for part in ("unet", "transformer", "vae"))
    scheduler = _optional(folder / "scheduler" / "scheduler_config.json")
    entry = index.get("scheduler") or [None, None]
    kind = str(entry[1]) if isinstance(entry, list) and len(entry) == 2 else ""
    blocks = vae.get("block_out_channels") or vae.get("encoder_block_out_channels") or (0,) * 4
    cell = 2 ** (min(len(blocks), 8) - 1) if isinstance(blocks, list | tuple) else 8  # pixels per latent cell
    sample = unet.get("sample_size", 64) if unet else transformer.get("sample_size") or 1024 // cell
    side = sample if isinstance(sample, int) else max(sample, default=64) if isinstance(sample, list) else 64
    flow = "FlowMatch" in kind or scheduler.get("prediction_type") == "flow_prediction"
    card = _card(
        name,
        "starter" if folder == STARTER else folder.name,
        family=family_of(pipeline, unet),
        native=min(max(side * cell, 64), 2048),
        scheduler=kind,
        pipeline=SCHNELL if pipeline == "FluxPipeline" and not transformer.get("guidance_embeds") else pipeline,
        embedded_guidance=unet.get("time_cond_proj_dim") is not None,
        prediction="flow" if flow else str(scheduler.get("prediction_type", "epsilon")),
    )
    return replace(card, licence=_stated_licence(folder)) if card.licence == UNKNOWN_LICENCE else card


def _stated_licence(folder: Path) -> str:
    """What a folder says of its licence: the head of its model card, or else its licence file."""
    head = re.match(r"---\n(.*?)\n---", _text(folder / "README.md"), re.DOTALL)
    lines = dict(
        re.findall(r"^(license(?:_name)?):[ \t]*[\"']?([^\s\"'#]+)", head.group(1) if head else "", re.MULTILINE)
    )
    stated = lines.get("license", "")
    stated = lines.get("license_name", "") if stated == "other" else stated
    if stated:
        return licence_named(stated).name
    texts = (_text(folder / name) for name in ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE"))
    found = next((licence for licence in map(licence_in, texts) if licence is not None), None)
    return found.name if found is not None else UNKNOWN_LICENCE


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(TEXT_LIMIT).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def _describe_file(name: str, path: Path) -> ModelCard:
    tensors = read_header(path)
    xl = any(key.startswith(SDXL_KEY) for key in tensors)
    if not xl and (SD_KEY not in tensors or not tensors[SD_KEY].shape):
        raise ModelUnavailable(f"“{path.name}” is not a whole Stable Diffusion model (a LoRA or another part?).")
    entrance = tensors.get(ENTRANCE)
    if entrance is not None and len(entrance.shape) == 4 and entrance.shape[1] != 4:
        raise ModelUnavailable(f"“{path.name}” was made to repaint pictures, not to paint from words.")
    family = "sdxl" if xl else "sd2" if tensors[SD_KEY].shape[-1] == 1024 else "sd1"
    word = distillation_of(path.stem)
    small = family == "sd1" or word or "base" in path.stem.lower()
    native = (512 if word == "turbo" else 1024) if xl else 512 if small else 768
    # Makers of SDXL models that predict velocity mark their files with an empty tensor of this name.
    velocity = "v_pred" in tensors or (family == "sd2" and not small)
    return _card(name, path.stem, family=family, native=native, prediction="v_prediction" if velocity else "epsilon")


def family_of(pipeline: str, unet: Mapping[str, Any]) -> str:
    """The family of a pipeline class name and its denoiser's configuration, as far as both are known."""
    if pipeline.startswith(XL_PIPELINES):
        return "sdxl"
    if pipeline.startswith(ROW_PIPELINES):
        return "sd2" if unet.get("cross_attention_dim") == 1024 else "sd1"
    # The library's other Stable Diffusion pipelines repaint, enlarge or need a drawing to follow.
    return "plain" if re.fullmatch(r"(?!StableDiffusion(?!3))[A-Z]\w*Pipeline", pipeline) else "unknown"


def _card(
    name: str,
    known_as: str,  # the last part of its place: the owner's own name for it may say nothing
    *,
    family: str,
    native: int,
    scheduler: str = "",
    pipeline: str = "",
    embedded_guidance: bool = False,
    prediction: str = "epsilon",
) -> ModelCard:
    words = known_as if known_as == "starter" else f"{name} {known_as}"
    settings = settings_of(words, family, pipeline=pipeline, consistency=scheduler == "LCMScheduler")
    distilled = settings.guidance == 0.0
    return ModelCard(
        name=name,
        family=family,
        native=native,
        steps=settings.steps,
        guidance=EMBEDDED_GUIDANCE if distilled and embedded_guidance else settings.guidance,
        sampler=settings.sampler if distilled else SAMPLER_OF.get(scheduler, settings.sampler),
        licence=licence_of(name, known_as),
        note=STARTER_NOTE if known_as == "starter" else "",
        prediction=prediction,
    )


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def read_json(path: Path) -> dict[str, Any]:
    """A model's configuration; raises ModelUnavailable when `path` is none."""
    try:
        if path.stat().st_size > CONFIG_LIMIT:
            raise ModelUnavailable(f"“{path.name}” in “{path.parent.name}” is far too large for a configuration.")
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"“{path.name}” in “{path.parent.name}” cannot be read.") from error
    if not isinstance(data, dict):
        raise ModelUnavailable(f"“{path.name}” in “{path.parent.name}” is not a model's configuration.")
    return data
