"""LoRAs on real models: on, off, and refused."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from generation.engine import device, weights
from generation.engine.embeddings import Embeddings
from generation.engine.lora import Loras
from generation.engine.model import Ask, LoadedModel
from generation.errors import ModelUnavailable
from generation.models import resolve
from generation.request import Lora
from tests.generation import tiny
from tests.generation.tiny_lora import kohya_lora, peft_lora

PLACE = device.choose("cpu", "auto", 1)
ASK = Ask(prompt="a red house", negative="fog", width=64, height=64, guidance=5.0)
PARTS = {"sd1": ("unet", "text_encoder"), "sdxl": ("unet", "text_encoder", "text_encoder_2")}


@pytest.fixture(scope="module", params=["sd1", "sdxl"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tiny.stable_diffusion if request.param == "sd1" else tiny.stable_diffusion_xl
    return made(tmp_path_factory.mktemp("models") / request.param)


@pytest.fixture(scope="module")
def loaded(folder: Path) -> LoadedModel:
    return weights.load(resolve(str(folder)), PLACE)


@pytest.fixture
def model(loaded: LoadedModel) -> Iterator[LoadedModel]:
    """A model that wears nothing, and whose layers are as they were built."""
    yield replace(loaded, embeddings=Embeddings())
    loaded.pipeline.unload_lora_weights()


@pytest.fixture
def loras(model: LoadedModel, tmp_path: Path) -> Loras:
    """ink: all parts, names of the library; Neon: all parts, names of kohya-ss; body and mind: some parts alone."""
    parts = PARTS[model.card.family]
    peft_lora(model.pipeline, tmp_path / "ink.safetensors", parts)
    kohya_lora(model.pipeline, tmp_path / "Neon.safetensors", parts)
    peft_lora(model.pipeline, tmp_path / "body.safetensors", parts[:1], seed=3)
    kohya_lora(model.pipeline, tmp_path / "mind.safetensors", parts[1:], seed=4)
    return Loras(tmp_path)


@torch.inference_mode()
def painted(model: LoadedModel) -> tuple[torch.Tensor, torch.Tensor]:
    """The encoded words, and what the denoiser says of them."""
    wording = model.family.word(model, ASK)
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    arguments = model.family.arguments([wording.positive])
    return wording.positive.hidden, model.denoiser(latents, torch.tensor(500), **arguments, return_dict=False)[0]


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> list[bool]:
    return [torch.equal(a, b) for a, b in zip(one, other, strict=True)]


def by_the_library(folder: Path, file: Path, scale: float) -> torch.Tensor:
    """The encoded words with a LoRA that the library's own pipeline has loaded by itself."""
    pipeline: Any = DiffusionPipeline.from_pretrained(str(folder), use_safetensors=True)
    pipeline.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name="x")
    pipeline.set_adapters(["x"], [scale])
    with torch.inference_mode():
        return pipeline.encode_prompt(ASK.prompt, device="cpu", num_images_per_prompt=1,
                                      do_classifier_free_guidance=False)[0][0]  # fmt: skip


def test_loras_change_the_words_and_the_denoiser_as_the_library_does(
    folder: Path, model: LoadedModel, loras: Loras, tmp_path: Path
) -> None:
    bare = painted(model)
    for name in ("ink", "Neon"):
        assert loras.use(model, (Lora(name, 0.7),)) == ()
        worn = painted(model)
        assert same(worn, bare) == [False, False]
        assert torch.equal(worn[0], by_the_library(folder, tmp_path / f"{name}.safetensors", 0.7))


def test_the_denoiser_s_weights_move_by_scale_times_strength(model: LoadedModel, loras: Loras, tmp_path: Path) -> None:
    name = "down_blocks.0.resnets.0.conv1"
    module: Any = model.denoiser
    x = torch.randn(1, module.get_submodule(name).in_channels, 8, 8)
    before = module.get_submodule(name)(x)
    loras.use(model, (Lora("neon", 0.5),))
    tensors = load_file(tmp_path / "Neon.safetensors")
    stem = f"lora_unet_{name.replace('.', '_')}"
    down, up = (tensors[f"{stem}.lora_{half}.weight"] for half in ("down", "up"))
    moved = torch.nn.functional.conv2d(torch.nn.functional.conv2d(x, down, padding=1), up)
    assert torch.allclose(module.get_submodule(name)(x), before + 0.5 * (2.0 / 4) * moved, atol=1e-5)


def test_nothing_and_scale_zero_are_exactly_no_lora(model: LoadedModel, loras: Loras) -> None:
    bare = painted(model)
    assert loras.use(model, (Lora("ink", 0.0),)) == ()
    assert same(painted(model), bare) == [True, True]
    loras.use(model, (Lora("ink"), Lora("neon", 0.5)))
    both = painted(model)
    loras.use(model, ())
    assert same(painted(model), bare) == [True, True]
    loras.use(model, (Lora("neon", 0.5),))
    alone = painted(model)
    assert same(alone, both) == [False, False]
    loras.use(model, (Lora("NEON", 0.5), Lora("ink", 0.25), Lora("ink", 0.75)))  # the same set in other words
    assert same(painted(model), both) == [True, True]
    loras.use(model, (Lora("ink", 0.0),))
    model.embeddings.clear()
    assert same(painted(model), bare) == [True, True]


def test_loras_of_one_part_leave_the_others_alone(model: LoadedModel, loras: Loras) -> None:
    bare = painted(model)
    loras.use(model, (Lora("body"),))
    assert same(painted(model), bare)[0]
    assert not same(painted(model), bare)[1]
    loras.use(model, (Lora("mind"),))
    words = painted(model)
    assert not same(words, bare)[0]
    loras.use(model, (Lora("ink"),))
    loras.use(model, (Lora("body"),))
    assert same(painted(model), bare)[0]
    loras.use(model, (Lora("mind"),))
    assert same(painted(model), words) == [True, True]


def test_an_unchanged_set_costs_nothing_and_least_used_ones_go(
    model: LoadedModel, loras: Loras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loras = Loras(tmp_path, kept=2)
    bare = painted(model)
    loras.use(model, (Lora("ink"),))
    ink = painted(model)
    with monkeypatch.context() as patched:
        patched.setattr(model.pipeline, "set_adapters", lambda *_: pytest.fail("nothing changed"))
        loras.use(model, (Lora("INK", 1.0),))
    for name in ("neon", "body", "mind"):
        loras.use(model, (Lora(name),))
    assert len({name for names in model.pipeline.get_list_adapters().values() for name in names}) == 2
    loras.use(model, (Lora("ink"),))
    assert same(painted(model), ink) == [True, True]
    loras.use(model, tuple(Lora(name) for name in ("ink", "neon", "body", "mind")))  # more than are kept
    loras.use(model, ())
    model.embeddings.clear()
    assert same(painted(model), bare) == [True, True]


def test_a_file_that_was_replaced_is_read_again(model: LoadedModel, loras: Loras, tmp_path: Path) -> None:
    loras.use(model, (Lora("ink"),))
    old, digest = painted(model), loras.sha256(model, (Lora("ink"),))
    peft_lora(model.pipeline, tmp_path / "ink.safetensors", PARTS[model.card.family], seed=9, rank=2)
    loras.use(model, (Lora("ink"),))
    assert same(painted(model), old) == [False, False]
    assert loras.sha256(model, (Lora("ink"),)).keys() == digest.keys() == {"ink"}
    assert loras.sha256(model, (Lora("ink"),)) != digest


def test_unknown_tensors_are_reported_and_left_out(
    model: LoadedModel, loras: Loras, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loras.use(model, (Lora("ink"), Lora("neon")))
    worn = painted(model)
    extra = {
        "unet.nowhere.to_q.lora_A.weight": torch.zeros(3, 32),
        "unet.nowhere.to_q.lora_B.weight": torch.zeros(32, 3),
        "unet.conv_in.lora_A.weight": torch.zeros(3, 4, 3, 3),  # without its other half
        "something": torch.zeros(1),
    }
    peft_lora(model.pipeline, tmp_path / "ink.safetensors", PARTS[model.card.family], **extra)
    odd = {
        "lora_unet_nowhere_to_q.lora_down.weight": torch.zeros(3, 32),
        "lora_unet_nowhere_to_q.lora_up.weight": torch.zeros(32, 3),
        "lora_unet_nowhere_to_q.alpha": torch.zeros(()),
        "lora_unet_conv_in.dora_scale": torch.zeros(3),
    }
    kohya_lora(model.pipeline, tmp_path / "Neon.safetensors", PARTS[model.card.family], **odd)
    with caplog.at_level(logging.WARNING):
        unknown = loras.use(model, (Lora("ink"), Lora("neon")))
    assert set(unknown) == set(extra) | set(odd)
    assert loras.use(model, (Lora("ink"), Lora("neon"))) == unknown
    assert "LoRA ink: 4 of its tensors have no place" in caplog.text
    assert same(painted(model), worn) == [True, True]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda _: {"a": torch.zeros(1)}, "is not a LoRA"),
        (lambda _: {"lora_unet_x.hada_w1_a": torch.zeros(1)}, "LyCORIS"),
        (lambda t: {key: value.to(torch.int32) for key, value in t.items()}, "number format"),
        (lambda t: {key.replace("unet.", "transformer."): v for key, v in t.items() if "unet" in key}, "another kind"),
        (lambda t: {key: torch.cat([v, v], dim=int("lora_A" in key)) for key, v in t.items()}, "another kind of model"),
        (lambda t: {key: torch.cat([v, v], 1) if "lora_B" in key else v for key, v in t.items()}, "another kind"),
    ],
)
def test_what_is_no_lora_for_this_model_is_refused_and_changes_nothing(
    model: LoadedModel, loras: Loras, tmp_path: Path, harm: Callable[[dict[str, torch.Tensor]], Any], words: str
) -> None:
    loras.use(model, (Lora("neon"),))
    worn = painted(model)
    save_file(harm(load_file(tmp_path / "ink.safetensors")), tmp_path / "bad.safetensors")
    for wanted in ((Lora("bad"),), (Lora("ink"), Lora("bad"))):
        with pytest.raises(ModelUnavailable, match=words):
            loras.use(model, wanted)
        assert model.embeddings.loras == (Lora("Neon"),)
        model.embeddings.clear()
        assert same(painted(model), worn) == [True, True]


def test_a_lora_that_the_library_cannot_load_leaves_the_model_as_it_was(
    model: LoadedModel, loras: Loras, monkeypatch: pytest.MonkeyPatch
) -> None:
    loras.use(model, (Lora("neon"),))
    worn = painted(model)
    load = model.pipeline.load_lora_weights

    def stumbles(*args: Any, **kwargs: Any) -> None:
        load(*args, **kwargs)  # so that half of the work is done, and has to be undone
        raise RuntimeError("out of something")

    with monkeypatch.context() as patched:
        patched.setattr(model.pipeline, "load_lora_weights", stumbles)
        with pytest.raises(ModelUnavailable, match="“ink” could not be loaded"):
            loras.use(model, (Lora("ink"), Lora("neon")))
    assert model.embeddings.loras == (Lora("Neon"),)
    model.embeddings.clear()
    assert same(painted(model), worn) == [True, True]
    assert {name for names in model.pipeline.get_list_adapters().values() for name in names} == {"lora_1"}
    loras.use(model, (Lora("ink"),))
    assert same(painted(model), worn) == [False, False]


def test_loras_can_be_put_on_in_the_middle_of_painting(model: LoadedModel, loras: Loras) -> None:
    with torch.inference_mode():
        loras.use(model, (Lora("ink"),))
        inside = painted(model)
        loras.use(model, ())
        loras.use(model, (Lora("ink"),))
    model.embeddings.clear()
    assert same(painted(model), inside) == [True, True]
    assert not any(weight.requires_grad for weight in model.pipeline.unet.parameters())


def test_files_that_are_broken_or_not_there_are_refused(model: LoadedModel, loras: Loras, tmp_path: Path) -> None:
    whole = (tmp_path / "ink.safetensors").read_bytes()
    (tmp_path / "ink.safetensors").write_bytes(whole[:-1])
    with pytest.raises(ModelUnavailable, match="cut off"):
        loras.use(model, (Lora("ink"),))
    with pytest.raises(ModelUnavailable, match="did you mean “Neon”"):
        loras.use(model, (Lora("neo"),))


def test_a_lora_for_another_architecture_is_refused(model: LoadedModel, loras: Loras, tmp_path: Path) -> None:
    other = tiny.stable_diffusion_xl if model.card.family == "sd1" else tiny.stable_diffusion
    stranger = weights.load(resolve(str(other(tmp_path / "other"))), PLACE)
    for make in (peft_lora, kohya_lora):
        make(stranger.pipeline, tmp_path / "foreign.safetensors", PARTS[stranger.card.family])
        with pytest.raises(ModelUnavailable, match="another kind of model"):
            loras.use(model, (Lora("foreign"),))
    shutil.rmtree(tmp_path / "other")


def test_two_models_wear_what_each_was_told(folder: Path, model: LoadedModel, loras: Loras) -> None:
    bare = painted(model)
    second = weights.load(resolve(str(folder)), PLACE)
    loras.use(second, (Lora("ink"),))
    assert same(painted(model), bare) == [True, True]
    assert same(painted(second), bare) == [False, False]
