"""A small network, trained on renders only, that reads from a picture what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from generation.starter.world import COLORS, MAX_COUNT, SCENES, SKYLESS, STYLES, THINGS, TIMES, WEATHERS, Spec

READER_SIDE = 128  # pixels along one side of what the reader looks at
UNKNOWN = -1  # label of an attribute that a picture does not have
WIDTHS = ((3, 32, 2), (32, 48, 1), (48, 64, 2), (64, 64, 1), (64, 96, 2), (96, 96, 1), (96, 160, 2), (160, 160, 1))
CHOICES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "thing": tuple(THINGS),
        "color": tuple(COLORS),
        "count": tuple(str(count) for count in range(MAX_COUNT + 1)),
        "scene": SCENES,
        "style": STYLES,
        "time": TIMES,
        "weather": WEATHERS,
        "backdrop": tuple(COLORS),
    }
)


class Reader(nn.Module):
    """Eight convolutions, then one linear answer per attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*(_layer(*width) for width in WIDTHS))
        seen = 2 * WIDTHS[-1][1]
        self.heads = nn.ModuleDict({name: nn.Linear(seen, len(choices)) for name, choices in CHOICES.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Scores of every choice, by attribute; `x` as `prepared` makes it."""
        features = self.features(x)
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)
        return {name: head(pooled) for name, head in self.heads.items()}

    @torch.inference_mode()
    def read(self, pictures: Sequence[NDArray[np.uint8]]) -> list[dict[str, str]]:
        """The likeliest choice of every attribute, for each picture of any size."""
        found: list[dict[str, str]] = []
        for start in range(0, len(pictures), 64):
            scores = self(prepared(np.stack([shrunk(picture) for picture in pictures[start : start + 64]])))
            best = {name: answer.argmax(1).tolist() for name, answer in scores.items()}
            size = len(pictures[start : start + 64])
            found += [{name: CHOICES[name][best[name][row]] for name in CHOICES} for row in range(size)]
        return found


def _layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`picture` at the reader's size."""
    small = Image.fromarray(picture).resize((READER_SIDE, READER_SIDE), Image.Resampling.BOX)
    return np.asarray(small)


def prepared(pictures: NDArray[np.uint8]) -> Tensor:
    """Bytes, N x H x W x 3, as the network takes them."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    return x.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def truth(spec: Spec) -> dict[str, str | None]:
    """What a reader ought to find, by attribute; None where the picture does not have it."""
    alone = spec.groups[0] if len(spec.groups) == 1 else None
    return {
        "thing": alone.thing if alone else None,
        "color": alone.color if alone else None,
        "count": str(sum(group.count for group in spec.groups)),
        "scene": spec.scene,
        "style": spec.style,
        "time": None if spec.scene in SKYLESS else spec.time,
        "weather": spec.weather,
        "backdrop": spec.backdrop if spec.scene == "plain" else None,
    }


def label(name: str, value: str | None) -> int:
    """The number of `value` among the choices of attribute `name`."""
    return UNKNOWN if value is None else CHOICES[name].index(value)


def save_reader(reader: Reader, path: Path) -> None:
    """Write the weights in half precision."""
    save_file({name: value.half().contiguous() for name, value in reader.state_dict().items()}, path)


def load_reader(path: Path) -> Reader:
    """A reader ready to read."""
    reader = Reader()
    reader.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return channels_last(reader).eval()


def channels_last(reader: Reader) -> Reader:
    """Convolutions run faster in this order of memory."""
    module: Any = reader
    return cast(Reader, module.to(memory_format=torch.channels_last))
