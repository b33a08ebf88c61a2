"""Weights from a watermark's folder into its networks: every name and every shape, or a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from generation.engine.building import BUILDING
from generation.engine.watermark.networks import Decoder, Encoder
from generation.errors import ConfigError
from generation.provenance.watermark import DECODER, ENCODER, Card

Network = TypeVar("Network", bound=nn.Module)


def open_encoder(folder: Path, card: Card) -> Encoder:
    """The network that hides bits; raises ConfigError where its file is not what the configuration says."""
    with BUILDING, torch.device("meta"):
        network = Encoder(card.encoder)
    return fitted(network, _read(folder / ENCODER), str(folder / ENCODER))


def open_decoder(folder: Path, card: Card) -> Decoder:
    """The network that reads bits; raises ConfigError where its file is not what the configuration says."""
    with BUILDING, torch.device("meta"):
        network = Decoder(card.decoder)
    return fitted(network, _read(folder / DECODER), str(folder / DECODER))


def fitted(network: Network, tensors: Mapping[str, torch.Tensor], place: str) -> Network:
    """`network` with these weights, ready to use; raises ConfigError unless they are all of them and no others.

    Published weights are in half precision; here everything is painted over in float32.
    """
    wanted = {name: tuple(each.shape) for name, each in network.state_dict().items()}
    missing, surplus = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing:
        raise ConfigError(
            f"“{place}” lacks {len(missing)} of the watermark's {len(wanted)} weights, such as {missing[0]}."
        )
    if surplus:
        raise ConfigError(
            f"“{place}” has {len(surplus)} weights that no watermark of its kind has, such as {surplus[0]}."
        )
    for name, shape in wanted.items():
        if tuple(tensors[name].shape) != shape:
            raise ConfigError(f"“{place}” does not fit: {name} is {tuple(tensors[name].shape)} and should be {shape}.")
        if not torch.isfinite(tensors[name]).all():
            raise ConfigError(f"“{place}” is damaged: {name} has values that are no numbers.")
    floats = {name: each.float() if each.is_floating_point() else each for name, each in tensors.items()}
    with BUILDING:
        network.load_state_dict(floats, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"The watermark's {path} cannot be read; it may be cut off or damaged.") from error
