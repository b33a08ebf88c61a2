"""The two networks are TrustMark's: the published names and shapes, and its own code's outputs.

The numbers were made with the classes Unet1 and SecretDecoder of the package trustmark 0.9.2 (torch 2.13.0, torchvision
0.28.0), with the weights and the picture of `layout`. With random weights of full size the two agree to the last bit.
"""

from __future__ import annotations

import pytest
import torch

from generation.engine.watermark.networks import Decoder, Encoder
from generation.engine.watermark.published import RESIDUAL_NETWORKS
from generation.engine.watermark.weights import fitted
from generation.errors import ConfigError
from generation.provenance.watermark import DecoderPlan, EncoderPlan
from tests.generation.engine.watermark.layout import decoder_shapes, encoder_shapes, formula, waves

BITS = (torch.arange(100) * 7 % 5 < 2).float()[None]


def encoder(side: int = 256, width: int = 32, halvings: int = 4, middle: int = 1, activation: str = "silu") -> Encoder:
    plan = {"side": side, "width": width, "halvings": halvings, "middle": middle, "activation": activation}
    return Encoder(EncoderPlan.model_validate(plan))


def decoder(architecture: str) -> Decoder:
    bottleneck, blocks = RESIDUAL_NETWORKS[architecture]
    return Decoder(DecoderPlan(side=245, inner=224, width=64, bottleneck=bottleneck, blocks=blocks))


def shapes(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(each.shape) for name, each in network.state_dict().items()}


def test_the_published_layout_is_ours() -> None:
    with torch.device("meta"):
        assert shapes(encoder()) == encoder_shapes(32, 4, 1)
        assert shapes(encoder(middle=0, halvings=3)) == encoder_shapes(32, 3, 0)
        assert shapes(decoder("resnet18")) == decoder_shapes(64, bottleneck=False, blocks=[2, 2, 2, 2])
        assert shapes(decoder("resnet50")) == decoder_shapes(64, bottleneck=True, blocks=[3, 4, 6, 3])
    assert len(encoder_shapes(32, 4, 1)) == 38
    assert len(decoder_shapes(64, bottleneck=True, blocks=[3, 4, 6, 3])) == 320


@pytest.mark.parametrize(
    ("values", "spread", "points"),
    [
        (
            {"side": 32, "width": 4, "halvings": 2, "middle": 1, "activation": "silu"},
            0.192007,
            [0.722489, 0.738394, 0.74744, 0.523327, 0.545291, 0.390907, 0.376715],
        ),
        (
            {"side": 64, "width": 8, "halvings": 3, "middle": 2, "activation": "relu"},
            0.192702,
            [0.550825, 0.585725, 0.602142, 0.488392, 0.499789, 0.937193, 0.773256],
        ),
    ],
    ids=["silu", "relu"],
)
def test_the_encoder_draws_what_theirs_draws(values: dict[str, object], spread: float, points: list[float]) -> None:
    plan = EncoderPlan.model_validate(values)
    network = fitted(Encoder(plan), formula(encoder_shapes(plan.width, plan.halvings, plan.middle)), "formula")
    drawn = network(waves(plan.side), BITS)
    assert drawn.shape == (1, 3, plan.side, plan.side)
    assert drawn.std().item() == pytest.approx(spread, abs=1e-4)
    assert drawn.flatten()[:: drawn.numel() // 7][:7].tolist() == pytest.approx(points, abs=1e-4)


@pytest.mark.parametrize(
    ("architecture", "side", "largest", "points"),
    [  # 245 pixels are shrunk to 224 before the network sees them; 96 are not
        (
            "resnet18",
            245,
            9.200119,
            [0.601945, -0.876589, 0.875725, -0.216902, -0.367958, 0.938959, -0.819723],
        ),
        (
            "resnet50",
            96,
            10.468212,
            [-0.739931, 0.891401, -0.838029, 0.967208, -0.873887, 0.91188, -0.696947],
        ),
    ],
    ids=["resnet18", "resnet50"],
)
def test_the_decoder_reads_what_theirs_reads(architecture: str, side: int, largest: float, points: list[float]) -> None:
    network = decoder(architecture)
    fitted(network, formula(shapes(network)), "formula")
    read = network(waves(side))
    assert read.abs().max().item() == pytest.approx(largest, rel=1e-4)
    assert (read / read.abs().max()).flatten()[::15].tolist() == pytest.approx(points, abs=1e-4)


def test_all_weights_are_used_none_is_missing_and_none_is_left_over() -> None:
    layout = formula(encoder_shapes(4, 2, 1))

    def small() -> Encoder:
        return encoder(side=32, width=4, halvings=2)

    network = fitted(small(), layout, "whole")
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, layout[name]), name
    for name in layout:
        lacking = {other: tensor for other, tensor in layout.items() if other != name}
        with pytest.raises(ConfigError, match=f"lacks 1 of the watermark's 26 weights, such as {name}"):
            fitted(small(), lacking, "lacking")
    with pytest.raises(ConfigError, match="has 1 weights that no watermark of its kind has"):
        fitted(small(), layout | {"post.3.conv.bias": torch.zeros(3)}, "surplus")
    with pytest.raises(ConfigError, match=r"pre.conv.bias is \(5,\) and should be \(4,\)"):
        fitted(small(), layout | {"pre.conv.bias": torch.zeros(5)}, "another width")
    with pytest.raises(ConfigError, match=r"pre.conv.bias has values that are no numbers"):
        fitted(small(), layout | {"pre.conv.bias": torch.full((4,), float("nan"))}, "damaged")


def test_half_precision_is_read_in_full() -> None:
    layout = {name: tensor.half() for name, tensor in formula(encoder_shapes(4, 2, 1)).items()}
    network = fitted(encoder(side=32, width=4, halvings=2), layout, "half")
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32}
