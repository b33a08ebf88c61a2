"""What the denoiser of Stable Diffusion 1 and 2 is told, against the library's own pipeline."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from generation.engine import device, weights
from generation.engine.model import Ask, LoadedModel
from generation.models import resolve
from tests.generation import tiny


@pytest.fixture(scope="module", params=[False, True], ids=["guided", "embedded guidance"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tiny.stable_diffusion(tmp_path_factory.mktemp("models") / "tiny", embedded_guidance=request.param)
    return weights.load(resolve(str(folder)), device.choose("cpu", "auto", 1))


@pytest.mark.parametrize("guidance", [7.0, 1.0, 0.0])
@pytest.mark.parametrize("negative", ["fog", ""])
def test_rows_tell_the_denoiser_what_the_pipeline_tells_it(model: LoadedModel, guidance: float, negative: str) -> None:
    seen: list[dict[str, Any]] = []
    denoiser: Any = model.denoiser
    hook = denoiser.register_forward_pre_hook(lambda _, args, kwargs: seen.append(kwargs), with_kwargs=True)
    model.pipeline(
        "a red house", negative_prompt=negative, width=64, height=64, guidance_scale=guidance, num_inference_steps=1,
        num_images_per_prompt=3, output_type="latent",
    )  # fmt: skip
    hook.remove()
    ask = Ask(prompt="a red house", negative=negative, width=64, height=64, guidance=guidance)
    wording = model.family.word(model, ask)
    rows = ([wording.negative] * 3 if wording.negative else []) + [wording.positive] * 3
    given = model.family.arguments(rows)
    assert torch.equal(given["encoder_hidden_states"], seen[0]["encoder_hidden_states"])
    assert ("timestep_cond" in given) == model.embedded_guidance
    if model.embedded_guidance:
        assert torch.equal(given["timestep_cond"], seen[0]["timestep_cond"])


def test_the_width_of_the_guidance_input_is_the_denoiser_s(model: LoadedModel) -> None:
    ask = Ask(prompt="a hill", negative="", width=64, height=64, guidance=8.5)
    extra = model.family.word(model, ask).positive.extra
    assert {name: tuple(value.shape) for name, value in extra.items()} == (
        {"timestep_cond": (32,)} if model.embedded_guidance else {}
    )
