"""Rows against the library's own pipelines: bit for bit with its sampler objects, closely with tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from generation.engine import device, noise, samplers, weights
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.models import resolve
from generation.options import FLOW, SAMPLERS
from generation.request import Request, Variation
from tests.generation.engine.easel import EXACT, FAST, OBJECTS, easel, painted, png
from tests.generation.tiny import SIDE, stable_diffusion

OFFERED = [name for name in SAMPLERS if name != FLOW]  # it fits no model of these families
CASES = [("tiny", sampler) for sampler in OFFERED] + [("starter", "dpmpp_2m"), ("starter", "euler_a")]
CLOSE = 1e-4  # of the latents' root mean square


@pytest.fixture(scope="module")
def place() -> device.Place:
    return device.choose("cpu", "auto", 1)


@pytest.fixture(scope="module")
def starter(place: device.Place) -> LoadedModel:
    return weights.load(resolve("starter"), place)


@pytest.fixture(scope="module")
def tiny(tiny_model: Path, place: device.Place) -> LoadedModel:
    return weights.load(resolve(str(tiny_model)), place)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> LoadedModel:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def paint(
    model: LoadedModel, request: Request, picture: Image.Image | None = None, options: EngineOptions = OBJECTS
) -> torch.Tensor:
    return painted(model, request, options=options, image=png(picture) if picture is not None else None)[0]


def close(latents: torch.Tensor, wanted: torch.Tensor) -> bool:
    return float((latents - wanted).abs().max()) <= CLOSE * float(wanted.square().mean().sqrt())


def library(model: LoadedModel, request: Request, picture: Image.Image | None = None) -> torch.Tensor:
    kind = StableDiffusionPipeline if picture is None else StableDiffusionImg2ImgPipeline
    pipeline: Any = kind(
        vae=model.vae,
        unet=model.denoiser,
        text_encoder=model.text_encoders[0],
        tokenizer=model.tokenizers[0],
        scheduler=samplers.build(request.sampler, model.sampler_config, request.steps),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    shape: dict[str, Any] = {"height": request.height, "width": request.width}
    if picture is not None:
        shape = {"image": [picture] * request.count, "strength": request.strength}
    # The library hands the encoder's memory layout on to the denoiser, which then rounds differently; rows never do.
    prepare = pipeline.prepare_latents
    pipeline.prepare_latents = lambda *args, **kwargs: prepare(*args, **kwargs).contiguous()
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


def sized(model: LoadedModel, wish: Callable[..., Request], **changes: Any) -> Request:
    side = min(model.card.native, 128)
    return wish(**{"width": side, "height": side, "model": model.card.name} | changes)


@pytest.mark.parametrize(("model", "sampler"), CASES, indirect=["model"])
@pytest.mark.parametrize("guidance", [0.0, 4.0])
def test_text_to_image_equals_the_library(
    model: LoadedModel, wish: Callable[..., Request], sampler: str, guidance: float
) -> None:
    request = sized(model, wish, sampler=sampler, guidance=guidance, negative="green", steps=3)
    wanted = library(model, request)
    assert torch.equal(paint(model, request), wanted)
    assert close(paint(model, request, options=FAST), wanted)


@pytest.mark.parametrize(("model", "sampler"), CASES, indirect=["model"])
def test_image_to_image_equals_the_library(model: LoadedModel, wish: Callable[..., Request], sampler: str) -> None:
    request = sized(model, wish, sampler=sampler, image="0" * 64, strength=0.6, steps=5)
    picture = Image.radial_gradient("L").resize((request.width, request.height)).convert("RGB")
    wanted = library(model, request, picture)
    assert torch.equal(paint(model, request, picture), wanted)
    assert close(paint(model, request, picture, FAST), wanted)


@pytest.mark.parametrize("model", ["tiny", "starter"], indirect=True)
def test_a_set_of_pictures_equals_the_library_with_a_generator_for_each(
    model: LoadedModel, wish: Callable[..., Request]
) -> None:
    request = sized(model, wish, sampler="euler_a", count=3)
    assert torch.equal(paint(model, request), library(model, request))


def test_oblong_pictures_equal_the_library(tiny: LoadedModel, wish: Callable[..., Request]) -> None:
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
    tiny: LoadedModel, wish: Callable[..., Request]
) -> None:
    picture = png(Image.new("RGB", (SIDE * 2, SIDE), "teal"))  # also of another shape than asked for
    for strength, steps in ((0.5, 5), (0.05, 1), (1.0, 10)):
        subject = easel(tiny)
        subject.submit(0, sized(tiny, wish, image="0" * 64, strength=strength, steps=10), picture)
        subject.run()
        assert [(told.step, told.steps) for told in subject.progress[0]] == [(n, steps) for n in range(1, steps + 1)]


def test_a_sampler_that_looks_twice_a_step_counts_steps_as_members_do(
    tiny: LoadedModel, wish: Callable[..., Request]
) -> None:
    subject = easel(tiny)
    subject.submit(0, sized(tiny, wish, sampler="heun", steps=5))
    subject.run()
    steps = [told.step for told in subject.progress[0]]
    assert sorted(set(steps)) == [1, 2, 3, 4, 5]
    assert steps == sorted(steps)


def test_a_variation_changes_the_picture_by_its_strength(starter: LoadedModel, wish: Callable[..., Request]) -> None:
    plain = paint(starter, wish(width=128, height=128))
    moved = [
        paint(starter, wish(width=128, height=128, variations=(Variation(99, share),))) for share in (0.0, 0.2, 0.6)
    ]
    distances = [float((plain - other).square().mean()) for other in moved]
    assert distances[0] == 0.0
    assert 0.0 < distances[1] < distances[2]


def test_picture_i_of_a_set_starts_like_its_single(starter: LoadedModel, wish: Callable[..., Request]) -> None:
    request = wish(width=128, height=128, count=3, variations=(Variation(5, 0.3),), sampler="euler_a")
    together = paint(starter, request)
    alone = paint(starter, request.single(2))
    assert close(together[2], alone[0])  # other rows, other rounding, same picture
    exactly = paint(starter, request, options=EXACT)
    assert torch.equal(exactly[2], paint(starter, request.single(2), options=EXACT)[0])


@pytest.mark.parametrize("name", OFFERED)
def test_previews_aim_at_the_final_picture(starter: LoadedModel, wish: Callable[..., Request], name: str) -> None:
    subject, aims = easel(starter), list[torch.Tensor]()
    subject.submit(0, wish(width=128, height=128, sampler=name, steps=8))
    while subject.engine.tick():
        flights = list(subject.lane._flights)
        if flights and flights[0].done:
            aim = subject.lane.clean(flights[0])
            assert aim is not None
            aims.append(aim.clone())
    final = subject.latents(0)[0]
    errors = [float((aim - final).square().mean().sqrt()) for aim in aims]
    assert errors[-1] < 0.5 * errors[0]
    assert errors[-1] < 0.35  # latents have a spread of about one


COMPANY = [
    {"sampler": "euler_a", "steps": 4, "guidance": 6.0, "seed": 2},
    {"sampler": "unipc", "steps": 3, "guidance": 0.0, "seed": 3},
    {"sampler": "dpmpp_2m_sde", "steps": 6, "negative": "fog", "seed": 4},
    {"sampler": "heun", "steps": 2, "count": 2, "seed": 5},
    {"sampler": "lcm", "steps": 2, "guidance": 1.0, "seed": 6},
    {"sampler": "ddim", "steps": 5, "image": "0" * 64, "strength": 0.5, "seed": 7},
]


@pytest.mark.parametrize("model", ["tiny", "starter"], indirect=True)
def test_exact_mode_gives_the_same_bits_alone_and_in_any_company(
    model: LoadedModel, wish: Callable[..., Request]
) -> None:
    requests = [sized(model, wish, **changes) for changes in COMPANY]
    picture = png(Image.radial_gradient("L").convert("RGB"))
    alone = [painted(model, request, options=EXACT, image=picture)[0] for request in requests]
    for order in (range(len(requests)), range(len(requests))[::-1]):
        together = painted(model, *(requests[place] for place in order), options=EXACT, image=picture)
        for latents, place in zip(together, order, strict=True):
            assert torch.equal(latents, alone[place]), COMPANY[place]


def test_joining_late_changes_nothing_either(tiny: LoadedModel, wish: Callable[..., Request]) -> None:
    early, late = sized(tiny, wish, steps=6, seed=8), sized(tiny, wish, steps=3, sampler="euler_a", seed=9)
    alone = [painted(tiny, request, options=EXACT)[0] for request in (early, late)]
    subject = easel(tiny, EXACT)
    subject.submit(0, early)
    for _ in range(3):
        subject.engine.tick()
    subject.submit(1, late)
    subject.run()
    assert torch.equal(subject.latents(0), alone[0])
    assert torch.equal(subject.latents(1), alone[1])
    assert max(subject.engine.counts.rows, 1) > subject.engine.counts.calls  # they did share calls


def test_pictures_with_and_without_guidance_share_calls(tiny: LoadedModel, wish: Callable[..., Request]) -> None:
    subject = easel(tiny)
    for number, guidance in enumerate((0.0, 5.0, 1.0)):
        subject.submit(number, sized(tiny, wish, guidance=guidance, steps=3))
    subject.run()
    assert subject.engine.counts.calls == 3
    assert subject.engine.counts.rows == 3 * (1 + 2 + 1)


def test_the_layout_of_memory_changes_no_more_than_the_last_bits(
    tiny_model: Path, place: device.Place, wish: Callable[..., Request]
) -> None:
    own = weights.load(resolve(str(tiny_model)), place)  # its layout is changed in place
    request = sized(own, wish, sampler="euler_a")
    before = paint(own, request, options=FAST)
    assert close(paint(own, request, options=replace(FAST, channels_last="on")), before)
