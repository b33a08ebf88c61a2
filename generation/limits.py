"""What a request costs and who can afford it: the generic cell rate algorithm (GCRA) over credits.

One credit is one default picture of the default model. A budget of `burst` credits refills at `per_hour`; its whole
state is one number, the theoretical arrival time (TAT): the moment at which the budget would be full again.
Source: ITU-T I.371; a refund is the subtraction of the same increment.
"""

from __future__ import annotations

from dataclasses import dataclass

from generation.request import Request

LORA_SHARE = 0.05  # what each LoRA adds to the work of a step
SKEW = 30.0  # seconds by which the clocks of two processes may differ
LEAST_COST = 0.1  # credits; decoding, checking and posting cost something however few the steps


@dataclass(frozen=True, slots=True)
class Budget:
    """How many credits may be spent at once, how fast they come back, and how many a day."""

    burst: float  # credits
    per_hour: float  # credits that come back in an hour
    daily: float  # credits in a calendar day (UTC), whatever the line looks like

    @property
    def interval(self) -> float:
        """Seconds in which one credit comes back."""
        return 3600.0 / self.per_hour


@dataclass(frozen=True, slots=True)
class Allowance(Budget):
    """The budget of one member, and their place among others."""

    waiting: int  # jobs a member may have waiting or running
    weight: float = 1.0  # share of the painting time while others wait


@dataclass(frozen=True, slots=True)
class Charge:
    """The outcome of asking for credits."""

    affordable: bool
    tat: float  # the new state if charged, epoch seconds
    seconds: float  # what a refund subtracts again
    retry_at: float | None  # when the same cost is affordable; None when it is larger than the burst


def believed(tat: float, now: float, budget: Budget) -> float:
    """`tat`, unless it is further away than an empty budget can be: then the clock was set back, and it is full.

    Waiting for such a moment would lock somebody out for as long as the clock had been wrong.
    """
    return tat if tat <= now + budget.burst * budget.interval + SKEW else now


def charge(tat: float, cost: float, now: float, budget: Budget) -> Charge:
    """Spend `cost` credits of a budget whose state is `tat` (epoch seconds; 0.0 for a newcomer)."""
    start = max(believed(tat, now, budget), now)
    after = start + cost * budget.interval
    latest = now + budget.burst * budget.interval
    if after <= latest + 1e-6:
        return Charge(True, after, after - start, None)
    # Whoever is served all the same, because nobody else waits, ends with an empty budget but never in debt.
    emptied = max(start, latest)
    possible = cost <= budget.burst
    return Charge(False, emptied, emptied - start, now + (after - latest) if possible else None)


def refund(tat: float, full_since: float, seconds: float, charged_at: float) -> float:
    """The state after taking back `seconds` of a charge made at `charged_at` (epoch seconds).

    `full_since` is the moment of the latest charge that found the budget full. What was charged before that moment
    had come back by itself already; giving it back once more would be a gift.
    """
    return max(full_since, tat - seconds) if full_since <= charged_at else tat


def available(tat: float, now: float, budget: Budget) -> float:
    """Credits that could be spent now."""
    return min(budget.burst, max(0.0, budget.burst - (believed(tat, now, budget) - now) / budget.interval))


def cost_of(request: Request, *, default_megapixel_steps: float, model_factor: float = 1.0) -> float:
    """Credits for `request`: its work relative to one default picture, never less than a tenth.

    Work is megapixels × steps × pictures, image-to-image by the share of its steps that is run, five per cent more
    for each LoRA; `model_factor` is what a step of its model takes beside one of the default model.
    """
    work = request.megapixel_steps * (1.0 + LORA_SHARE * len(request.loras))
    return max(LEAST_COST, work / default_megapixel_steps * model_factor)
