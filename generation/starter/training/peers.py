"""Several processes that train one model: each computes gradients on its own pictures, all take the same step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn


class Peers:
    """Averages gradients among processes; one process alone needs no averaging."""

    def __init__(self, rank: int, count: int, meeting: Path | None = None) -> None:
        self.rank = rank
        self.count = count
        self._buffer = torch.empty(0)
        if count > 1:
            dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)

    def average(self, params: Sequence[nn.Parameter], *, stop: bool) -> bool:
        """Replace every gradient by the mean over all processes; true when any process wants to `stop`."""
        if self.count == 1:
            return stop
        grads = [param.grad for param in params if param.grad is not None]
        size = sum(grad.numel() for grad in grads) + 1
        if self._buffer.numel() != size:
            self._buffer = torch.empty(size)
        start = 0
        for grad in grads:
            self._buffer[start : start + grad.numel()].copy_(grad.reshape(-1))
            start += grad.numel()
        self._buffer[start] = float(stop)
        dist.all_reduce(self._buffer)
        start = 0
        for grad in grads:
            grad.copy_(self._buffer[start : start + grad.numel()].view(grad.shape)).div_(self.count)
            start += grad.numel()
        return bool(self._buffer[start] > 0)

    def part(self) -> None:
        """Leave the group."""
        if self.count > 1:
            dist.destroy_process_group()
