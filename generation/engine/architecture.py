"""Whether weights are those that a model's configuration asks for, by names and shapes alone, before any is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from diffusers.loaders import single_file_utils
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from generation.errors import ModelUnavailable
from generation.headers import FLOATS, Entry, merged, read_header, weight_files
from generation.models import read_json

# A pipeline that knows one of these repaints pictures, follows drawings, or makes films and sounds.
OTHER_TRADES = frozenset(("mask_image", "control_image", "control_mode", "num_frames", "audio_length_in_s", "video"))
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")

Shapes = Mapping[str, tuple[int, ...]]

PARTS = {
    "sd1": ("unet", "vae", "text_encoder"),
    "sd2": ("unet", "vae", "text_encoder"),
    "sdxl": ("unet", "vae", "text_encoder", "text_encoder_2"),
}
CLASSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (UNet2DConditionModel, AutoencoderKL, AutoencoderTiny, CLIPTextModel, CLIPTextModelWithProjection)
}
# A configuration is built once without memory to learn its shapes; without a bound a hostile one would build for ever.
MOST_LAYERS = 100
# Names that the library still reads and turns into today's (its _convert_deprecated_attention_blocks).
OLD_NAMES = ((".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0."))


def check_folder(name: str, folder: Path, family: str) -> None:
    """Raise ModelUnavailable with a sentence unless every part in `folder` has the weights it asks for."""
    for part in PARTS[family]:
        files = weight_files(folder / part)
        if not files:
            raise ModelUnavailable(f"The model “{name}” has no safetensors weights in its folder “{part}”.")
        class_of(folder, part)  # one of those that rows are painted with
        compare(name, part, merged(files), expected(folder, part))
    _check_entrance(name, folder)


def check_pipeline(name: str, folder: Path) -> None:
    """The same for any other pipeline of the library; what is not of diffusers is known by its headers alone."""
    index = read_json(folder / "model_index.json")
    kind = str(index.get("_class_name"))
    _check_trade(name, kind)
    for part in sorted(path.name for path in folder.iterdir() if path.is_dir() and index.get(path.name)):
        files = weight_files(folder / part)
        model = _library_class(index[part])
        if not files and (model is not None or any(any((folder / part).glob(pickle)) for pickle in PICKLES)):
            raise ModelUnavailable(f"The model “{name}” has no safetensors weights in its folder “{part}”.")
        tensors = merged(files)
        for listing in (folder / part).glob("*.safetensors.index.json"):
            missing = set(read_json(listing).get("weight_map", ())) - set(tensors)
            if missing:
                raise ModelUnavailable(f"The model “{name}” lacks {len(missing)} of the weights of its part “{part}”.")
        if model is not None:
            compare(name, part, tensors, expected(folder, part))


def parameters(kind: type) -> dict[str, Any]:
    """The parameters of a pipeline's call by name, with their defaults."""
    call: Any = kind
    return {name: one.default for name, one in inspect.signature(call.__call__).parameters.items() if name != "self"}


def check_file(name: str, path: Path, configs: Path, family: str) -> None:
    """The same for a single file in the names of the original code; `configs` is a folder of configurations."""
    tensors = read_header(path)
    empty = {key: torch.empty(entry.shape, device="meta") for key, entry in tensors.items()}
    for part in PARTS[family]:
        try:
            found = _converted(part, dict(empty), configs)
        except (KeyError, ValueError, IndexError, TypeError, AttributeError, RuntimeError) as error:
            raise ModelUnavailable(f"“{path.name}” lacks weights that its kind of model has in “{part}”.") from error
        compare(
            name, part, {key: Entry("F16", tuple(value.shape)) for key, value in found.items()}, expected(configs, part)
        )
    _check_entrance(name, configs)


def expected(folder: Path, part: str) -> Shapes:
    """Names and shapes of the weights that the configuration of `part` in `folder` asks for."""
    return {key: tuple(value.shape) for key, value in _empty(folder, part).state_dict().items()}


def class_of(folder: Path, part: str) -> Any:
    """The library's class of a part; raises ModelUnavailable when it is none of those known here."""
    entry = read_json(folder / "model_index.json").get(part)
    kind = CLASSES.get(str(entry[1])) if isinstance(entry, list) and len(entry) == 2 else None
    if kind is None:
        raise ModelUnavailable(f"The part “{part}” of the model in “{folder.name}” is missing or of an unknown kind.")
    return kind


def compare(name: str, part: str, found: Mapping[str, Entry], wanted: Shapes) -> None:
    """Raise ModelUnavailable when weights are missing, of another shape, or not made of fractions."""
    given = {_today(key): entry for key, entry in found.items()}
    for key, shape in wanted.items():
        entry = given.get(_today(key))
        if entry is None:
            missing = sum(_today(other) not in given for other in wanted)
            raise ModelUnavailable(
                f"The model “{name}” lacks {missing} of the {len(wanted)} weights of its part “{part}”, such as {key}."
            )
        if _flat(entry.shape) != _flat(shape):
            raise ModelUnavailable(
                f"The model “{name}” does not fit its configuration: in its part “{part}”, {key} is "
                f"{_words(entry.shape)} and should be {_words(shape)}."
            )
        if entry.dtype not in FLOATS and shape:
            raise ModelUnavailable(f"The weights of “{name}” are in a number format that is not supported here.")


def _library_class(entry: Any) -> Any:
    """The class of diffusers that an entry of a model's index names, if it is one with weights."""
    name = str(entry[1]) if isinstance(entry, list) and len(entry) == 2 and entry[0] == "diffusers" else ""
    found = getattr(diffusers, name, None)
    return found if isinstance(found, type) and issubclass(found, diffusers.ModelMixin) else None


def _check_trade(name: str, kind: str) -> None:
    """Raise ModelUnavailable unless the library has a pipeline `kind` that paints from words and nothing else."""
    found = getattr(diffusers, kind, None)
    known = parameters(found) if isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline) else {}
    needed = {one for one, default in known.items() if default is inspect.Parameter.empty} - {"args", "kwargs"}
    if "prompt" not in known or needed - {"prompt"} or OTHER_TRADES & set(known):
        raise ModelUnavailable(f"The model “{name}” ({kind}) does not paint from words, or is not known here.")


def _empty(folder: Path, part: str) -> Any:
    kind = _library_class(read_json(folder / "model_index.json").get(part)) or class_of(folder, part)
    config = read_json(folder / part / "config.json")
    _bound(folder, part, config)
    with torch.device("meta"):
        if issubclass(kind, torch.nn.Module) and hasattr(kind, "from_config"):
            return kind.from_config(config)
        return kind(kind.config_class.from_dict(config))


def _bound(folder: Path, part: str, config: Mapping[str, Any]) -> None:
    for key, value in config.items():
        if "layers" in key and any(number > MOST_LAYERS for number in _numbers(value)):
            raise ModelUnavailable(f"The configuration of “{part}” in “{folder.name}” asks for far too many layers.")


def _numbers(value: Any) -> list[float]:
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, int | float) else []


def _check_entrance(name: str, folder: Path) -> None:
    channels = read_json(folder / "unet" / "config.json").get("in_channels", 4)
    if channels != read_json(folder / "vae" / "config.json").get("latent_channels", 4):
        raise ModelUnavailable(f"The model “{name}” was made to repaint pictures, not to paint from words.")


def _converted(part: str, tensors: dict[str, torch.Tensor], configs: Path) -> dict[str, torch.Tensor]:
    """The weights of `part` under today's names; raises what the library raises when some are missing."""
    utils: Any = single_file_utils
    if part == "unet":
        return dict(utils.convert_ldm_unet_checkpoint(tensors, read_json(configs / part / "config.json")))
    if part == "vae":
        return dict(utils.convert_ldm_vae_checkpoint(tensors, read_json(configs / part / "config.json")))
    convert: Callable[..., dict[str, torch.Tensor]] = utils.convert_open_clip_checkpoint
    for prefix in ("conditioner.embedders.1.model.", "cond_stage_model.model."):
        if (part == "text_encoder_2") == prefix.startswith("conditioner") and _any_begins(tensors, prefix):
            return convert(_empty(configs, part), tensors, prefix=prefix)
    return dict(utils.convert_ldm_clip_checkpoint(tensors))


def _any_begins(tensors: Mapping[str, Any], prefix: str) -> bool:
    return any(key.startswith(prefix) for key in tensors)


def _today(key: str) -> str:
    for old, new in OLD_NAMES:
        key = key.replace(old, new)
    return key.removeprefix("text_model.")  # CLIPTextModel lost this level in transformers 5.6; both are read


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without trailing ones: convolutions of one pixel and matrices are read as each other."""
    while shape and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _words(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"
