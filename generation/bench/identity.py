"""`bench identity`: is a picture the same, to the bit, alone and in any company?

Every request is painted alone, then all of them inside a trace: they arrive at staggered moments in a shuffled order,
so that each one meets other neighbours, in other slots, at other steps. Latents and pictures are compared bit by bit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from generation.bench.arms.ours import await_compilers
from generation.bench.report import Report, Sheet, shown
from generation.bench.trace import Mix, generate
from generation.engine.engine import Engine
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.painting import Painting
from generation.engine.rows import RowLane
from generation.engine.sample import Sample
from generation.errors import AtelierError
from generation.job import Job
from generation.request import Request
from generation.safety.gate import Pixels

SAMPLERS = ("ddim", "euler", "euler_a", "dpmpp_2m", "dpmpp_2m_karras", "dpmpp_2m_sde", "unipc", "lcm")
IDENTITY = Mix(
    name="identity",
    words="3 to 12 steps, a quarter without guidance, eight samplers alike, one picture each",
    steps={tuple(range(3, 13)): 1},
    unguided=0.25,
    guidance=(3.0, 5.0, 7.5, 9.0),
    samplers=dict.fromkeys(SAMPLERS, 1.0),
    counts={1: 1},
)
MOST_AT_ONCE = 3  # requests that come between two ticks

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Painted:
    """What one request became."""

    latents: torch.Tensor
    pixels: Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Sameness:
    """Alone against in company, over all requests and shuffles."""

    compared: int
    same_latents: int
    same_pictures: int
    latent_difference: float  # the largest
    pixel_difference: int  # the largest, of 255
    rows_per_call: float  # in company


class _Keeping(RowLane):
    """A lane that keeps the latents that are decoded."""

    def __init__(self, model: LoadedModel, options: EngineOptions) -> None:
        super().__init__(model, options)
        self.kept: dict[int, torch.Tensor] = {}  # by painting

    def decode(self, samples: Sequence[Sample]) -> list[Pixels]:
        """See Lane."""
        for sample in samples:
            self.kept[sample.painting] = self.latents(sample).detach().cpu().clone()
        return super().decode(samples)


class Repainting:
    """One engine that paints the same requests again and again; what it learnt of calls it keeps, as in service."""

    def __init__(self, model: LoadedModel, options: EngineOptions, requests: Sequence[Request]) -> None:
        self._requests = requests
        self._lane = _Keeping(model, options)
        self._pixels: dict[int, Pixels] = {}
        self._faults: list[AtelierError] = []
        self._told: Callable[[int], None] = lambda done: None
        self._engine = Engine(options, painted=self._painted)
        self._engine.put(self._lane)

    def warm_up(self) -> None:
        """Learn of every size that is asked for, and wait for compilers, which would change the path half-way."""
        self.paint(range(len(self._requests)), at_once=lambda busy: 0 if busy else 1, most=1)
        while await_compilers():
            self.paint(range(len(self._requests)), at_once=lambda busy: 0 if busy else 1, most=1)

    def paint(
        self,
        order: Sequence[int],
        *,
        at_once: Callable[[bool], int],
        told: Callable[[int], None] = lambda done: None,
        most: int | None = None,
    ) -> tuple[dict[int, Painted], float]:
        """The requests with the numbers in `order`, and the rows per call; the first `most` of them if given.

        Before every tick `at_once` says how many more arrive; it is told whether the engine has anything to do.
        """
        self._pixels, self._told = {}, told
        self._lane.kept.clear()
        waiting = list(order)[:most]
        calls, rows = self._engine.counts.calls, self._engine.counts.rows
        while waiting or self._engine.busy:
            coming = at_once(self._engine.busy)
            for number in waiting[:coming]:
                job = Job(id=f"identity-{number}", request=self._requests[number])
                self._engine.submit(Painting(number=number, job=job, on_failed=self._faults.append))
            del waiting[:coming]
            self._engine.tick()
            if self._faults:
                raise self._faults[0]
        taken = max(1, self._engine.counts.calls - calls)
        found = {number: Painted(self._lane.kept[number], pixels) for number, pixels in self._pixels.items()}
        return found, (self._engine.counts.rows - rows) / taken

    def _painted(self, painting: Painting, pictures: Sequence[Pixels]) -> None:
        self._pixels[painting.number] = pictures[0]
        self._told(len(self._pixels))


def requests_of(model: LoadedModel, *, count: int, seed: int, side: int) -> list[Request]:
    """Mixed requests for one picture each; few-step models and CPUs are asked for the same."""
    return list(generate(IDENTITY, model.card, seed=seed, requests=count, side=side).requests)


def compare(
    model: LoadedModel,
    options: EngineOptions,
    requests: Sequence[Request],
    *,
    shuffles: int,
    seed: int,
    told: Told,
) -> Sameness:
    """Paint alone, then in company `shuffles` times."""
    total = len(requests) * (shuffles + 1)
    engine = Repainting(model, options, requests)
    engine.warm_up()

    def alone_told(done: int) -> None:
        told("Alone", done, total)

    alone, _ = engine.paint(range(len(requests)), at_once=lambda busy: 0 if busy else 1, told=alone_told)
    found = []
    for shuffle in range(shuffles):
        dice = random.Random(seed + shuffle)  # noqa: S311  # the same shuffle every time
        order = list(range(len(requests)))
        dice.shuffle(order)

        def coming(busy: bool, dice: random.Random = dice) -> int:
            return dice.randint(0 if busy else 1, MOST_AT_ONCE)

        def company_told(done: int, base: int = len(requests) * (shuffle + 1)) -> None:
            told("In company", base + done, total)

        together, rows = engine.paint(order, at_once=coming, told=company_told)
        found.append(_difference(alone, together, rows))
    return _together(found)


def _together(found: Sequence[Sameness]) -> Sameness:
    return Sameness(
        compared=sum(item.compared for item in found),
        same_latents=sum(item.same_latents for item in found),
        same_pictures=sum(item.same_pictures for item in found),
        latent_difference=max(item.latent_difference for item in found),
        pixel_difference=max(item.pixel_difference for item in found),
        rows_per_call=sum(item.rows_per_call for item in found) / len(found),
    )


def _difference(alone: dict[int, Painted], together: dict[int, Painted], rows: float) -> Sameness:
    same_latents = same_pictures = pixel_difference = 0
    latent_difference = 0.0
    for number, mine in alone.items():
        other = together[number]
        same_latents += torch.equal(mine.latents, other.latents)
        latent_difference = max(latent_difference, float((mine.latents - other.latents).abs().max()))
        if mine.pixels is None or other.pixels is None:
            same_pictures += mine.pixels is other.pixels
            continue
        same_pictures += np.array_equal(mine.pixels, other.pixels)
        apart = np.abs(mine.pixels.astype(np.int16) - other.pixels.astype(np.int16))
        pixel_difference = max(pixel_difference, int(apart.max()))
    return Sameness(
        compared=len(alone),
        same_latents=same_latents,
        same_pictures=same_pictures,
        latent_difference=latent_difference,
        pixel_difference=pixel_difference,
        rows_per_call=rows,
    )


def options_of(mode: str, rows: int) -> EngineOptions:
    """Exact or fast mode, with at most `rows` rows a call; 0: the measured knee."""
    return replace(EngineOptions(), exact="on" if mode == "exact" else "off", rows=rows)


def fill(report: Report, found: dict[tuple[str, str], Sameness], requests: int) -> None:
    """Put what was found, by mode and number format, into `report`."""
    rows = []
    for (mode, dtype), item in found.items():
        name = f"identity.{mode}.{dtype}"
        report.figures |= {
            f"{name}.compared": item.compared,
            f"{name}.same_latents": item.same_latents,
            f"{name}.same_pictures": item.same_pictures,
            f"{name}.latent_difference": item.latent_difference,
            f"{name}.pixel_difference": item.pixel_difference,
            f"{name}.rows_per_call": item.rows_per_call,
        }
        counted = (f"{count}/{item.compared}" for count in (item.same_latents, item.same_pictures))
        largest = (shown(item.latent_difference), str(item.pixel_difference))
        rows.append([mode, dtype, *counted, *largest, shown(item.rows_per_call)])
    columns = ("mode", "format", "same latents", "same pictures", "latent difference", "of 255", "rows/call")
    report.sheets.append(Sheet(f"{requests} requests, alone and in company", columns, rows))
    report.notes.append(f"Requests: {IDENTITY.words}; they arrive staggered and shuffled, up to {MOST_AT_ONCE} a tick.")
