"""Whole pipelines behind the engine's interface, against the pipelines themselves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from generation.engine import architecture, device, plain, weights
from generation.engine.plain import PlainModel
from generation.errors import BadRequest, Cancelled, ModelUnavailable
from generation.models import resolve
from generation.request import Lora, Request, Variation
from tests.generation import tiny, tiny_plain

PLACE = device.choose("cpu", "auto", 1)
MADE = {"pixart": tiny_plain.pixart, "flux": tiny_plain.flux, "sd3": tiny_plain.stable_diffusion_3}


@pytest.fixture(scope="module", params=list(MADE))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MADE[request.param](tmp_path_factory.mktemp("models") / request.param)


@pytest.fixture(scope="module")
def model(folder: Path) -> PlainModel:
    return loaded(folder)


def loaded(folder: Path) -> PlainModel:
    return plain.load_found(weights.find(resolve(str(folder)), PLACE), PLACE)


@pytest.fixture
def ask(model: PlainModel, wish: Callable[..., Request]) -> Callable[..., Request]:
    def make(**changes: Any) -> Request:
        return wish(**{"width": 64, "height": 64, "steps": 3, "model": model.card.name} | changes)

    return make


def told(pipeline: Any, request: Request, seed: int, **rest: Any) -> Any:
    """The same picture by a call of the library that somebody would write by hand."""
    more = {"use_resolution_binning": False, "clean_caption": False} if "PixArt" in type(pipeline).__name__ else {}
    if "Flux" not in type(pipeline).__name__:
        more["negative_prompt"] = request.negative or ("" if more else None)
    return pipeline(
        request.prompt,
        width=request.width,
        height=request.height,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance,
        generator=torch.Generator().manual_seed(seed),
        output_type=rest.pop("output_type", "np"),
        **more,
        **rest,
    ).images[0]


def silent(*_: Any) -> None:
    pass


def test_cards_say_plain(model: PlainModel) -> None:
    assert model.card.family == "plain"
    assert len(model.card.sha256) == 64
    assert model.card.prediction == ("epsilon" if "PixArt" in type(model.pipeline).__name__ else "flow")
    assert model.bytes > 100_000


def test_pictures_are_the_library_s_bit_for_bit_alone_and_in_sets(
    model: PlainModel, ask: Callable[..., Request]
) -> None:
    request = ask(count=2, seed=5, negative="fog")
    pixels = model.paint(request, silent, lambda: False)
    assert pixels.shape == (2, 64, 64, 3)
    assert pixels.dtype == np.float32
    for index in range(2):
        assert np.array_equal(pixels[index], told(model.pipeline, request, 5 + index))
    assert np.array_equal(model.paint(request.single(1), silent, lambda: False)[0], pixels[1])


def test_negative_prompts_count_where_the_pipeline_has_them(model: PlainModel, ask: Callable[..., Request]) -> None:
    with_one, without = (model.paint(ask(negative=words), silent, lambda: False) for words in ("fog at night", ""))
    takes = (
        "negative_prompt" in architecture.parameters(type(model.pipeline))
        and "Flux" not in type(model.pipeline).__name__
    )
    assert np.array_equal(with_one, without) != takes


def test_steps_are_told_and_previews_aim_at_the_picture(model: PlainModel, ask: Callable[..., Request]) -> None:
    seen: list[tuple[int, int]] = []
    aims: list[torch.Tensor] = []

    def stepped(step: int, steps: int, clean: torch.Tensor | None) -> None:
        seen.append((step, steps))
        assert clean is not None
        aims.append(clean.clone())

    request = ask(count=2, steps=4)
    pixels = model.paint(request, stepped, lambda: False)
    assert seen == [(step, 8) for step in range(1, 9)]
    assert {tuple(aim.shape) for aim in aims} == {(1, 4, 8, 8)}
    with torch.inference_mode():
        decoded = model.vae.decode(aims[3] / model.vae.config.scaling_factor, return_dict=False)[0]
    shown = model.pipeline.image_processor.denormalize(decoded)[0].permute(1, 2, 0).numpy()
    assert np.abs(shown - pixels[0]).max() < 1e-4  # the last aim is the picture itself


def test_cancel_takes_effect_at_the_next_step(model: PlainModel, ask: Callable[..., Request]) -> None:
    seen: list[int] = []
    with pytest.raises(Cancelled):
        model.paint(ask(steps=9), lambda step, *_: seen.append(step), lambda: len(seen) == 2)
    assert seen == [1, 2]
    calls: list[int] = []
    with pytest.raises(Cancelled):
        model.paint(ask(), lambda step, *_: calls.append(step), lambda: True)
    assert calls == []
    assert model.paint(ask(), silent, lambda: False).shape == (1, 64, 64, 3)  # and the next one is served


def test_sizes_between_multiples_are_cut_to_what_was_asked(model: PlainModel, ask: Callable[..., Request]) -> None:
    assert plain.multiple(model.pipeline) == 16
    pixels = model.paint(ask(width=72, height=104), silent, lambda: False)
    assert pixels.shape == (1, 104, 72, 3)
    larger = model.paint(ask(width=80, height=112), silent, lambda: False)
    assert np.array_equal(pixels[0], larger[0, 4:108, 4:76])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": "0" * 64, "strength": 0.5}, "from words alone"),
        ({"variations": (Variation(1, 0.5),)}, "variations"),
        ({"loras": (Lora("ink"),)}, "LoRAs"),
    ],
)
def test_what_only_rows_can_do_is_refused(
    model: PlainModel, ask: Callable[..., Request], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadRequest, match=words):
        model.paint(ask(**changes), silent, lambda: False)


def test_a_pipeline_without_safetensors_or_with_code_of_its_own_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    for path in (copy / "transformer").glob("*.safetensors"):
        path.rename(path.with_suffix(".bin"))
    with pytest.raises(ModelUnavailable, match="safetensors"):
        loaded(copy)
    shutil.rmtree(copy)
    shutil.copytree(folder, copy)
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"transformer": ["evil", "Transformer"]}))
    with pytest.raises(ModelUnavailable, match="code of its own"):
        loaded(copy)


def test_wrong_weights_of_a_pipeline_are_refused_before_it_is_loaded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    path = copy / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    name, first = next(iter(tensors.items()))
    monkeypatch.setattr("diffusers.DiffusionPipeline.from_pretrained", lambda *_, **__: pytest.fail("was loaded"))
    save_file(tensors | {name: torch.zeros(*first.shape, 2)}, path, {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="should be"):
        loaded(copy)
    del tensors[name]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="lacks 1 of"):
        loaded(copy)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelUnavailable, match="cut off"):
        loaded(copy)


def test_a_missing_shard_is_seen(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    listing = {"metadata": {}, "weight_map": {"somewhere.weight": "model-00002-of-00002.safetensors"}}
    (copy / "text_encoder" / "model.safetensors.index.json").write_text(json.dumps(listing))
    with pytest.raises(ModelUnavailable, match="lacks 1 of the weights of its part “text_encoder”"):
        loaded(copy)


@pytest.mark.parametrize("kind", ["AudioLDM2Pipeline", "FluxControlPipeline", "FluxInpaintPipeline", "NoSuchPipeline"])
def test_pipelines_of_other_trades_are_refused(tmp_path: Path, kind: str) -> None:
    folder = tiny.stable_diffusion(tmp_path / "model")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": kind}))
    with pytest.raises(ModelUnavailable, match="does not paint from words"):
        loaded(folder)


def test_half_precision_is_the_kind_that_does_not_overflow() -> None:
    def format_of(dtype: torch.dtype) -> torch.dtype:
        return plain.number_format(device.Place(torch.device("cpu"), dtype, "CPU"))

    assert format_of(torch.float16) == torch.bfloat16
    assert format_of(torch.float32) == torch.float32
