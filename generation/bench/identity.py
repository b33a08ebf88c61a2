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

from generation.bench.report import Report, Sheet, shown
from generation.bench.trace import Mix, generate
from generation.engine.curve import Curve
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

    def __init__(self, model: LoadedModel, options: EngineOptions, curves: dict[str, Curve]) -> None:
        super().__init__(model, options, curves=curves)
        self.kept: dict[int, torch.Tensor] = {}  # by painting

    def decode(self, samples: Sequence[Sample]) -> list[Pixels]:
        """See Lane."""
        for sample in samples:
            self.kept[sample.painting] = self.latents(sample).detach().cpu().clone()
        return super().decode(samples)


def requests_of(model: LoadedModel, *, count: int, seed: int, side: int) -> list[Request]:
    """Mixed requests for one picture each; few-step models and CPUs are asked for the same."""
    return list(generate(IDENTITY, model.card, seed=seed, requests=count, side=side).requests)


def paint(
    model: LoadedModel,
    options: EngineOptions,
    requests: Sequence[Request],
    *,
    curves: dict[str, Curve],
    order: Sequence[int] | None,
    seed: int,
    told: Callable[[int], None],
) -> tuple[dict[int, Painted], float]:
    """All requests, by number, and the rows per call: one after the other, or staggered in `order`.

    `curves` is what was learnt of calls; it is kept, as a running engine keeps it, and with it the rows of a call.
    """
    pixels: dict[int, Pixels] = {}
    faults: list[AtelierError] = []

    def painted(painting: Painting, pictures: Sequence[Pixels]) -> None:
        pixels[painting.number] = pictures[0]
        told(len(pixels))

    lane = _Keeping(model, options, curves)
    engine = Engine(options, painted=painted)
    engine.put(lane)
    dice = random.Random(seed)  # noqa: S311  # the same shuffle every time
    waiting = list(range(len(requests)) if order is None else order)
    while waiting or engine.busy:
        coming = (0 if engine.busy else 1) if order is None else dice.randint(0 if engine.busy else 1, MOST_AT_ONCE)
        for number in waiting[:coming]:
            job = Job(id=f"identity-{number}", request=requests[number])
            engine.submit(Painting(number=number, job=job, on_failed=faults.append))
        del waiting[:coming]
        engine.tick()
        if faults:
            raise faults[0]
    calls = max(1, engine.counts.calls)
    return {n: Painted(lane.kept[n], pixels[n]) for n in pixels}, engine.counts.rows / calls


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
    curves: dict[str, Curve] = {}

    def alone_told(n: int) -> None:
        told("Alone", n, total)

    alone, _ = paint(model, options, requests, curves=curves, order=None, seed=0, told=alone_told)
    found = []
    for shuffle in range(shuffles):
        order = list(range(len(requests)))
        random.Random(seed + shuffle).shuffle(order)  # noqa: S311  # as above
        base = len(requests) * (shuffle + 1)

        def count(n: int, base: int = base) -> None:
            told("In company", base + n, total)

        together, rows = paint(model, options, requests, curves=curves, order=order, seed=seed + shuffle, told=count)
        found.append(_difference(alone, together, rows))
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
