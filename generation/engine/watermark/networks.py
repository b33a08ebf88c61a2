"""The two networks of TrustMark, with parameters under the names that its published weights have."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from generation.provenance.payload import BITS
from generation.provenance.watermark import DecoderPlan, EncoderPlan

SEED_SIDE, SEED_CHANNELS = 16, 3  # the small picture that the bits become first
EXPANSION = 4  # of a bottleneck block: how many times as wide it ends

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "silu": functional.silu,
    "tanh": torch.tanh,
}


class Encoder(nn.Module):
    """Draws a square picture that looks like the given one and holds 100 bits: a U-Net over picture and bits."""

    def __init__(self, plan: EncoderPlan) -> None:
        super().__init__()
        widths = [plan.width * 2**halving for halving in range(plan.halvings + 1)]
        self.secret2image = _Seed(plan.side)
        entry = 3 + SEED_CHANNELS
        self.pre = _Convolution(entry, plan.width, 3, plan.activation)
        self.enc = nn.ModuleList(_Convolution(one, two, 3, "relu", stride=2) for one, two in pairwise(widths))
        self.middle = nn.ModuleList(_Residuals(widths[-1], plan.middle, plan.activation) for _ in range(plan.middle))
        self.dec = nn.ModuleList(
            # the last one sees the picture and the bits once more
            _Doubling(wide, narrow, narrow + (entry if narrow == plan.width else 0), plan.activation)
            for narrow, wide in reversed(list(pairwise(widths)))
        )
        self.post = nn.Sequential(
            _Convolution(plan.width, plan.width, 3, plan.activation),
            _Convolution(plan.width, plan.width // 2, 1, "silu"),
            _Convolution(plan.width // 2, 3, 1, "tanh"),
        )

    def forward(self, image: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, side, side) in -1 … 1 and bits (n, 100), 0 or 1, to marked pictures."""
        given = torch.cat([image, self.secret2image(bits)], dim=1)
        x = self.pre(given)
        passed = [given]
        for narrowing in self.enc:
            passed.append(x)
            x = narrowing(x)
        for block in self.middle:
            x = block(x)
        for doubling in self.dec:
            aside = passed.pop()
            x = doubling(x, aside if len(passed) > 1 else torch.cat([aside, passed.pop()], dim=1))
        return cast(torch.Tensor, self.post(x))


class Decoder(nn.Module):
    """Reads 100 bits from a picture: the residual network of He et al. (arXiv 1512.03385), stride in the 3 × 3."""

    def __init__(self, plan: DecoderPlan) -> None:
        super().__init__()
        kind = _Bottleneck if plan.bottleneck else _Basic
        self._inner = plan.inner
        self.conv1 = nn.Conv2d(3, plan.width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(plan.width)
        channels = plan.width
        for stage, count in enumerate(plan.blocks):
            inner = plan.width * 2**stage
            blocks = nn.Sequential()
            for index in range(count):
                blocks.append(kind(channels, inner, 2 if stage and not index else 1))
                channels = inner * (EXPANSION if plan.bottleneck else 1)
            self.add_module(f"layer{stage + 1}", blocks)
        self.fc = nn.Linear(channels, BITS)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, height, width) in -1 … 1 to one number a bit (n, 100); above 0 it is a one."""
        if min(image.shape[-2:]) > self._inner:
            image = functional.interpolate(image, size=(self._inner, self._inner), mode="bilinear")
        x = functional.relu(self.bn1(self.conv1(image)))
        x = functional.max_pool2d(x, 3, 2, 1)
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return cast(torch.Tensor, self.fc(x.mean(dim=(2, 3))))


class _Convolution(nn.Module):
    def __init__(
        self, given: int, made: int, size: int, activation: str, *, stride: int = 1, padding: int = -1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, made, size, stride, size // 2 if padding < 0 else padding)
        self._activation = ACTIVATIONS.get(activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return x if self._activation is None else self._activation(x)


class _Seed(nn.Module):
    """Bits as a small picture, magnified to whole squares."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.dense = nn.Linear(BITS, SEED_SIDE * SEED_SIDE * SEED_CHANNELS)
        self._scale = side // SEED_SIDE

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        small = self.dense(bits).view(-1, SEED_CHANNELS, SEED_SIDE, SEED_SIDE)
        return functional.relu(functional.interpolate(small, scale_factor=self._scale))


class _Residuals(nn.Module):
    def __init__(self, channels: int, count: int, activation: str) -> None:
        super().__init__()
        self.model = nn.Sequential(*(_Residual(channels, activation) for _ in range(count)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.model(x))


class _Residual(nn.Module):
    def __init__(self, channels: int, activation: str) -> None:
        super().__init__()
        self.model = nn.Sequential(
            _Convolution(channels, channels, 3, activation), _Convolution(channels, channels, 3, "none")
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + cast(torch.Tensor, self.model(x))


class _Doubling(nn.Module):
    """Twice as large, half as wide, together with what was put aside on the way down."""

    def __init__(self, given: int, made: int, aside: int, activation: str) -> None:
        super().__init__()
        self.conv1 = _Convolution(given, made, 2, activation, padding=0)
        self.conv2 = _Convolution(made + aside, made, 3, activation)

    def forward(self, x: torch.Tensor, aside: torch.Tensor) -> torch.Tensor:
        larger = functional.pad(functional.interpolate(x, scale_factor=2), (0, 1, 0, 1))
        return cast(torch.Tensor, self.conv2(torch.cat([self.conv1(larger), aside], dim=1)))


class _Basic(nn.Module):
    """Two convolutions of 3 × 3, and the way past them."""

    def __init__(self, given: int, made: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, made, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(made)
        self.conv2 = nn.Conv2d(made, made, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(made)
        self.downsample = _past(given, made, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        past = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(x)) + past)


class _Bottleneck(nn.Module):
    """Narrow, convolve, widen; and the way past that."""

    def __init__(self, given: int, inner: int, stride: int) -> None:
        super().__init__()
        made = inner * EXPANSION
        self.conv1 = nn.Conv2d(given, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, made, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(made)
        self.downsample = _past(given, made, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        past = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.relu(self.bn3(self.conv3(x)) + past)


def _past(given: int, made: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and given == made:
        return None
    return nn.Sequential(nn.Conv2d(given, made, 1, stride, bias=False), nn.BatchNorm2d(made))
