"""What the denoiser of SDXL is told, against the library's own pipeline."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from generation.engine import device, weights
from generation.engine.model import Ask, LoadedModel
from generation.models import resolve
from tests.generation import tiny

CASES: list[dict[str, Any]] = [
    {"prompt": "a red house on the hill", "negative": "fog", "guidance": 5.0},
    {"prompt": "a red house on the hill", "negative": "", "guidance": 5.0},
    {"prompt": "a red house on the hill", "negative": "fog", "guidance": 0.0},
    {"prompt": "a red house on the hill", "negative": "fog", "guidance": 1.0},
    {"prompt": "a hill", "negative": "fog", "guidance": 5.0, "clip_skip": 1},
]


@pytest.fixture(scope="module", params=["zeros", "empty words", "embedded guidance"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tiny.stable_diffusion_xl(
        tmp_path_factory.mktemp("models") / "tiny-xl",
        zeros=request.param != "empty words",
        embedded_guidance=request.param == "embedded guidance",
    )
    return weights.load(resolve(str(folder)), device.choose("cpu", "auto", 1))


def told(model: LoadedModel, ask: Ask, count: int) -> dict[str, Any]:
    """The keyword arguments of the denoiser's first call in the library's pipeline."""
    seen: list[dict[str, Any]] = []
    denoiser: Any = model.denoiser
    hook = denoiser.register_forward_pre_hook(lambda _, args, kwargs: seen.append(kwargs), with_kwargs=True)
    try:
        model.pipeline(
            ask.prompt,
            negative_prompt=ask.negative or None,
            width=ask.width,
            height=ask.height,
            guidance_scale=ask.guidance,
            clip_skip=ask.clip_skip or None,
            num_images_per_prompt=count,
            num_inference_steps=1,
            output_type="latent",
        )
    finally:
        hook.remove()
    return seen[0]


@pytest.mark.parametrize("case", CASES)
def test_rows_tell_the_denoiser_what_the_pipeline_tells_it(model: LoadedModel, case: dict[str, Any]) -> None:
    ask = Ask(width=96, height=64, **case)
    expected = told(model, ask, 2)
    wording = model.family.word(model, ask)
    guided = ask.guidance > 1 and not model.embedded_guidance
    assert (wording.negative is not None) == guided
    rows = ([wording.negative] * 2 if wording.negative else []) + [wording.positive] * 2
    given = model.family.arguments(rows)
    assert torch.equal(given["encoder_hidden_states"], expected["encoder_hidden_states"])
    for name in ("text_embeds", "time_ids"):
        assert torch.equal(given["added_cond_kwargs"][name], expected["added_cond_kwargs"][name])
        assert given["added_cond_kwargs"][name].dtype == expected["added_cond_kwargs"][name].dtype
    assert ("timestep_cond" in given) == model.embedded_guidance
    if model.embedded_guidance:
        assert torch.equal(given["timestep_cond"], expected["timestep_cond"])


def test_a_picture_from_rows_is_the_pipeline_s(model: LoadedModel) -> None:
    ask = Ask(prompt="a red house", negative="fog", width=64, height=64, guidance=5.0)
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    wording = model.family.word(model, ask)
    rows = ([wording.negative] if wording.negative else []) + [wording.positive]
    outputs: list[torch.Tensor] = []
    denoiser: Any = model.denoiser
    hook = denoiser.register_forward_hook(lambda _, args, output: outputs.append(output[0]))
    model.pipeline(
        "a red house", negative_prompt="fog", width=64, height=64, guidance_scale=5.0, num_inference_steps=1,
        latents=latents, output_type="latent",
    )  # fmt: skip
    hook.remove()
    scheduler = model.pipeline.scheduler
    scheduler.set_timesteps(1)
    given = torch.cat([scheduler.scale_model_input(latents * scheduler.init_noise_sigma, scheduler.timesteps[0])])
    with torch.no_grad():
        found = denoiser(
            given.repeat(len(rows), 1, 1, 1), scheduler.timesteps[0], **model.family.arguments(rows), return_dict=False
        )[0]
    assert torch.equal(found, outputs[0])


def test_long_and_stressed_prompts_keep_one_pooled_state(model: LoadedModel) -> None:
    def word(prompt: str) -> Any:
        return model.family.word(model, Ask(prompt=prompt, negative="fog", width=64, height=64, guidance=5.0))

    short, long, heavy = word("a red house, " * 10), word("a red house, " * 30), word("a (red) house, " * 10)
    assert short.positive.hidden.shape == (77, 80)
    assert long.positive.hidden.shape == (154, 80)
    assert long.positive.extra["text_embeds"].shape == short.positive.extra["text_embeds"].shape == (24,)
    assert torch.equal(heavy.positive.extra["text_embeds"], short.positive.extra["text_embeds"])
    assert not torch.equal(heavy.positive.hidden, short.positive.hidden)
    if long.negative is not None:
        assert long.negative.hidden.shape == long.positive.hidden.shape


def test_sizes_may_differ_from_row_to_row(model: LoadedModel) -> None:
    rows = [
        model.family.word(model, Ask(prompt="a hill", negative="", width=width, height=64, guidance=0.0)).positive
        for width in (64, 128)
    ]
    sizes = model.family.arguments(rows)["added_cond_kwargs"]["time_ids"]
    assert sizes.tolist() == [[64, 64, 0, 0, 64, 64], [64, 128, 0, 0, 64, 128]]
