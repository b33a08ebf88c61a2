"""The written-out configurations are the architectures they claim to be."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from generation.bench.architectures import assemble, build, denoiser_inputs
from generation.bench.configurations import ARCHITECTURES, architecture
from generation.engine.device import Place
from generation.errors import BadRequest

META = Place(torch.device("meta"), torch.float32, "nowhere")
CPU = Place(torch.device("cpu"), torch.float32, "CPU")


@pytest.mark.parametrize(
    ("name", "millions"), [("sd15", 859.5), ("sd-turbo", 865.9), ("sdxl", 2567.5), ("small", 0.88)]
)
def test_parameters_and_shapes(name: str, millions: float):
    shape = ARCHITECTURES[name]
    pipeline = assemble(shape, META)
    assert sum(weight.numel() for weight in pipeline.unet.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
    side = shape.native // pipeline.vae_scale_factor
    given = denoiser_inputs(pipeline.unet, META, 2, (side, side))
    assert pipeline.unet(**given)[0].shape == (2, 4, side, side)
    assert pipeline.vae.decode(given["sample"]).sample.shape == (2, 3, shape.native, shape.native)
    widths = [encoder.config.hidden_size for encoder in (pipeline.text_encoder,)]
    if name == "sdxl":
        widths.append(pipeline.text_encoder_2.config.hidden_size)
    assert sum(widths) == pipeline.unet.config.cross_attention_dim


def test_the_small_one_is_always_the_same_and_its_output_is_as_large_as_noise():
    models = [build("small", CPU) for _ in range(2)]
    outputs = []
    for model in models:
        denoiser: Any = model.denoiser
        with torch.inference_mode():
            outputs.append(denoiser(**denoiser_inputs(denoiser, CPU, 2, (8, 8)))[0])
    assert torch.equal(*outputs)
    assert 0.3 < outputs[0].std() < 3.0
    assert models[0].cell == 8


def test_an_unknown_architecture_names_the_nearest():
    with pytest.raises(BadRequest, match="did you mean sd15"):
        architecture("sd1.5")
    with pytest.raises(BadRequest, match="choose one of sd15"):
        architecture("\0" * 1000)
