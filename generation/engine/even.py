"""Makes calls of different row counts agree on a CPU, where tiny matrix products round by the number of their vectors.

Below about eight vectors, the library of matrix products takes other paths, and the last bit changes. Few they are
where a row gives one (the embedding of the timestep) and where it gives a handful (the innermost layers of a small
picture). In float32 that shows at once; in bfloat16 it shows in one element of ten thousand, too few to be seen in
every measurement. So all of them are padded to a fixed number, which costs nothing beside the rest. Whether calls then
agree is not assumed: `measure` looks, and exact mode uses only what agreed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from generation.engine.model import LoadedModel

VECTORS = 32  # of the smallest product
DONE = "_evened"


def even_out(model: LoadedModel) -> None:
    """Pad the products of few vectors in the denoiser of `model`, once; nothing happens on a GPU."""
    denoiser: Any = model.denoiser
    if model.place.device.type != "cpu" or getattr(denoiser, DONE, False):
        return
    for layer in denoiser.modules():
        if isinstance(layer, nn.Linear):
            setattr(layer, "forward", _Padded(layer))  # noqa: B010 - a method is replaced, knowingly
    setattr(denoiser, DONE, True)


class _Padded:
    """Calls a linear layer with at least VECTORS vectors."""

    def __init__(self, layer: nn.Linear) -> None:
        self._layer = layer

    def __call__(self, given: torch.Tensor) -> torch.Tensor:
        layer = self._layer
        count = given.shape[:-1].numel()
        if count >= VECTORS:
            return nn.functional.linear(given, layer.weight, layer.bias)
        padded = nn.functional.pad(given.reshape(count, layer.in_features), (0, 0, 0, VECTORS - count))
        product = nn.functional.linear(padded, layer.weight, layer.bias)[:count]
        return product.reshape(*given.shape[:-1], layer.out_features)
