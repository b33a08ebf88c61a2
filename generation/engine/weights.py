"""Loads a model's real parts with diffusers: from a folder, a single safetensors file, or the hub."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from safetensors import SafetensorError

from generation.engine.device import Place
from generation.engine.families import FAMILIES
from generation.engine.model import LoadedModel
from generation.errors import ModelUnavailable
from generation.models import ModelCard, ModelSource, SourceKind, describe, describe_folder, family_of, read_header

log = logging.getLogger(__name__)

FINGERPRINT_LIMIT = 200_000_000  # bytes; larger folders are told apart by the denoiser's hash alone
PARTS = ("unet", "vae", "text_encoder")


def load(source: ModelSource, place: Place) -> LoadedModel:
    """Load `source` onto `place`; raises ModelUnavailable with a sentence, the cause in the log."""
    card = describe(source.name)
    if source.kind is not SourceKind.HUB:  # of a hub id the card is only a guess
        _refuse_unsupported(card.family)
    folder = Path(source.place) if source.kind is SourceKind.FOLDER else None
    if folder is not None:
        _check_folder(folder)
    try:
        pipeline, folder = _read(source, place.dtype)
    except ModelUnavailable:
        raise
    except torch.OutOfMemoryError as error:
        raise ModelUnavailable(f"The model “{source.name}” does not fit into this machine's memory.") from error
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        log.error("model %s could not be loaded", source.name, exc_info=error)
        hint = "it could not be fetched, or its" if source.kind is SourceKind.HUB else "its"
        sentence = f"The model “{source.name}” could not be loaded: {hint} files may be broken."
        raise ModelUnavailable(sentence) from error
    if folder is not None:
        card = describe_folder(source.name, folder)
        _refuse_unsupported(card.family)
    return _placed(pipeline, place, card, folder, Path(source.place))


def _refuse_unsupported(family: str) -> None:
    if family in ("unknown",):
        kind = "Stable Diffusion XL" if family == "sdxl" else "of this kind"
        raise ModelUnavailable(f"Models {kind} cannot be painted with yet; use a Stable Diffusion 1 or 2 model.")


def _check_folder(folder: Path) -> None:
    for part in PARTS:
        found = sorted((folder / part).glob("*.safetensors"))
        if not found:
            raise ModelUnavailable(f"The model “{folder.name}” has no safetensors weights in its folder “{part}”.")
        for path in found:
            read_header(path)


def _read(source: ModelSource, dtype: torch.dtype) -> tuple[Any, Path | None]:
    library: Any = StableDiffusionPipeline
    # Checkers are loaded by the gate, in full precision; the pipeline object is only a way to read the parts.
    settings = {"dtype": dtype, "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    if source.kind is SourceKind.FILE:
        path = Path(source.place)
        beside = path.with_suffix("")  # a folder of that name may hold the configurations, for machines without a net
        where = {"config": str(beside), "local_files_only": True} if beside.is_dir() else {}
        return library.from_single_file(str(path), **where, **settings), None
    folder = source.place
    if source.kind is SourceKind.HUB:
        index = library.load_config(source.place, revision=source.revision)  # before gigabytes are fetched for nothing
        _refuse_unsupported(family_of(str(index.get("_class_name", "")), {}))
        folder = library.download(source.place, revision=source.revision, use_safetensors=True)
    found = library.from_pretrained(
        folder, use_safetensors=True, local_files_only=True, low_cpu_mem_usage=True, **settings
    )
    return found, Path(folder)


def _placed(pipeline: Any, place: Place, card: ModelCard, folder: Path | None, path: Path) -> LoadedModel:
    pipeline.to(place.device)
    for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        part.eval().requires_grad_(False)
    if place.device.type == "cuda":  # on a CPU it gains 5 % and changes the last bits
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    weights = sorted((folder / "unet").glob("*.safetensors")) if folder is not None else [path]
    checker = folder / "safety_checker" if folder is not None else None
    return LoadedModel(
        card=replace(card, sha256=_digest(weights)),
        place=place,
        family=FAMILIES[card.family],
        denoiser=pipeline.unet,
        vae=pipeline.vae,
        text_encoders=(pipeline.text_encoder,),
        tokenizers=(pipeline.tokenizer,),
        images=pipeline.image_processor,
        sampler_config=dict(pipeline.scheduler.config),
        files=fingerprint(folder) if folder is not None else {},
        own_checker=checker if checker is not None and checker.is_dir() else None,
        pipeline=pipeline,
        bytes=sum(
            weight.nbytes
            for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder)
            for weight in part.parameters()
        ),
    )


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in `folder` that shapes a picture, by relative path; empty when it is too large to read."""
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".md" and not path.name.startswith(".")
    ]
    if sum(path.stat().st_size for path in paths) > FINGERPRINT_LIMIT:
        return {}
    return {path.relative_to(folder).as_posix(): _digest([path]) for path in paths}


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
