"""Loads the weights of checkers: safetensors only, nothing missing, always in full precision."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError

from generation.errors import ModelUnavailable
from generation.models import HUB_ID

log = logging.getLogger(__name__)

FILES = ("*.json", "*.safetensors")


def folder_of(name: str) -> Path:
    """The folder of a checker given as a folder or a hub id; raises ModelUnavailable."""
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if not HUB_ID.match(name):
        raise ModelUnavailable(f"There is no safety checker at “{name}”: write a folder or a hub id.")
    place, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(place, revision=revision or None, allow_patterns=list(FILES)))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise ModelUnavailable(f"The safety checker “{name}” could not be fetched.") from error


def architecture(folder: Path) -> str:
    """The class that a checker's configuration names; empty when it names none."""
    try:
        named = json.loads((folder / "config.json").read_bytes()).get("architectures") or [""]
    except (OSError, ValueError, AttributeError) as error:
        raise ModelUnavailable(f"The safety checker “{folder.name}” has no readable config.json.") from error
    return str(named[0])


def load(kind: Any, folder: Path, device: torch.device) -> Any:
    """A model of class `kind`; refuses one whose weights are incomplete, which the library would fill with noise."""
    try:
        model, info = kind.from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        log.error("checker %s could not be loaded", folder.name, exc_info=error)
        raise ModelUnavailable(f"The safety checker “{folder.name}” could not be loaded.") from error
    wrong = [*info["missing_keys"], *info.get("mismatched_keys", ())]
    if wrong:
        raise ModelUnavailable(f"The safety checker “{folder.name}” lacks {len(wrong)} of its weights.")
    if not all(bool(weight.isfinite().all()) for weight in model.parameters()):
        raise ModelUnavailable(f"The safety checker “{folder.name}” has weights that are not numbers.")
    return model.to(device).eval().requires_grad_(False)


def version_of(folder: Path) -> str:
    """The first eight digits of the SHA-256 of a checker's weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:8]
