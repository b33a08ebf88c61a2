"""The denoising loop against the library's own pipelines, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from generation.engine import device, noise, samplers, weights
from generation.engine.painter import Painter
from generation.errors import Cancelled
from generation.models import resolve
from generation.options import SAMPLERS
from generation.request import Request, Variation
from tests.generation.tiny import SIDE, stable_diffusion

CASES = [("tiny", sampler) for sampler in SAMPLERS] + [("starter", "dpmpp_2m"), ("starter", "euler_a")]


@pytest.fixture(scope="module")
def place() -> device.Place:
    return device.choose("cpu", "auto", 1)


@pytest.fixture(scope="module")
def starter(place: device.Place) -> weights.LoadedModel:
    return weights.load(resolve("starter"), place)


@pytest.fixture(scope="module")
def tiny(tiny_model: Path, place: device.Place) -> weights.LoadedModel:
    return weights.load(resolve(str(tiny_model)), place)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> weights.LoadedModel:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def paint(model: weights.LoadedModel, request: Request, picture: Image.Image | None = None) -> torch.Tensor:
    return Painter(model).paint(request, picture, on_step=lambda *_: None, stop=lambda: False)


def library(model: weights.LoadedModel, request: Request, picture: Image.Image | None = None) -> torch.Tensor:
    kind = StableDiffusionPipeline if picture is None else StableDiffusionImg2ImgPipeline
    pipeline: Any = kind(
        vae=model.vae,
        unet=model.unet,
        text_encoder=model.text_encoder,
        tokenizer=model.tokenizer,
        scheduler=samplers.build(request.sampler, model.sampler_config, request.steps),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    shape: dict[str, Any] = {"height": request.height, "width": request.width}
    if picture is not None:
        shape = {"image": [picture] * request.count, "strength": request.strength}
    latents: torch.Tensor = pipeline(
        [request.prompt] * request.count,
        negative_prompt=[request.negative] * request.count,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance,
        generator=[noise.generator(request.seed + i) for i in range(request.count)],
        output_type="latent",
        **shape,
    ).images
    return latents


def sized(model: weights.LoadedModel, wish: Callable[..., Request], **changes: Any) -> Request:
    side = min(model.card.native, 128)
    return wish(**{"width": side, "height": side, "model": model.card.name} | changes)


@pytest.mark.parametrize(("model", "sampler"), CASES, indirect=["model"])
@pytest.mark.parametrize("guidance", [0.0, 4.0])
def test_text_to_image_equals_the_library(
    model: weights.LoadedModel, wish: Callable[..., Request], sampler: str, guidance: float
) -> None:
    request = sized(model, wish, sampler=sampler, guidance=guidance, negative="green", steps=3)
    assert torch.equal(paint(model, request), library(model, request))


@pytest.mark.parametrize(("model", "sampler"), CASES, indirect=["model"])
def test_image_to_image_equals_the_library(
    model: weights.LoadedModel, wish: Callable[..., Request], sampler: str
) -> None:
    request = sized(model, wish, sampler=sampler, image="0" * 64, strength=0.6, steps=5)
    picture = Image.radial_gradient("L").resize((request.width, request.height)).convert("RGB")
    assert torch.equal(paint(model, request, picture), library(model, request, picture))


@pytest.mark.parametrize("model", ["tiny", "starter"], indirect=True)
def test_a_set_of_pictures_equals_the_library_with_a_generator_for_each(
    model: weights.LoadedModel, wish: Callable[..., Request]
) -> None:
    request = sized(model, wish, sampler="euler_a", count=3)
    assert torch.equal(paint(model, request), library(model, request))


def test_oblong_pictures_equal_the_library(tiny: weights.LoadedModel, wish: Callable[..., Request]) -> None:
    request = sized(tiny, wish, width=96, height=64)
    assert torch.equal(paint(tiny, request), library(tiny, request))


def test_guidance_as_an_input_equals_the_library(
    tmp_path: Path, place: device.Place, wish: Callable[..., Request]
) -> None:
    model = weights.load(resolve(str(stable_diffusion(tmp_path / "lcm", embedded_guidance=True))), place)
    assert model.card.guidance == 8.5
    request = sized(model, wish, guidance=8.5, sampler="lcm")
    assert torch.equal(paint(model, request), library(model, request))


def test_only_the_share_of_steps_that_strength_asks_for_is_taken(
    tiny: weights.LoadedModel, wish: Callable[..., Request]
) -> None:
    seen: list[tuple[int, int]] = []
    picture = Image.new("RGB", (SIDE * 2, SIDE), "teal")  # also of another shape than asked for
    for strength, steps in ((0.5, 5), (0.05, 1), (1.0, 10)):
        seen.clear()
        request = sized(tiny, wish, image="0" * 64, strength=strength, steps=10)
        Painter(tiny).paint(request, picture, on_step=lambda step, of, _: seen.append((step, of)), stop=lambda: False)
        assert seen == [(step, steps) for step in range(1, steps + 1)]


def test_heun_reports_each_of_its_double_steps_once(tiny: weights.LoadedModel, wish: Callable[..., Request]) -> None:
    seen: list[tuple[int, int]] = []
    request = sized(tiny, wish, sampler="heun", steps=5)
    Painter(tiny).paint(request, None, on_step=lambda step, of, _: seen.append((step, of)), stop=lambda: False)
    assert seen == [(step, 5) for step in range(1, 6)]


def test_cancel_takes_effect_between_steps(tiny: weights.LoadedModel, wish: Callable[..., Request]) -> None:
    seen: list[int] = []
    request = sized(tiny, wish, steps=10)
    with pytest.raises(Cancelled):
        Painter(tiny).paint(request, None, on_step=lambda step, *_: seen.append(step), stop=lambda: len(seen) == 3)
    assert seen == [1, 2, 3]


def test_a_variation_changes_the_picture_by_its_strength(
    starter: weights.LoadedModel, wish: Callable[..., Request]
) -> None:
    plain = paint(starter, wish(width=128, height=128))
    moved = [
        paint(starter, wish(width=128, height=128, variations=(Variation(99, share),))) for share in (0.0, 0.2, 0.6)
    ]
    distances = [float((plain - other).square().mean()) for other in moved]
    assert distances[0] == 0.0
    assert 0.0 < distances[1] < distances[2]


def test_picture_i_of_a_set_starts_like_its_single(starter: weights.LoadedModel, wish: Callable[..., Request]) -> None:
    request = wish(width=128, height=128, count=3, variations=(Variation(5, 0.3),), sampler="euler_a")
    together = paint(starter, request)
    alone = paint(starter, request.single(2))
    assert float((together[2] - alone[0]).abs().max()) < 1e-3  # other batch, other rounding, same picture


@pytest.mark.parametrize("name", SAMPLERS)
def test_previews_aim_at_the_final_picture(
    starter: weights.LoadedModel, wish: Callable[..., Request], name: str
) -> None:
    aims: list[torch.Tensor] = []
    final = Painter(starter).paint(
        wish(width=128, height=128, sampler=name, steps=8),
        None,
        on_step=lambda *step: aims.append(step[2].clone()),
        stop=lambda: False,
    )
    errors = [float((aim - final).square().mean().sqrt()) for aim in aims]
    assert len(aims) == 8
    assert errors[-1] < 0.5 * errors[0]
    assert errors[-1] < 0.35  # latents have a spread of about one
