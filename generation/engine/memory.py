"""What fits: estimates before the work, the word of the allocators after it. Bytes everywhere."""

from __future__ import annotations

import gc
import os

import torch

from generation.engine.model import LoadedModel

# Tensors as large as the first layer's output that are alive at once, counted in a U-Net (its skip connections and
# the working set of its widest block) and in a decoder; estimates, corrected by the first shortage that is met.
ROW_TENSORS = 40
DECODER_TENSORS = 8
DECODER_CHANNELS = 128  # of the widest layer at full size, in AutoencoderKL
SHARE = 0.8  # of what is free may be planned with


def available(device: torch.device) -> int:
    """Bytes that could be used on `device` now; 0 where the system does not say."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return _main_memory("SC_AVPHYS_PAGES", "MemAvailable")


def total(device: torch.device) -> int:
    """Bytes that `device` has in all; 0 where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return _main_memory("SC_PHYS_PAGES", "MemTotal")


def _main_memory(name: str, field: str) -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            found = next(line for line in lines if line.startswith(field))
            return int(found.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        try:
            return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError):
            return 0


def row_bytes(model: LoadedModel, shape: tuple[int, int, int]) -> int:
    """About what one row of a denoiser call needs besides the weights."""
    channels = getattr(model.denoiser.config, "block_out_channels", (320,))[0]
    return int(shape[1] * shape[2] * channels * model.denoiser.dtype.itemsize * ROW_TENSORS)


def decode_bytes(model: LoadedModel, shape: tuple[int, int, int]) -> int:
    """About what decoding one picture needs besides the weights."""
    pixels = shape[1] * shape[2] * model.cell**2
    return int(pixels * DECODER_CHANNELS * model.vae.dtype.itemsize * DECODER_TENSORS)


def rows_that_fit(model: LoadedModel, shape: tuple[int, int, int]) -> int:
    """The most rows of a call that the free memory seems to have room for, at least one; 0 where nothing is known."""
    free = available(model.place.device)
    return max(1, int(free * SHARE / row_bytes(model, shape))) if free else 0


def let_go(device: torch.device) -> None:
    """Give back what is cached but not used."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
