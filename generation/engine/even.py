"""Makes calls of different row counts agree on a CPU, where tiny matrix products round by the number of their rows.

The embedding of the timestep is a product with as many rows as the call; below about eight, the library of matrix
products takes other paths, and the last bit changes. Padded to a fixed number of rows it does not, and costs nothing
beside the rest. Whether calls then agree is not assumed: `measure` looks, and exact mode uses only what agreed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from generation.engine.model import LoadedModel

ROWS = 32  # no denoiser call has more
DONE = "_evened"


def even_out(model: LoadedModel) -> None:
    """Pad the products of one vector a row in the denoiser of `model`, once; nothing happens on a GPU."""
    denoiser: Any = model.denoiser
    if model.place.device.type != "cpu" or getattr(denoiser, DONE, False):
        return
    for layer in denoiser.modules():
        if isinstance(layer, nn.Linear):
            setattr(layer, "forward", _Padded(layer))  # noqa: B010 - a method is replaced, knowingly
    setattr(denoiser, DONE, True)


class _Padded:
    """Calls a linear layer with at least ROWS rows where it is given one vector a row."""

    def __init__(self, layer: nn.Linear) -> None:
        self._layer = layer

    def __call__(self, given: torch.Tensor) -> torch.Tensor:
        layer = self._layer
        if given.ndim != 2 or len(given) >= ROWS:
            return nn.functional.linear(given, layer.weight, layer.bias)
        padded = nn.functional.pad(given, (0, 0, 0, ROWS - len(given)))
        return nn.functional.linear(padded, layer.weight, layer.bias)[: len(given)]
