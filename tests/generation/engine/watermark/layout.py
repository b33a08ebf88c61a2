"""The layout of TrustMark's published weights, written down by hand from its code; and weights made by a formula."""

from __future__ import annotations

from collections.abc import Mapping

import torch

Shapes = dict[str, tuple[int, ...]]


def encoder_shapes(width: int, halvings: int, middle: int) -> Shapes:
    """Unet1 of the package trustmark: names and shapes."""
    shapes: Shapes = {"secret2image.dense.weight": (768, 100), "secret2image.dense.bias": (768,)}

    def convolution(name: str, made: int, given: int, size: int) -> None:
        shapes[f"{name}.conv.weight"], shapes[f"{name}.conv.bias"] = (made, given, size, size), (made,)

    convolution("pre", width, 6, 3)
    for step in range(halvings):
        convolution(f"enc.{step}", width * 2 ** (step + 1), width * 2**step, 3)
    deepest = width * 2**halvings
    for group in range(middle):
        for block in range(middle):
            for half in range(2):
                convolution(f"middle.{group}.model.{block}.model.{half}", deepest, deepest, 3)
    for step in range(halvings):
        wide, narrow = deepest // 2**step, deepest // 2 ** (step + 1)
        convolution(f"dec.{step}.conv1", narrow, wide, 2)
        convolution(f"dec.{step}.conv2", narrow, 2 * narrow + (6 if step == halvings - 1 else 0), 3)
    convolution("post.0", width, width, 3)
    convolution("post.1", width // 2, width, 1)
    convolution("post.2", 3, width // 2, 1)
    return shapes


def decoder_shapes(width: int, bottleneck: bool, blocks: list[int]) -> Shapes:
    """A residual network as torchvision lays it out, with 100 outputs."""
    shapes: Shapes = {"conv1.weight": (width, 3, 7, 7)}

    def norm(name: str, channels: int) -> None:
        shapes.update({f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")})
        shapes[f"{name}.num_batches_tracked"] = ()

    norm("bn1", width)
    given = width
    for stage, count in enumerate(blocks):
        inner = width * 2**stage
        made = inner * (4 if bottleneck else 1)
        for block in range(count):
            place = f"layer{stage + 1}.{block}"
            sizes = ((inner, given, 1), (inner, inner, 3), (made, inner, 1)) if bottleneck else ()
            for number, (out, into, size) in enumerate(sizes or ((inner, given, 3), (inner, inner, 3)), 1):
                shapes[f"{place}.conv{number}.weight"] = (out, into, size, size)
                norm(f"{place}.bn{number}", out)
            if block == 0 and (stage or given != made):
                shapes[f"{place}.downsample.0.weight"] = (made, given, 1, 1)
                norm(f"{place}.downsample.1", made)
            given = made
    return shapes | {"fc.weight": (100, given), "fc.bias": (100,)}


def formula(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Weights that anybody can make again: waves, numbered in the order of their names."""
    found = {}
    for number, (name, shape) in enumerate(sorted(shapes.items())):
        waves = torch.sin(torch.arange(torch.Size(shape).numel()) * 0.7 + number).view(shape)
        if name.endswith("running_var"):
            found[name] = 1.0 + 0.5 * waves
        elif name.endswith("num_batches_tracked"):
            found[name] = torch.zeros(shape, dtype=torch.int64)
        elif len(shape) > 1:
            found[name] = waves * torch.Size(shape[1:]).numel() ** -0.5
        else:
            found[name] = 0.5 + 0.3 * waves
    return found


def waves(side: int) -> torch.Tensor:
    """A picture in -1 … 1."""
    places = torch.arange(3 * side * side).view(1, 3, side, side)
    return torch.sin(places * 0.013) * torch.cos(places * 0.0007)
