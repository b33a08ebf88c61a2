"""Samplers as tables: every step of a library sampler is a linear map, found by feeding it basis vectors.

A step takes the state (the latents and up to three earlier tensors), the denoiser's output and fresh noise, and every
sampler offered here is linear in them. So the library's own `step()`, run once on a basis, tells the whole map, and
pictures of different samplers, steps and step counts can advance together in a few tensor operations. No formula of
any sampler is written down here. The first table of a sampler is checked against the library on random numbers; one
that remembers more than fits, or is not linear, is refused by name.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from generation.engine import samplers
from generation.engine.library import Sampler
from generation.errors import BadRequest
from generation.options import SAMPLERS

SLOTS = 4  # the latents, then what a sampler remembers: two converted outputs (or derivative and sample), last sample
OUTPUT, NOISE = SLOTS, SLOTS + 1  # columns after the slots
COLUMNS = SLOTS + 2
CLEAN = SLOTS  # the row after the slots: the clean latents that a step aims at
KEPT = 256  # tables; each has a few kilobytes
TOLERANCE = 1e-3  # of the state's size; what single precision leaves is a hundred times less


@dataclass(frozen=True, slots=True)
class Table:
    """One sampler with one number of steps."""

    timesteps: torch.Tensor  # (calls,) float32
    scales: torch.Tensor  # (calls,) float32, what the latents are multiplied with before the denoiser sees them
    maps: torch.Tensor  # (calls, SLOTS + 1, COLUMNS) float32: rows are the new slots and the clean latents
    entries: tuple[frozenset[tuple[int, int]], ...]  # by call, the rows and columns that are not zero
    clean: float  # the first latents are `clean` × encoded picture + `noise` × noise
    noise: float
    order: int  # denoiser calls of one step as members count them

    def noisy(self, at: int) -> bool:
        """Whether call `at` takes fresh noise."""
        return any(column == NOISE for _, column in self.entries[at])

    @property
    def calls(self) -> int:
        """How often the denoiser is called."""
        return len(self.timesteps)


class Tables:
    """The tables of one model, probed when first asked for and kept."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config  # the model's own scheduler settings
        self._kept: OrderedDict[tuple[str, int, float | None], Table] = OrderedDict()
        self._checked: set[str] = set()

    def of(self, name: str, steps: int, strength: float | None = None) -> Table:
        """The table of a sampler; raises BadRequest when it does not fit the model, or does not fit into a table."""
        key = (name, steps, strength)
        if key not in self._kept:
            table = probe(name, self._config, steps, strength=strength)
            if name not in self._checked:
                check(name, self._config, steps, strength, table)
                self._checked.add(name)
            self._kept[key] = table
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def probe(name: str, config: Mapping[str, Any], steps: int, *, strength: float | None = None) -> Table:
    """The table of sampler `name` for a model whose scheduler settings are `config`.

    With `strength`, only that share of the steps is taken, from a noisy picture. Raises BadRequest when the sampler
    does not fit the model.
    """
    sampler = samplers.build(name, config, steps)
    timesteps = samplers.laid_out(sampler, steps, strength)
    clean, noise = _beginning(sampler, timesteps, from_picture=strength is not None)
    scales, maps = [], []
    with torch.inference_mode():
        for timestep in timesteps:
            scale, step_map = _step(sampler, timestep)
            scales.append(scale)
            maps.append(step_map)
        found = torch.stack(maps)
    entries = tuple(frozenset((row, column) for row, column in step.nonzero().tolist()) for step in found)
    return Table(timesteps.float(), torch.tensor(scales), found.float(), entries, clean, noise, sampler.order)


def _beginning(sampler: Sampler, timesteps: torch.Tensor, *, from_picture: bool) -> tuple[float, float]:
    if not from_picture:
        return 0.0, float(getattr(sampler, "init_noise_sigma", 1.0))
    picture, noise = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 1.0]]]])
    mixed = samplers.mixed(sampler, picture, noise, timesteps[:1]).flatten()
    return float(mixed[0]), float(mixed[1])


def _basis(column: int) -> torch.Tensor:
    return torch.eye(COLUMNS, dtype=torch.float64)[column].reshape(1, 1, 1, COLUMNS).clone()


def _step(sampler: Sampler, timestep: torch.Tensor) -> tuple[float, torch.Tensor]:
    scale = samplers.scaled(sampler, torch.ones(1, 1, 1, 1, dtype=torch.float64), timestep)
    memory = _remember(sampler, [_basis(column) for column in range(1, SLOTS)])
    with _noise_of(sampler, _basis(NOISE)):
        stepped = sampler.step(_basis(OUTPUT), timestep, _basis(0))
    step_map = torch.zeros(SLOTS + 1, COLUMNS, dtype=torch.float64)
    step_map[0] = stepped.prev_sample.flatten()
    for slot, value in enumerate(_recall(sampler, memory), start=1):
        if value is not None:
            step_map[slot] = value.flatten()
    step_map[CLEAN] = samplers.predicted(sampler, stepped).flatten()
    return float(scale), step_map


def _remember(sampler: Any, slots: list[torch.Tensor]) -> list[torch.Tensor]:
    """Put the slots where this sampler keeps its memory; what it does not remember yet stays unknown to it."""
    newest, older, last = slots
    outputs = getattr(sampler, "model_outputs", None)
    if outputs is not None:
        known = [older, newest][-len(outputs) :]
        sampler.model_outputs = [old if old is None else new for old, new in zip(outputs, known, strict=True)]
    for name, value in (("last_sample", last), ("prev_derivative", newest), ("sample", older)):
        if getattr(sampler, name, None) is not None:
            setattr(sampler, name, value)
    return slots


def _recall(sampler: Any, before: list[torch.Tensor]) -> tuple[torch.Tensor | None, ...]:
    """The slots after a step; a tensor that was kept is handed on."""
    outputs = getattr(sampler, "model_outputs", None)
    if outputs is not None:
        newest = outputs[-1]
        older = outputs[-2] if len(outputs) > 1 else None
    else:
        newest, older = getattr(sampler, "prev_derivative", None), getattr(sampler, "sample", None)
    return newest, older, getattr(sampler, "last_sample", None)


@contextmanager
def _noise_of(sampler: Sampler, noise: torch.Tensor) -> Iterator[None]:
    """Have the sampler draw `noise`; the library offers no other way to hand it in."""
    module: Any = sys.modules[type(sampler).__module__]
    drawn = getattr(module, "randn_tensor", None)
    if drawn is None:
        yield
        return
    module.randn_tensor = lambda *_, **__: noise.clone()
    try:
        yield
    finally:
        module.randn_tensor = drawn


def check(name: str, config: Mapping[str, Any], steps: int, strength: float | None, table: Table) -> None:
    """Walk the library and `table` side by side on random numbers; raises BadRequest where they part."""
    sampler = samplers.build(name, config, steps)
    rng = torch.Generator().manual_seed(0)
    size = (1, 1, 8, 8)
    state = torch.zeros(SLOTS, *size)
    state[0] = latents = torch.randn(size, generator=rng) * max(1.0, table.noise)
    with torch.inference_mode():
        for at, timestep in enumerate(samplers.laid_out(sampler, steps, strength)):
            samplers.scaled(sampler, latents, timestep)
            output, noise = torch.randn(size, generator=rng), torch.randn(size, generator=rng)
            with _noise_of(sampler, noise):
                latents = sampler.step(output, timestep, latents).prev_sample
            given = torch.cat([state, output[None], noise[None]])
            state = (table.maps[at, :SLOTS, :, None, None, None, None] * given).sum(dim=1)
            error = float((state[0] - latents).abs().max())
            if not error <= TOLERANCE * max(1.0, float(latents.abs().max())):
                title = SAMPLERS.get(name, name)
                raise BadRequest(f"The sampler {title} cannot take {steps} steps together with others; choose another.")
