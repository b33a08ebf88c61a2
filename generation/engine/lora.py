"""Puts the owner's LoRAs on a model and takes them off again, exactly."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from diffusers.utils.peft_utils import delete_adapter_layers as _delete_adapter_layers
from safetensors.torch import save_file

from generation.catalogue import find_lora, lora_names
from generation.engine import lora_file
from generation.engine.building import BUILDING
from generation.engine.faults import is_shortage, stays
from generation.engine.lora_file import LoraFile
from generation.engine.model import LoadedModel
from generation.errors import ModelUnavailable
from generation.request import Lora

delete_adapter_layers: Any = _delete_adapter_layers
log = logging.getLogger(__name__)

KEPT = 8  # LoRAs that stay on a model while they are not in use; each is 10 to 200 MB


@dataclass(slots=True)
class Wardrobe:
    """The LoRAs that one model has at hand."""

    hung: OrderedDict[Path, Hung] = field(default_factory=OrderedDict)  # the latest used last
    made: int = 0  # adapters so far; no name is used twice


@dataclass(frozen=True, slots=True)
class Hung:
    """One LoRA that was loaded into a model."""

    adapter: str  # the library's name for it
    stamp: tuple[int, int]  # time of change and size of its file
    unknown: tuple[str, ...]
    sha256: str


class Loras:
    """A folder of LoRAs, <name>.safetensors each, and which models wear which of them."""

    def __init__(self, folder: Path | None, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept
        self._wardrobes: WeakKeyDictionary[Any, Wardrobe] = WeakKeyDictionary()

    @property
    def names(self) -> tuple[str, ...]:
        """The LoRAs that are there now."""
        return lora_names(self._folder)

    def canonical(self, loras: Iterable[Lora]) -> tuple[Lora, ...]:
        """The same set in one spelling and order, scales of a name added up and zeros left out; for batch keys.

        Raises ModelUnavailable with the nearest known names.
        """
        scales: dict[str, float] = {}
        for lora in loras:
            name = find_lora(lora.name, self._folder).stem
            scales[name] = scales.get(name, 0.0) + lora.scale
        return tuple(Lora(name, scale) for name, scale in sorted(scales.items()) if scale != 0.0)

    @torch.inference_mode(False)
    def use(self, model: LoadedModel, loras: tuple[Lora, ...]) -> tuple[str, ...]:
        """Make `model` wear exactly `loras`; returns names of tensors in their files that it has no place for.

        Raises ModelUnavailable, with the model as it was, when one is unknown, broken or made for another model.
        """
        wanted = self.canonical(loras)
        wardrobe = self._wardrobes.setdefault(model.pipeline, Wardrobe())
        paths = [find_lora(lora.name, self._folder) for lora in wanted]
        changed = [path for path in paths if path not in wardrobe.hung or wardrobe.hung[path].stamp != _stamp(path)]
        if wanted == model.embeddings.loras and not changed:
            return tuple(key for path in paths for key in wardrobe.hung[path].unknown)
        read = [lora_file.read(path, model) for path in changed]  # all of them, before the model is touched
        try:
            for file in read:
                self._hang(model, wardrobe, file)
        except (ModelUnavailable, RuntimeError):
            self._wear(model, wardrobe, model.embeddings.loras)  # loading has switched on what came before the failure
            raise
        self._wear(model, wardrobe, wanted)
        for path in paths:
            wardrobe.hung.move_to_end(path)
        self._tidy(model, wardrobe, len(paths))
        return tuple(key for path in paths for key in wardrobe.hung[path].unknown)

    def sha256(self, model: LoadedModel, loras: tuple[Lora, ...]) -> dict[str, str]:
        """Name → SHA-256 of the files of those of `loras` that `model` has at hand."""
        wardrobe = self._wardrobes.get(model.pipeline, Wardrobe())
        worn = {lora.name for lora in loras}
        return {path.stem: hung.sha256 for path, hung in wardrobe.hung.items() if path.stem in worn}

    def _hang(self, model: LoadedModel, wardrobe: Wardrobe, file: LoraFile) -> None:
        old = wardrobe.hung.pop(file.path, None)
        if old is not None:
            _drop(model, old.adapter)
            model.embeddings.clear()  # what was encoded under this name was another LoRA
        wardrobe.made += 1
        adapter = f"lora_{wardrobe.made}"
        _load(model, file, adapter)
        wardrobe.hung[file.path] = Hung(adapter, _stamp(file.path), file.unknown, file.sha256)
        if file.unknown:
            log.warning(
                "LoRA %s: %d of its tensors have no place in %s and are left out, such as %s",
                file.path.stem, len(file.unknown), model.card.name, ", ".join(file.unknown[:3]),
            )  # fmt: skip

    def _wear(self, model: LoadedModel, wardrobe: Wardrobe, loras: tuple[Lora, ...]) -> None:
        """Switch on exactly `loras`, as far as they are at hand."""
        hung = {path.stem: one.adapter for path, one in wardrobe.hung.items()}
        worn = tuple(lora for lora in loras if lora.name in hung)
        if worn:
            model.pipeline.enable_lora()
            model.pipeline.set_adapters([hung[lora.name] for lora in worn], [lora.scale for lora in worn])
            for part in (model.denoiser, *model.text_encoders):
                part.requires_grad_(False)  # the library switches gradients on with an adapter
        elif wardrobe.made:
            model.pipeline.disable_lora()
        model.embeddings.loras = worn

    def _tidy(self, model: LoadedModel, wardrobe: Wardrobe, in_use: int) -> None:
        while len(wardrobe.hung) > max(self._kept, in_use):
            _drop(model, wardrobe.hung.popitem(last=False)[1].adapter)


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


def _load(model: LoadedModel, file: LoraFile, adapter: str) -> None:
    """Through the library, from a copy without the unknown tensors: it reads strengths from the file's metadata."""
    name = "pytorch_lora_weights.safetensors"
    formats = [(part, part.dtype) for part in (model.denoiser, *model.text_encoders)]
    try:
        with BUILDING, tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several at once are meant
            save_file(file.tensors, str(Path(folder, name)), dict(file.metadata))
            model.pipeline.load_lora_weights(
                folder, weight_name=name, adapter_name=adapter, use_safetensors=True, local_files_only=True
            )
    except (ValueError, RuntimeError, KeyError, TypeError, AttributeError, OSError) as error:
        if is_shortage(error) or stays(error):  # no fault of the file
            _drop(model, adapter)
            raise
        log.error("LoRA %s could not be loaded", file.path.stem, exc_info=error)
        _drop(model, adapter)
        raise ModelUnavailable(f"The LoRA “{file.path.stem}” could not be loaded: its file may be broken.") from error
    for part, dtype in formats:
        part.to(model.place.device, dtype)
        part.eval().requires_grad_(False)


def _drop(model: LoadedModel, adapter: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Adapter .* was active")  # what is worn is settled right after
        for part in (model.denoiser, *model.text_encoders):
            if adapter in getattr(part, "peft_config", {}):
                delete_adapter_layers(part, adapter)
