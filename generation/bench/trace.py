"""A benchmark's trace: the same requests at the same moments for everybody who is measured, made from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from generation.errors import AtelierError, BadRequest
from generation.models import ModelCard
from generation.request import Request

BURST = 20  # requests that come within BURST_SECONDS in a bursty trace
BURST_SECONDS = 1.0
SEEDS = 2**31
PROMPT_WORDS = (5, 60)  # every word below is one token of the starter's tokenizer
NEGATIVE_SHARE = 0.3
VOCABULARY = (
    "a red house on the hills at night two blue birds near mountain lake large white castle in snowy forest small "
    "boat under golden moon three green trees by river old robot with purple umbrella happy cat reading book giant "
    "whale above city skyline glowing lighthouse behind storm clouds cute rabbit wearing hat dark temple during "
    "sunset pastel watercolor painting digital art highly detailed cinematic lights soft pencil sketch retro poster"
)
UNWANTED = "dark plain flat small simple grey old sketch cartoon glasses"
WORDS, AGAINST = VOCABULARY.split(), UNWANTED.split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How often each value is asked for; weights need not add up to one."""

    name: str
    words: str  # why it looks like this, for the report
    steps: Mapping[tuple[int, ...], float]  # equally likely step counts → weight
    unguided: float  # share of requests without guidance
    guidance: tuple[float, ...]  # of the others; few values, as people leave it where it is
    samplers: Mapping[str, float]
    counts: Mapping[int, float]


SAMPLERS: Mapping[str, float] = {"euler_a": 40, "dpmpp_2m": 30, "euler": 20, "ddim": 10}
COUNTS: Mapping[int, float] = {1: 70, 4: 30}
FULL = Mix(
    name="full",
    words="steps 1–4 (20 %), 20 (40 %), 25 (20 %), 30 (15 %), 50 (5 %)",
    steps={(1, 2, 3, 4): 20, (20,): 40, (25,): 20, (30,): 15, (50,): 5},
    unguided=0.25,
    guidance=(5.0, 6.0, 7.0, 7.5, 8.0, 9.0),
    samplers=SAMPLERS,
    counts=COUNTS,
)
SHORT = Mix(
    name="short",
    words="the full mix with steps × 0.4, for CPUs: 1–4 (20 %), 8 (40 %), 10 (20 %), 12 (15 %), 20 (5 %)",
    steps={(1, 2, 3, 4): 20, (8,): 40, (10,): 20, (12,): 15, (20,): 5},
    unguided=0.25,
    guidance=FULL.guidance,
    samplers=SAMPLERS,
    counts=COUNTS,
)
FEW = Mix(
    name="few",
    words="for few-step models: 1 (60 %), 2 (20 %), 4 (20 %) steps, no guidance, samplers without a memory of steps",
    steps={(1,): 60, (2,): 20, (4,): 20},
    unguided=1.0,
    guidance=(0.0,),
    samplers={"euler_a": 50, "euler": 50},
    counts=COUNTS,
)
MIXES: Mapping[str, Mix] = {mix.name: mix for mix in (FULL, SHORT, FEW)}


def suited(card: ModelCard, *, cpu: bool) -> Mix:
    """The mix for a model: few-step models get few steps, CPUs and small models short ones."""
    if card.steps <= 4:
        return FEW
    small = card.name == "small" or (cpu and card.name != "starter")  # the starter was made for CPUs
    return SHORT if small else FULL


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request and when it becomes visible."""

    at: float  # seconds after the start
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Requests with their moments at a rate of one picture a second; other rates only stretch the time."""

    seed: int
    mix: str
    moments: tuple[float, ...]  # rising
    requests: tuple[Request, ...]
    burst: tuple[int, int] | None = None  # first and one past the last request that come within BURST_SECONDS

    @property
    def pictures(self) -> int:
        """In all requests together."""
        return sum(request.count for request in self.requests)

    def at_rate(self, rate: float) -> list[Arrival]:
        """The arrivals at `rate` pictures a second; a burst stays within its second whatever the rate."""
        moments = [moment / rate for moment in self.moments]
        if self.burst is not None:
            first, end = self.burst
            start = moments[first]
            shift = min(0.0, start + BURST_SECONDS - moments[end - 1])
            span = max(moments[end - 1] - start, 1e-9)
            squeeze = min(1.0, BURST_SECONDS / span)
            moments[first:end] = [start + (moment - start) * squeeze for moment in moments[first:end]]
            moments[end:] = [moment + shift for moment in moments[end:]]
        return [Arrival(*pair) for pair in zip(moments, self.requests, strict=True)]

    def part(self, first: int, end: int) -> Trace:
        """Requests `first` to `end` as a trace of their own that starts at zero."""
        start = self.moments[first]
        burst = None
        if self.burst is not None:
            low, high = max(self.burst[0], first), min(self.burst[1], end)
            burst = (low - first, high - first) if high - low > 1 else None
        moments = tuple(moment - start for moment in self.moments[first:end])
        return Trace(seed=self.seed, mix=self.mix, moments=moments, requests=self.requests[first:end], burst=burst)

    def first(self, count: int) -> Trace:
        """The first `count` requests, at the rate that the whole trace has."""
        if count >= len(self.requests):
            return self
        begun = self.part(0, count)
        stretch = begun.pictures / (self.moments[count] - self.moments[0])
        return replace(begun, moments=tuple(moment * stretch for moment in begun.moments))

    def painted_with(self, model: str) -> Trace:
        """The same wishes for the model called `model`."""
        requests = tuple(replace(request, model=model) for request in self.requests)
        return replace(self, requests=requests)

    def write(self, path: Path) -> None:
        """Save as JSON."""
        data = {
            "seed": self.seed,
            "mix": self.mix,
            "burst": self.burst,
            "arrivals": [
                {"at": moment, "request": request.to_json()}
                for moment, request in zip(self.moments, self.requests, strict=True)
            ],
        }
        path.write_text(json.dumps(data, indent=1) + "\n", "utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` saved; raises BadRequest when it is no trace."""
        try:
            data = json.loads(path.read_text("utf-8"))
            moments = tuple(float(item["at"]) for item in data["arrivals"])
            requests = tuple(Request.from_json(item["request"]) for item in data["arrivals"])
            burst = (int(data["burst"][0]), int(data["burst"][1])) if data["burst"] is not None else None
            found = cls(seed=int(data["seed"]), mix=str(data["mix"]), moments=moments, requests=requests, burst=burst)
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, AtelierError) as error:
            raise BadRequest(f"“{path}” is not a trace of this benchmark.") from error
        if not moments or list(moments) != sorted(moments) or not 0.0 <= moments[0] <= moments[-1] < float("inf"):
            raise BadRequest(f"“{path}” is not a trace of this benchmark: its moments must rise.")
        if burst is not None and not 0 <= burst[0] < burst[1] <= len(moments):
            raise BadRequest(f"“{path}” is not a trace of this benchmark: its burst is out of range.")
        return found


def generate(mix: Mix, card: ModelCard, *, seed: int, requests: int, side: int, bursty: bool = False) -> Trace:
    """`requests` requests for pictures of side × side pixels at Poisson moments; the same for the same arguments."""
    dice = random.Random(seed)  # noqa: S311  # a benchmark repeats itself; nothing here is secret
    wishes = [_wish(mix, card, side, dice) for _ in range(requests)]
    moments, now = [], 0.0
    for _ in wishes:
        moments.append(now)
        now += dice.expovariate(1.0)
    stretch = sum(wish.count for wish in wishes) / now  # short traces keep the rate they promise as well
    burst = None
    if bursty:
        size = min(BURST, max(2, requests // 2))
        burst = ((requests - size) // 2, (requests - size) // 2 + size)
    return Trace(
        seed=seed,
        mix=mix.name,
        moments=tuple(moment * stretch for moment in moments),
        requests=tuple(wishes),
        burst=burst,
    )


def _wish(mix: Mix, card: ModelCard, side: int, dice: random.Random) -> Request:
    words = dice.choices(WORDS, k=dice.randint(*PROMPT_WORDS))
    negative = dice.choices(AGAINST, k=dice.randint(1, 6)) if dice.random() < NEGATIVE_SHARE else []
    steps = dice.choice(_drawn(mix.steps, dice))
    guidance = 0.0 if dice.random() < mix.unguided else dice.choice(mix.guidance)
    return Request(
        prompt=" ".join(words),
        negative=" ".join(negative),
        width=side,
        height=side,
        steps=steps,
        guidance=guidance,
        sampler=_drawn(mix.samplers, dice),
        seed=dice.randrange(SEEDS),
        model=card.name,
        count=_drawn(mix.counts, dice),
    )


def _drawn(weights: Mapping[Any, float], dice: random.Random) -> Any:
    return dice.choices(list(weights), list(weights.values()))[0]
