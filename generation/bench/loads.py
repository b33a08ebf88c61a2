"""`bench trace`: every arm serves the same trace at the same loads, in turns, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from generation.bench.arms.arm import Arm
from generation.bench.arms.choosing import Models, Wanted, make
from generation.bench.drive import difference, drive
from generation.bench.gauges import CardWatch
from generation.bench.measures import Run, Served, drained
from generation.bench.trace import Mix, Trace, generate
from generation.errors import BadRequest
from generation.models import ModelCard

AT_ONCE = float("inf")  # pictures a second: everybody is there from the start
WARM_ON_GPU, WARM_ON_CPU = 30, 3  # requests
CAPACITY_SHARE = 0.25  # of the time
PREPARING_SHARE = 0.05  # of the time, for an arm that has to find its best batches
LEAST, MOST = 8, 3000  # requests of a trace
OFFLINE = "roof"  # serves nobody: it is measured with everything at once, and at no load
AT_ONCE_BLOCK = 16  # requests
# Shared machines change their mood, so turns are short; but an overload needs time to build up a line, and the emptying
# at the end of every turn must not outweigh it. A minute or so of a model that needs two seconds for a request.
BLOCK = 40  # requests
MOST_BLOCKS = 6
DECODING = 4  # rows of a denoiser call that take about as long as decoding a picture, for comparing requests by work

Told = Callable[[str, int, int], None]  # what is being measured; parts done, parts in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a person asked to be compared."""

    arms: Sequence[Wanted]
    loads: tuple[float, ...] = (0.5, 0.9, 1.5)  # × the capacity of fifo, the same rate for everybody
    own_loads: tuple[float, ...] = ()  # × each arm's own capacity
    minutes: float = 5.0
    requests: int = 0  # of the trace; 0: as many as the minutes allow
    seed: int = 1
    bursty: bool = False
    side: int  # pixels
    mix: Mix
    trace: Trace | None = None  # instead of a generated one

    def check(self) -> None:
        """Raise BadRequest for what cannot be compared."""
        if self.loads and "fifo" not in [arm.kind for arm in self.arms]:
            raise BadRequest("Loads are multiples of fifo's capacity: add fifo to the arms, or use --own-loads alone.")
        sizes = (
            {(request.width, request.height) for request in self.trace.requests} if self.trace is not None else set()
        )
        if sizes - {(self.side, self.side)}:
            raise BadRequest(f"All pictures of the trace must have {self.side} × {self.side} pixels; see --size.")
        if not all(0 < load <= 100 for load in (*self.loads, *self.own_loads)):
            raise BadRequest("A load is a number above 0 and up to 100.")


@dataclass(frozen=True, slots=True)
class Load:
    """One rate for each arm."""

    name: str  # of its figures, e.g. "load_0.9"
    words: str
    rates: Mapping[str, float]  # pictures a second, by arm
    capacity: Mapping[str, float] = field(default_factory=dict)  # what each arm can do with the requests of this load
    common: float | None = None  # × the capacity of fifo


@dataclass(slots=True)
class Outcome:
    """Everything that was measured."""

    trace: Trace
    capacity: dict[str, float]  # pictures a second, by arm
    loads: list[Load]
    runs: dict[str, dict[str, Run]]  # by load, by arm
    alone: dict[int, float]  # seconds that fifo needed for a request once it began, by number


def compare(plan: Plan, card: ModelCard, models: Models, told: Told, *, save: Path | None = None) -> Outcome:
    """Measure capacity first, then every load; `save` receives the trace."""
    plan.check()
    arms = []
    for index, wish in enumerate(plan.arms):
        told(f"Preparing {wish.name}", index, len(plan.arms))
        arms.append(make(wish, models, plan.side, seconds=plan.minutes * 60 * PREPARING_SHARE))
    try:
        return _compare(plan, card, arms, models.plain().place.device, told, save)
    finally:
        for arm in arms:
            arm.close()


def _compare(
    plan: Plan, card: ModelCard, arms: Sequence[Arm], device: torch.device, told: Told, save: Path | None
) -> Outcome:
    began = time.perf_counter()
    pace = _warm_up(plan, card, arms, device, told)
    alone: dict[int, float] = {}
    sample = plan.trace or _generated(plan, card, _sample_size(plan, len(arms), pace))
    sample = sample.part(0, min(len(sample.requests), _sample_size(plan, len(arms), pace)))
    first = Load("capacity", "everything at once", {arm.name: AT_ONCE for arm in arms})
    runs = {
        first.name: _play(first, sample, arms, device, alone, told, parts=max(1, len(sample.requests) // AT_ONCE_BLOCK))
    }
    measured = {name: _rate(run) for name, run in runs[first.name].items()}
    capacity = {name: rate for name, rate in measured.items() if name != OFFLINE}
    whole, sizes = _sized(plan, card, capacity, spent=time.perf_counter() - began)
    if save is not None:
        whole.write(save)
    servers = [arm for arm in arms if arm.name in capacity]
    loads = [first]
    for place, size in enumerate(sizes):
        trace = whole.first(size)
        load = planned(plan, turned(capacity, sample, trace))[place]
        parts = min(MOST_BLOCKS, max(1, size // BLOCK))
        runs[load.name] = _play(load, trace, servers, device, alone, told, parts=parts)
        loads.append(load)
    return Outcome(whole, measured, loads, runs, alone)


def _sized(plan: Plan, card: ModelCard, capacity: Mapping[str, float], *, spent: float) -> tuple[Trace, list[int]]:
    """The longest trace, and how many of its first requests are played at each load."""
    loads = planned(plan, capacity)
    if plan.trace is not None:
        return plan.trace, [len(plan.trace.requests)] * len(loads)
    left = min(plan.minutes * 60 * (1 - CAPACITY_SHARE), plan.minutes * 60 - spent)
    seconds = left / max(1, len(loads))
    sizes = [plan.requests or affordable(plan, capacity, load, seconds=seconds) for load in loads]
    return _generated(plan, card, max(sizes, default=LEAST)), sizes


def turned(capacity: Mapping[str, float], sample: Trace, trace: Trace) -> dict[str, float]:
    """Capacities on `sample`, in pictures of `trace`, which may be more or less work."""
    ratio = work(sample) / work(trace)
    return {name: rate * ratio for name, rate in capacity.items()}


def work(trace: Trace) -> float:
    """Rows of denoiser calls that a picture of a trace takes on average, its decoding counted in rows as well."""
    rows = sum(
        request.count * (request.steps * (2 if request.guidance > 1.0 else 1) + DECODING) for request in trace.requests
    )
    return rows / trace.pictures


def planned(plan: Plan, capacity: Mapping[str, float]) -> list[Load]:
    """The rates that follow from what each arm can do."""
    found = []
    for load in plan.loads:
        rate = load * capacity["fifo"]
        words = f"{load:g} × the capacity of fifo: {rate:.3g} pictures/s for everybody"
        found.append(Load(f"load_{load:g}", words, dict.fromkeys(capacity, rate), capacity, load))
    for load in plan.own_loads:
        rates = {name: load * most for name, most in capacity.items()}
        found.append(Load(f"own_{load:g}", f"{load:g} × each arm's own capacity", rates, capacity))
    return found


def affordable(plan: Plan, capacity: Mapping[str, float], load: Load, *, seconds: float) -> int:
    """Requests of a trace that all arms can serve one after the other at `load` within `seconds`."""
    per_picture = sum(1 / min(rate, capacity[name]) for name, rate in load.rates.items())
    return max(LEAST, min(MOST, int(seconds / (per_picture * _pictures_per_request(plan.mix)))))


def _warm_up(plan: Plan, card: ModelCard, arms: Sequence[Arm], device: torch.device, told: Told) -> float:
    """Fill all caches; returns seconds a picture of the slowest arm."""
    size = WARM_ON_GPU if device.type == "cuda" else WARM_ON_CPU
    trace = _generated(plan, card, size)
    slowest = 0.0
    for index, arm in enumerate(arms):
        told(f"Warming up {arm.name}", index, len(arms))
        served = drive(arm, trace.at_rate(AT_ONCE))
        while arm.ripen():
            served = drive(arm, trace.at_rate(AT_ONCE))
        slowest = max(slowest, max(item.done for item in served) / trace.pictures)
    return slowest


def _sample_size(plan: Plan, arms: int, pace: float) -> int:
    share = plan.minutes * 60 * CAPACITY_SHARE / arms
    return max(6, min(96, int(share / (pace * _pictures_per_request(plan.mix)))))


def _generated(plan: Plan, card: ModelCard, requests: int) -> Trace:
    return generate(plan.mix, card, seed=plan.seed, requests=requests, side=plan.side, bursty=plan.bursty)


def _pictures_per_request(mix: Mix) -> float:
    return sum(count * weight for count, weight in mix.counts.items()) / sum(mix.counts.values())


def _play(
    load: Load,
    trace: Trace,
    arms: Sequence[Arm],
    device: torch.device,
    alone: dict[int, float],
    told: Told,
    *,
    parts: int,
) -> dict[str, Run]:
    """All arms in turns, block by block, each block beginning with another arm."""
    runs = {arm.name: Run() for arm in arms}
    edges = [len(trace.requests) * part // parts for part in range(parts + 1)]
    for part in range(parts):
        first, end = edges[part], edges[part + 1]
        for place in range(len(arms)):
            arm = arms[(place + part) % len(arms)]
            told(f"{load.words}: {arm.name}", part * len(arms) + place, parts * len(arms))
            arrivals = trace.part(first, end).at_rate(load.rates[arm.name])
            before = arm.counted()
            with CardWatch(device) as watch:
                block = drive(arm, arrivals, numbers_from=first)
            run = runs[arm.name]
            run.blocks.append(block)
            run.calls.add(difference(arm.counted(), before))
            _note(run, watch.figures, block)
            if arm.name == "fifo":
                _remember(alone, block)
    return runs


def _note(run: Run, figures: dict[str, float], block: Sequence[Served]) -> None:
    joules = figures.pop("joules", None)
    if joules is not None:
        figures["joules_per_picture"] = joules / sum(served.pictures for served in block)
    for name, value in figures.items():
        run.gauges.setdefault(name, []).append(value)


def _remember(alone: dict[int, float], block: Sequence[Served]) -> None:
    for served in block:
        if served.started is not None:
            seconds = served.done - served.started
            alone[served.number] = min(seconds, alone.get(served.number, seconds))


def _rate(run: Run) -> float:
    """Pictures a second over all blocks."""
    totals = [drained(block) for block in run.blocks]
    return sum(pictures for pictures, _, _ in totals) / sum(seconds for _, _, seconds in totals)


def overloaded(load: Load, arm: str) -> bool:
    """Whether an arm was asked for more than it can do, so that waiting only shows how long the trace was."""
    return load.rates[arm] > load.capacity.get(arm, AT_ONCE)
