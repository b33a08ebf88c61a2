"""Loading real models: folders, single files, and everything that is wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation.engine import architecture, device, weights
from generation.engine.model import Ask
from generation.errors import ModelUnavailable
from generation.models import STARTER, describe_folder, resolve
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
    assert model.own_checker == STARTER / "safety_checker"


def test_a_single_file_paints_what_its_folder_paints(
    tmp_path: Path, tiny_model: Path, wish: Callable[..., Request]
) -> None:
    path = tiny.single_file(tiny_model, tmp_path / "tiny.safetensors")
    shutil.copytree(tiny_model, tmp_path / "tiny", ignore=shutil.ignore_patterns("*.safetensors"))
    request = wish(width=64, height=64)
    assert torch.equal(*(painted(load(place), request)[0] for place in (tiny_model, path)))
    assert load(path).files == {}  # not by any chance the shipped weights


def test_a_single_file_of_sdxl_holds_what_its_folder_holds(tmp_path: Path) -> None:
    folder = tiny.stable_diffusion_xl(tmp_path / "folder")
    path = tiny.single_file(folder, tmp_path / "tiny.safetensors")
    shutil.copytree(folder, tmp_path / "tiny", ignore=shutil.ignore_patterns("*.safetensors"))
    one, other = load(folder), load(path)
    assert one.card.family == other.card.family == "sdxl"
    for part in architecture.PARTS["sdxl"]:
        weights_of = [getattr(model.pipeline, part).state_dict() for model in (one, other)]
        assert weights_of[0].keys() == weights_of[1].keys()
        assert all(torch.equal(weights_of[0][key], weights_of[1][key]) for key in weights_of[0])
    ask = Ask(prompt="a red house", negative="fog", width=64, height=64, guidance=5.0)
    words = [model.family.word(model, ask).positive for model in (one, other)]
    # Not bit for bit: where a weight begins in memory follows its place in the file, and changes a CPU's rounding.
    assert torch.allclose(words[0].hidden, words[1].hidden, atol=1e-5)
    assert torch.allclose(words[0].extra["text_embeds"], words[1].extra["text_embeds"], atol=1e-5)


def test_a_folder_of_pickles_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(STARTER, tmp_path / "model"))
    (folder / "vae" / "diffusion_pytorch_model.safetensors").rename(folder / "vae" / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="no safetensors weights in its folder “vae”"):
        load(folder)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("FluxPipeline", "row by row"),
        ("StableDiffusionInpaintPipeline", "of this kind"),
        ("StableDiffusionXLPipeline", "“text_encoder_2”"),
    ],
)
def test_other_kinds_of_models_are_refused_by_name(tmp_path: Path, kind: str, words: str) -> None:
    folder = copied(tmp_path)
    changed(folder / "model_index.json", _class_name=kind)
    with pytest.raises(ModelUnavailable, match=words):
        load(folder)


def copied(tmp_path: Path, model: Path = STARTER) -> Path:
    return Path(shutil.copytree(model, tmp_path / "model"))


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def rewritten(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {"format": "pt"})


UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading weights at all fails the test: what is wrong has to be seen before."""

    def loaded(*args: Any, **kwargs: Any) -> None:
        pytest.fail("weights were loaded before they were checked")

    for kind in architecture.CLASSES.values():
        monkeypatch.setattr(kind, "from_pretrained", loaded)
    monkeypatch.setattr("diffusers.StableDiffusionPipeline.from_single_file", loaded)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda t: t.pop("conv_in.weight"), "lacks 1 of the .* “unet”, such as conv_in.weight"),
        (lambda t: t.update({"conv_in.weight": torch.zeros(3, 3)}), "conv_in.weight is 3 × 3 and should be"),
        (lambda t: t.update({"conv_in.bias": t["conv_in.bias"].to(torch.int64)}), "number format"),
    ],
)
def test_wrong_weights_are_refused_before_they_are_loaded(
    tmp_path: Path, tiny_model: Path, harm: Callable[[dict[str, torch.Tensor]], object], words: str
) -> None:
    folder = copied(tmp_path, tiny_model)
    rewritten(folder / UNET, harm)
    with pytest.raises(ModelUnavailable, match=words):
        load(folder)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("unet", {"block_out_channels": [64, 96]}, "does not fit its configuration: in its part “unet”"),
        ("unet", {"layers_per_block": 10**9}, "far too many layers"),
        ("unet", {"layers_per_block": [1, 10**9]}, "far too many layers"),
        ("unet", {"in_channels": "many"}, "could not be loaded"),
        ("text_encoder", {"num_hidden_layers": 10**9}, "far too many layers"),
        ("text_encoder", {"hidden_size": 48, "num_attention_heads": 4}, "should be"),
        ("vae", {"latent_channels": 16}, "does not fit its configuration"),
    ],
)
def test_configurations_that_do_not_fit_their_weights_are_refused(
    tmp_path: Path, tiny_model: Path, part: str, change: dict[str, Any], words: str
) -> None:
    folder = copied(tmp_path, tiny_model)
    changed(folder / part / "config.json", **change)
    with pytest.raises(ModelUnavailable, match=words):
        load(folder)


@pytest.mark.usefixtures("unread")
def test_truncated_weights_are_refused(tmp_path: Path, tiny_model: Path) -> None:
    folder = copied(tmp_path, tiny_model)
    whole = (folder / UNET).read_bytes()
    (folder / UNET).write_bytes(whole[:-1])
    with pytest.raises(ModelUnavailable, match="cut off"):
        load(folder)
    (folder / UNET).write_bytes(b"\xff" * 8 + whole[8:])
    with pytest.raises(ModelUnavailable, match="not a safetensors file"):
        load(folder)


@pytest.mark.usefixtures("unread")
def test_code_that_comes_with_a_model_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    folder = copied(tmp_path, tiny_model)
    index = (folder / "model_index.json").read_text()
    changed(folder / "model_index.json", unet=["my_unet", "MyUNet"])
    with pytest.raises(ModelUnavailable, match="code of its own for its part “unet”"):
        load(folder)
    (folder / "model_index.json").write_text(index)
    (folder / "unet" / "my_unet.py").write_text("raise SystemExit")
    with pytest.raises(ModelUnavailable, match="code of its own"):
        load(folder)


def test_weights_under_the_names_of_older_libraries_and_more_than_needed_load(tmp_path: Path, tiny_model: Path) -> None:
    folder = copied(tmp_path, tiny_model)

    def aged(tensors: dict[str, torch.Tensor]) -> None:
        for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            for name in [name for name in tensors if f"attentions.0.{new}." in name]:
                tensors[name.replace(new, old)] = tensors.pop(name)

    rewritten(folder / "vae" / "diffusion_pytorch_model.safetensors", aged)
    rewritten(folder / "text_encoder" / "model.safetensors", lambda t: t.update(position_ids=torch.arange(77)))
    old, new = load(folder).vae, load(tiny_model).vae
    latents = torch.randn(1, 4, 8, 8)
    assert torch.equal(*(vae.decode(latents, return_dict=False)[0] for vae in (old, new)))


def test_files_in_half_precision_alone_are_found(tmp_path: Path, tiny_model: Path) -> None:
    folder = copied(tmp_path, tiny_model)
    (folder / UNET).rename(folder / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    assert load(folder).card.sha256 == load(tiny_model).card.sha256


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(
    "name", ["model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.decoder.conv_in.weight"]
)
def test_single_files_are_checked_before_they_are_loaded(tmp_path: Path, tiny_model: Path, name: str) -> None:
    path = tiny.single_file(tiny_model, tmp_path / "tiny.safetensors")
    shutil.copytree(tiny_model, tmp_path / "tiny", ignore=shutil.ignore_patterns("*.safetensors"))
    rewritten(path, lambda tensors: tensors.update({name: torch.zeros(5, 4, 3, 3)}))
    with pytest.raises(ModelUnavailable, match="is 5 × 4 × 3 × 3 and should be"):
        load(path)
    rewritten(path, lambda tensors: tensors.pop(name))
    with pytest.raises(ModelUnavailable, match="lacks"):
        load(path)


def test_a_single_file_whose_configurations_are_nowhere_says_what_would_help(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    path = tiny.single_file(tiny_model, tmp_path / "alone.safetensors")
    with pytest.raises(ModelUnavailable, match="a folder “alone” beside it may hold those of stable-diffusion-v1-5/"):
        load(path)


def test_memory_is_known_before_loading(tiny_model: Path) -> None:
    signs: list[str] = []
    found = weights.find(resolve(str(tiny_model)), PLACE)
    model = weights.load_found(found, PLACE, signs.append)
    assert found.bytes == pytest.approx(model.bytes, rel=0.01)
    assert len(signs) == 3
    assert signs[2].endswith("part 3 of 3")
    half = device.Place(torch.device("cpu"), torch.float16, "CPU")
    assert weights.find(resolve(str(tiny_model)), half).bytes == pytest.approx(model.bytes / 2, rel=0.01)


def test_sdxl_loads_with_both_text_encoders(tmp_path: Path) -> None:
    model = load(tiny.stable_diffusion_xl(tmp_path / "tiny-xl"))
    assert (model.card.family, model.family.name) == ("sdxl", "sdxl")
    assert len(model.text_encoders) == len(model.tokenizers) == 2
    assert model.card.prediction == "epsilon"
    assert model.bytes == sum(p.nbytes for part in ("unet", "vae", "text_encoder", "text_encoder_2")
                              for p in getattr(model.pipeline, part).parameters())  # fmt: skip


def test_what_the_denoiser_predicts_is_read_from_the_model(tmp_path: Path, tiny_model: Path) -> None:
    folder = copied(tmp_path, tiny_model)
    changed(folder / "scheduler" / "scheduler_config.json", prediction_type="v_prediction")
    assert describe_folder("x", folder).prediction == load(folder).card.prediction == "v_prediction"


def test_few_steps_of_a_single_file_begin_at_the_last_timestep(tmp_path: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "tiny-lightning", ignore=shutil.ignore_patterns("*.safetensors"))
    path = tiny.single_file(tiny_model, tmp_path / "tiny-lightning.safetensors")
    assert load(path).sampler_config["timestep_spacing"] == "trailing"
    rewritten(path, lambda tensors: tensors.update(v_pred=torch.zeros(0), ztsnr=torch.zeros(0)))
    model = load(path)
    assert model.card.prediction == model.sampler_config["prediction_type"] == "v_prediction"
    assert model.sampler_config["rescale_betas_zero_snr"] is True


@pytest.mark.parametrize(
    ("wanted", "words"),
    [(("tpu", "auto"), "no device"), (("cpu", "int3"), "number format"), (("cuda:97", "auto"), "cuda:97|none")],
)
def test_devices_that_are_not_there_are_said_so(wanted: tuple[str, str], words: str) -> None:
    with pytest.raises(ModelUnavailable, match=words):
        device.choose(*wanted, 1)
