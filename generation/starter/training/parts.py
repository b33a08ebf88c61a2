"""The trainable parts: read from a weights folder, given new words, and written back as a folder any program loads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from diffusers import AutoencoderTiny, DPMSolverMultistepScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

PIPELINE = ("model_index.json", "scheduler", "tokenizer", "vae", "unet", "text_encoder")
CHECKING = ("safety_checker", "feature_extractor")  # where there is one


@dataclass(frozen=True, slots=True)
class Parts:
    """What training changes, and the tokenizer that goes with it."""

    unet: nn.Module
    text: nn.Module
    tokenizer: CLIPTokenizer

    def state(self) -> dict[str, dict[str, torch.Tensor]]:
        """All weights, by part."""
        return {"unet": dict(self.unet.state_dict()), "text": dict(self.text.state_dict())}

    def load(self, state: dict[str, dict[str, torch.Tensor]]) -> None:
        """Take over weights that `state` returned."""
        self.unet.load_state_dict(state["unet"])
        self.text.load_state_dict(state["text"])

    def modules(self) -> tuple[nn.Module, nn.Module]:
        """Both networks, the denoiser first."""
        return self.unet, self.text


def read_parts(folder: Path) -> Parts:
    """The parts of the model in `folder`, in full precision."""
    denoisers: Any = UNet2DConditionModel
    encoders: Any = CLIPTextModel
    return Parts(
        unet=denoisers.from_pretrained(folder / "unet", dtype=torch.float32),
        text=encoders.from_pretrained(folder / "text_encoder", dtype=torch.float32),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
    )


def with_words(folder: Path, words: Sequence[str], out: Path) -> None:
    """Copy the model in `folder` to `out`, each of `words` being one token there; what was learnt stays."""
    parts = read_parts(folder)
    for name in _files(folder):
        _copy(folder / name, out / name)
    file = out / "tokenizer" / "tokenizer.json"
    description = json.loads(file.read_text("utf-8"))
    model = description["model"]
    for word in words:
        pieces = parts.tokenizer.tokenize(word)
        while len(pieces) > 1:
            joined = pieces[0] + pieces[1]
            if [pieces[0], pieces[1]] not in model["merges"]:
                model["merges"].append([pieces[0], pieces[1]])
            # The two special tokens hold their numbers, so that weights trained before still fit.
            model["vocab"].setdefault(joined, len(model["vocab"]))
            pieces = [joined, *pieces[2:]]
    file.write_text(json.dumps(description, ensure_ascii=False, indent=2), "utf-8")
    _write_old_style(out / "tokenizer", model)
    size = len(model["vocab"])
    torch.manual_seed(size)
    cast(Any, parts.text).resize_token_embeddings(size, mean_resizing=True)
    _write_text(parts.text, folder, out)


def without_meaning(folder: Path, words: Sequence[str], like: str) -> None:
    """Make `words` mean as little as `like` in the model in `folder`: what no training ever showed must not mislead."""
    parts = read_parts(folder)
    tokenizer, text = cast(Any, parts.tokenizer), cast(Any, parts.text)
    (filler,) = tokenizer(like, add_special_tokens=False).input_ids
    for word in words:
        (row,) = tokenizer(word, add_special_tokens=False).input_ids
        with torch.no_grad():
            table = text.get_input_embeddings().weight
            table[row] = table[filler]
    _write_text(parts.text, folder, folder)


def write_model(parts: Parts, template: Path, out: Path) -> None:
    """Write a pipeline folder: the trained parts in half precision, all else as in `template`."""
    for name in _files(template):
        _copy(template / name, out / name)
    _save_half(parts.unet, out / "unet" / "diffusion_pytorch_model.safetensors")
    _write_text(parts.text, template, out)


def _files(folder: Path) -> list[str]:
    return [*PIPELINE, *(name for name in CHECKING if (folder / name).is_dir())]


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or the files of a folder, but not their permissions."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)
        target.chmod(0o755)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _write_text(text: nn.Module, template: Path, out: Path) -> None:
    folder = out / "text_encoder"
    folder.mkdir(parents=True, exist_ok=True)
    _save_half(text, folder / "model.safetensors")
    # Loaded without a dtype it must come up in full precision, as the denoiser does.
    config = json.loads((template / "text_encoder" / "config.json").read_text("utf-8"))
    config |= {"dtype": "float32", "vocab_size": cast(Any, text).config.vocab_size}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")


def _save_half(module: nn.Module, path: Path) -> None:
    weights = {name: value.half().contiguous().clone() for name, value in module.state_dict().items()}
    save_file(weights, path, metadata={"format": "pt"})


def _write_old_style(folder: Path, model: dict[str, Any]) -> None:
    """The vocabulary in the two files that older programs read."""
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False), "utf-8")
    lines = [" ".join(merge) for merge in model["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n", "utf-8")


def noise_schedule(folder: Path) -> torch.Tensor:
    """Share of the picture's variance kept at each training timestep."""
    library: Any = DPMSolverMultistepScheduler
    return cast(torch.Tensor, library.from_pretrained(folder / "scheduler").alphas_cumprod)


def read_autoencoder(folder: Path) -> Any:
    """The autoencoder in `folder`, in full precision; its library gives it no types."""
    library: Any = AutoencoderTiny
    return library.from_pretrained(folder, dtype=torch.float32).eval()
