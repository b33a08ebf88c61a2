"""Chooses the device and the number format to paint with."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from generation.errors import ModelUnavailable

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Place:
    """Where tensors live and in which format the denoiser runs."""

    device: torch.device
    dtype: torch.dtype
    words: str  # for people, e.g. "CPU (2 threads)"
    undecided: bool = False  # the owner left the format open on a CPU: each model is tried, see trying.py

    @property
    def dtype_name(self) -> str:
        """The format as config.yaml writes it."""
        return str(self.dtype).removeprefix("torch.")


def choose(device: str, dtype: str, threads: int) -> Place:
    """Turn the owner's words into a Place; raises ModelUnavailable when the machine has no such device."""
    wanted = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if dtype != "auto" and dtype not in DTYPES:
        raise ModelUnavailable(f"There is no number format called “{dtype}”; choose one of {', '.join(DTYPES)}.")
    if wanted == "cpu":
        count = threads or min(torch.get_num_threads(), _allowed_cores())
        torch.set_num_threads(count)
        return Place(
            torch.device("cpu"), DTYPES.get(dtype, torch.float32), f"CPU ({count} threads)", undecided=dtype == "auto"
        )
    if not wanted.startswith("cuda"):
        raise ModelUnavailable(f"There is no device called “{device}”; choose auto, cpu or cuda.")
    if not torch.cuda.is_available():
        raise ModelUnavailable("A CUDA device was asked for, but this machine (or this build of torch) has none.")
    place = torch.device(wanted)
    if (place.index or 0) >= torch.cuda.device_count():
        raise ModelUnavailable(f"There is no {wanted}; this machine has {torch.cuda.device_count()} CUDA device(s).")
    return Place(place, DTYPES.get(dtype, torch.float16), torch.cuda.get_device_name(place))


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
