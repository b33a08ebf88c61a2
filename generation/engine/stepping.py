"""Advances the latents of many pictures by one denoiser call: through tables, or by the library's own sampler objects.

Both ends do the same arithmetic on each picture by itself, so that its latents never depend on its company. Tables
cost the same few operations for any number of pictures; objects cost as many again for every picture, and are what
tables are compared with.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from generation.engine import samplers
from generation.engine.library import Sampler
from generation.engine.tables import CLEAN, NOISE, OUTPUT, SLOTS, Table, Tables


@dataclass(slots=True)
class Course:
    """One picture's way through its sampler; tensors are float32 on the device, without a row axis."""

    rng: torch.Generator  # on the CPU; serves the noise of ancestral steps
    calls: int  # denoiser calls in all
    order: int  # of them make one step as members count
    latents: torch.Tensor  # (channels, height, width)
    clean: torch.Tensor  # (channels, height, width) the clean latents that the last step aimed at
    at: int = 0  # calls taken
    table: Table | None = None
    slots: torch.Tensor | None = None  # (SLOTS, channels, height, width), the latents among them
    sampler: Sampler | None = None
    timesteps: torch.Tensor | None = None


class Stepping(Protocol):
    """How the latents of pictures are carried on."""

    def begin(
        self,
        name: str,
        steps: int,
        strength: float | None,
        *,
        rng: torch.Generator,
        noise: Callable[[], torch.Tensor],
        picture: torch.Tensor | None,
    ) -> Course:
        """The course of a picture from `noise` (channels, height, width), or from an encoded `picture` made noisy.

        `noise` is asked for once. Raises BadRequest for a sampler that does not fit.
        """
        ...

    def given(self, courses: Sequence[Course]) -> tuple[torch.Tensor, torch.Tensor]:
        """What the denoiser sees: latents (n, channels, height, width) and timesteps (n,), float32."""
        ...

    def advance(self, courses: Sequence[Course], output: torch.Tensor) -> None:
        """Take one step with the denoiser's guided `output` (n, channels, height, width)."""
        ...


class TableStepping:
    """All pictures at once, whatever their samplers, by the tables of their steps."""

    def __init__(self, config: Mapping[str, Any], device: torch.device) -> None:
        self._tables = Tables(config)
        self._device = device

    def begin(
        self,
        name: str,
        steps: int,
        strength: float | None,
        *,
        rng: torch.Generator,
        noise: Callable[[], torch.Tensor],
        picture: torch.Tensor | None,
    ) -> Course:
        """See Stepping."""
        table = self._tables.of(name, steps, strength)
        latents = noise().to(self._device) * table.noise
        if picture is not None:
            latents = picture.float() * table.clean + latents
        slots = torch.zeros(SLOTS, *latents.shape, device=self._device)
        slots[0] = latents
        return Course(rng, table.calls, table.order, slots[0], torch.zeros_like(latents), table=table, slots=slots)

    def given(self, courses: Sequence[Course]) -> tuple[torch.Tensor, torch.Tensor]:
        """See Stepping."""
        tables = [(_table(course), course.at) for course in courses]
        scales = torch.stack([table.scales[at] for table, at in tables]).to(self._device)
        timesteps = torch.stack([table.timesteps[at] for table, at in tables]).to(self._device)
        return torch.stack([course.latents for course in courses]) * scales[:, None, None, None], timesteps

    def advance(self, courses: Sequence[Course], output: torch.Tensor) -> None:
        """See Stepping.

        Products and sums are operations of their own: fused, their rounding would depend on where in memory a
        picture stands. The order of the sum is fixed, and what others add in columns of their own is zero here.
        """
        maps = torch.stack([_table(course).maps[course.at] for course in courses]).to(self._device)
        slots = torch.stack([course.slots for course in courses if course.slots is not None])
        entries = frozenset().union(*(_table(course).entries[course.at] for course in courses))
        noise = self._noise(courses)
        total = torch.zeros(len(courses), SLOTS + 1, *output.shape[1:], device=self._device)
        for row, column in sorted(entries):
            value = noise if column == NOISE else output if column == OUTPUT else slots[:, column]
            total[:, row] += maps[:, row, column, None, None, None] * value
        for course, mine in zip(courses, total, strict=True):
            course.slots, course.latents, course.clean = mine[:SLOTS], mine[0], mine[CLEAN]
            course.at += 1

    def _noise(self, courses: Sequence[Course]) -> torch.Tensor:
        """Fresh noise for those whose step takes any, from the generator of each; zeros for the others."""
        shape = courses[0].latents.shape
        noisy = [_table(course).noisy(course.at) for course in courses]
        if not any(noisy):
            return torch.zeros(())
        drawn = [
            torch.randn(shape, generator=course.rng) if takes else torch.zeros(shape)
            for course, takes in zip(courses, noisy, strict=True)
        ]
        return torch.stack(drawn).to(self._device)


class ObjectStepping:
    """One library object for each picture, one step after the other."""

    def __init__(self, config: Mapping[str, Any], device: torch.device) -> None:
        self._config = config
        self._device = device

    def begin(
        self,
        name: str,
        steps: int,
        strength: float | None,
        *,
        rng: torch.Generator,
        noise: Callable[[], torch.Tensor],
        picture: torch.Tensor | None,
    ) -> Course:
        """See Stepping."""
        sampler = samplers.build(name, self._config, steps)
        timesteps = samplers.laid_out(sampler, steps, strength)
        latents = noise().to(self._device)
        if picture is not None:
            latents = samplers.mixed(sampler, picture[None].float(), latents[None], timesteps[:1])[0]
        else:
            latents = latents * getattr(sampler, "init_noise_sigma", 1.0)
        course = Course(rng, len(timesteps), getattr(sampler, "order", 1), latents, torch.zeros_like(latents))
        course.sampler, course.timesteps = sampler, timesteps
        return course

    def given(self, courses: Sequence[Course]) -> tuple[torch.Tensor, torch.Tensor]:
        """See Stepping."""
        latents, timesteps = [], []
        for course in courses:
            sampler, timestep = _sampler(course)
            latents.append(samplers.scaled(sampler, course.latents[None], timestep))
            timesteps.append(timestep.float())
        return torch.cat(latents), torch.stack(timesteps).to(self._device)

    def advance(self, courses: Sequence[Course], output: torch.Tensor) -> None:
        """See Stepping."""
        for course, mine in zip(courses, output, strict=True):
            sampler, timestep = _sampler(course)
            extra = {"generator": course.rng} if "generator" in inspect.signature(sampler.step).parameters else {}
            stepped = sampler.step(mine[None], timestep, course.latents[None], **extra)  # type: ignore[arg-type]
            course.latents = stepped.prev_sample[0]
            course.clean = samplers.predicted(sampler, stepped)[0]
            course.at += 1


def _table(course: Course) -> Table:
    assert course.table is not None, "begun by TableStepping"
    return course.table


def _sampler(course: Course) -> tuple[Sampler, torch.Tensor]:
    assert course.sampler is not None, "begun by ObjectStepping"
    assert course.timesteps is not None
    return course.sampler, course.timesteps[course.at]
