"""Loading real models: folders, single files, and everything that is wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from generation.engine import device, weights
from generation.errors import ModelUnavailable
from generation.models import STARTER, resolve
from generation.request import Request
from tests.generation import tiny
from tests.generation.engine.easel import painted

PLACE = device.choose("cpu", "auto", 1)


def load(path: Path | str) -> weights.LoadedModel:
    return weights.load(resolve(str(path)), PLACE)


def test_the_starter_loads_in_full_precision_and_is_known_by_its_files() -> None:
    model = load("starter")
    assert {model.denoiser.dtype, model.vae.dtype, model.text_encoders[0].dtype} == {torch.float32}
    assert model.card.sha256 == model.files["unet/diffusion_pytorch_model.safetensors"]
    assert model.cell == 8
    assert model.own_checker is None


def test_a_single_file_paints_what_its_folder_paints(
    tmp_path: Path, tiny_model: Path, wish: Callable[..., Request]
) -> None:
    path = tiny.single_file(tiny_model, tmp_path / "tiny.safetensors")
    shutil.copytree(tiny_model, tmp_path / "tiny", ignore=shutil.ignore_patterns("*.safetensors"))
    request = wish(width=64, height=64)
    assert torch.equal(*(painted(load(place), request)[0] for place in (tiny_model, path)))
    assert load(path).files == {}  # not by any chance the shipped weights


def test_a_folder_of_pickles_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(STARTER, tmp_path / "model"))
    (folder / "vae" / "diffusion_pytorch_model.safetensors").rename(folder / "vae" / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="no safetensors weights in its folder “vae”"):
        load(folder)


def test_other_kinds_of_models_are_refused_by_name(tmp_path: Path) -> None:
    for kind, words in (("StableDiffusionXLPipeline", "XL"), ("FluxPipeline", "of this kind")):
        folder = Path(shutil.copytree(STARTER, tmp_path / kind))
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": kind}))
        with pytest.raises(ModelUnavailable, match=words):
            load(folder)


def test_weights_that_do_not_fit_their_configuration_are_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(shutil.copytree(STARTER, tmp_path / "model"))
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "unet" / "config.json").write_text(json.dumps(config | {"block_out_channels": [64, 96, 192]}))
    with pytest.raises(ModelUnavailable, match="could not be loaded"):
        load(folder)
    assert "could not be loaded" in caplog.text  # with the library's own words below it


@pytest.mark.parametrize(
    ("wanted", "words"),
    [(("tpu", "auto"), "no device"), (("cpu", "int3"), "number format"), (("cuda:97", "auto"), "cuda:97|none")],
)
def test_devices_that_are_not_there_are_said_so(wanted: tuple[str, str], words: str) -> None:
    with pytest.raises(ModelUnavailable, match=words):
        device.choose(*wanted, 1)
