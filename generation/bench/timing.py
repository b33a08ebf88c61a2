"""Seconds of one piece of work, measured again and again until a budget is spent."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

LEAST = 3  # measurements, whatever the budget


def seconds_of(
    work: Callable[[], object], device: torch.device, *, budget: float, warm: int = 1, least: int = LEAST
) -> float:
    """The median of what `work` takes on `device`; about `budget` seconds are spent, the warm-up not counted."""
    for _ in range(warm):
        work()
    _wait(device)
    taken: list[float] = []
    end = time.perf_counter() + budget
    while len(taken) < least or (time.perf_counter() < end and len(taken) < 1000):
        began = time.perf_counter()
        work()
        _wait(device)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
