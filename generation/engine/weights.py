"""Finds, checks and loads the real parts of models that are painted row by row."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline, StableDiffusionXLPipeline
from diffusers.loaders.single_file_utils import fetch_diffusers_config
from huggingface_hub import snapshot_download
from safetensors import SafetensorError

from generation.engine import architecture
from generation.engine.device import Place
from generation.engine.families import FAMILIES
from generation.engine.faults import may_pass, stays
from generation.engine.model import LoadedModel
from generation.errors import ModelDelayed, ModelUnavailable
from generation.headers import bytes_loaded, merged, read_header, weight_files
from generation.known_models import distillation_of
from generation.models import ModelCard, ModelSource, SourceKind, describe_source, family_of, read_json

log = logging.getLogger(__name__)

FINGERPRINT_LIMIT = 200_000_000  # bytes; larger folders are told apart by the denoiser's hash alone
LIBRARIES = ("diffusers", "transformers")
# Checkers are loaded by the gate, in full precision; the pipeline object is only a way to read the parts.
UNCHECKED = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}

Alive = Callable[[str], None]  # says what is going on, for people


def silent(words: str) -> None:
    """An Alive that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Found:
    """Weights on this machine that have passed every check that is possible without loading them."""

    source: ModelSource  # a folder or a file
    card: ModelCard
    configs: Path  # the folder of its configurations
    bytes: int  # memory that its weights will need


def find(source: ModelSource, place: Place, alive: Alive = silent) -> Found:
    """Fetch `source` if need be, and check it; raises ModelUnavailable with a sentence, the cause in the log."""
    with translated(source):
        if source.kind is SourceKind.HUB:
            alive(f"fetching “{source.name}”")
            source = _fetched(source)
        alive(f"checking “{source.name}”")
        card = describe_source(source)
        _refuse_unknown(card.family)
        path = Path(source.place)
        configs = path if source.kind is SourceKind.FOLDER else _configs(path)
        _refuse_foreign_code(source.name, configs)
        if source.kind is SourceKind.FILE:
            architecture.check_file(source.name, path, configs, card.family)
            tensors = read_header(path)
        else:
            if card.family == "plain":
                architecture.check_pipeline(source.name, path)
            else:
                architecture.check_folder(source.name, path, card.family)
            parts = sorted({file.parent for file in path.glob("*/*.safetensors") if file.parent.name in _index(path)})
            tensors = {
                f"{part.name}.{key}": entry for part in parts for key, entry in merged(weight_files(part)).items()
            }
    return Found(source, card, configs, bytes_loaded(tensors, place.dtype.itemsize))


def load(source: ModelSource, place: Place, alive: Alive = silent) -> LoadedModel:
    """Find `source` and load it onto `place`; raises ModelUnavailable with a sentence, the cause in the log."""
    return load_found(find(source, place, alive), place, alive)


def load_found(found: Found, place: Place, alive: Alive = silent) -> LoadedModel:
    """Load what was found; raises ModelUnavailable with a sentence, the cause in the log."""
    if found.card.family not in FAMILIES:
        raise ModelUnavailable(f"The model “{found.card.name}” cannot be painted row by row.")
    with translated(found.source):
        if found.source.kind is SourceKind.FILE:
            alive(f"loading “{found.card.name}”")
            pipeline = _read_file(found, place.dtype)
        else:
            pipeline = _read_folder(found, place.dtype, alive)
        return _placed(pipeline, place, found)


@contextmanager
def translated(source: ModelSource) -> Iterator[None]:
    """Turn what the libraries raise into one sentence."""
    try:
        yield
    except ModelUnavailable:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:  # others may use the device as well
        raise ModelDelayed(f"The model “{source.name}” does not fit into this machine's free memory.") from error
    except (
        OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError, SafetensorError
    ) as error:  # fmt: skip
        log.error("model %s could not be loaded", source.name, exc_info=error)
        if stays(error) and not may_pass(error):
            raise
        if may_pass(error):
            raise ModelDelayed(f"The model “{source.name}” cannot be loaded just now.") from error
        hint = "it could not be fetched, or its" if source.kind is SourceKind.HUB else "its"
        sentence = f"The model “{source.name}” could not be loaded: {hint} files may be broken."
        raise ModelUnavailable(sentence) from error


def _refuse_unknown(family: str) -> None:
    if family == "unknown":
        raise ModelUnavailable("Models of this kind cannot be painted with: only those that paint from words can.")


def _index(folder: Path) -> dict[str, Any]:
    return read_json(folder / "model_index.json")


def _refuse_foreign_code(name: str, folder: Path) -> None:
    """Parts may only be classes of the two libraries; a model that brings code of its own is refused."""
    for part, entry in _index(folder).items():
        if part.startswith("_") or not isinstance(entry, list) or len(entry) != 2 or entry[0] is None:
            continue
        if entry[0] not in LIBRARIES and not hasattr(_pipelines(), str(entry[0])):
            raise ModelUnavailable(
                f"The model “{name}” brings code of its own for its part “{part}”, which is not run."
            )
    if any(folder.rglob("*.py")):
        raise ModelUnavailable(f"The model “{name}” brings code of its own, which is not run.")


def _pipelines() -> Any:
    from diffusers import pipelines

    return pipelines


def _fetched(source: ModelSource) -> ModelSource:
    library: Any = DiffusionPipeline
    index = library.load_config(source.place, revision=source.revision)  # before gigabytes are fetched for nothing
    _refuse_unknown(family_of(str(index.get("_class_name", "")), {}))
    folder = library.download(source.place, revision=source.revision, use_safetensors=True)
    return replace(source, kind=SourceKind.FOLDER, place=str(folder))


def _configs(path: Path) -> Path:
    """The configurations of a single file: a folder of its name beside it, or those of its kind from the hub."""
    beside = path.with_suffix("")  # for machines without a net
    if beside.is_dir():
        return beside
    names = {key: torch.empty(entry.shape, device="meta") for key, entry in read_header(path).items()}
    infer: Any = fetch_diffusers_config
    kind = infer(names)["pretrained_model_name_or_path"]
    try:
        return Path(snapshot_download(kind, allow_patterns=["*.json", "*/*.json", "*/*.txt"]))
    except OSError as error:
        raise ModelUnavailable(
            f"The configurations for “{path.name}” could not be fetched; a folder “{beside.name}” beside it may hold "
            f"those of {kind}."
        ) from error


def _read_file(found: Found, dtype: torch.dtype) -> Any:
    library, settings = _library(found)
    return library.from_single_file(
        found.source.place, config=str(found.configs), local_files_only=True, dtype=dtype, **settings
    )


def _read_folder(found: Found, dtype: torch.dtype, alive: Alive) -> Any:
    library, settings = _library(found)
    settings = {**settings, "use_safetensors": True, "local_files_only": True, "low_cpu_mem_usage": True}
    names = architecture.PARTS[found.card.family]
    parts = {}
    for number, part in enumerate(names, 1):
        alive(f"loading “{found.card.name}”, part {number} of {len(names)}")
        half = all(".fp16." in path.name for path in weight_files(found.configs / part))
        parts[part] = architecture.class_of(found.configs, part).from_pretrained(
            str(found.configs / part),
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=True,
            variant="fp16" if half else None,
        )
    return library.from_pretrained(str(found.configs), dtype=dtype, **parts, **settings)


def _library(found: Found) -> tuple[Any, dict[str, Any]]:
    if found.card.family == "sdxl":
        return StableDiffusionXLPipeline, {"add_watermarker": False}
    return StableDiffusionPipeline, UNCHECKED


def _placed(pipeline: Any, place: Place, found: Found) -> LoadedModel:
    names = architecture.PARTS[found.card.family]
    parts = [getattr(pipeline, name) for name in names]
    pipeline.to(place.device)
    for part in parts:
        part.eval().requires_grad_(False)
    folder = found.configs if found.source.kind is SourceKind.FOLDER else None
    weights = weight_files(folder / "unet") if folder is not None else (Path(found.source.place),)
    checker = folder / "safety_checker" if folder is not None else None
    sampler = _sampler_config(pipeline, found)
    card = replace(found.card, sha256=digest(weights), prediction=str(sampler.get("prediction_type", "epsilon")))
    return LoadedModel(
        card=card,
        place=place,
        family=FAMILIES[found.card.family],
        denoiser=pipeline.unet,
        vae=pipeline.vae,
        text_encoders=tuple(getattr(pipeline, name) for name in names if name.startswith("text_encoder")),
        tokenizers=tuple(
            getattr(pipeline, name.replace("text_encoder", "tokenizer")) for name in names if "text_encoder" in name
        ),
        images=pipeline.image_processor,
        sampler_config=sampler,
        files=fingerprint(folder) if folder is not None else {},
        own_checker=checker if checker is not None and checker.is_dir() else None,
        pipeline=pipeline,
        bytes=sum(weight.nbytes for part in parts for weight in part.parameters()),
    )


def _sampler_config(pipeline: Any, found: Found) -> dict[str, Any]:
    """The model's own sampler settings; single files only come with those of the model they descend from."""
    config = dict(pipeline.scheduler.config)
    if found.source.kind is SourceKind.FILE:
        marks = read_header(Path(found.source.place))
        if "v_pred" in marks:  # how makers of SDXL models mark a model that predicts velocity, and its noise schedule
            config["prediction_type"] = "v_prediction"
        if "ztsnr" in marks:
            config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
        if distillation_of(Path(found.source.place).stem):
            config["timestep_spacing"] = "trailing"  # few steps have to begin at the last timestep (arXiv 2305.08891)
    return config


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in `folder` that shapes a picture, by relative path; empty when it is too large to read."""
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".md" and not path.name.startswith(".")
    ]
    if sum(path.stat().st_size for path in paths) > FINGERPRINT_LIMIT:
        return {}
    return {path.relative_to(folder).as_posix(): digest((path,)) for path in paths}


def digest(paths: tuple[Path, ...]) -> str:
    """SHA-256 of all of `paths`, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
