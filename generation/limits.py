"""What a request costs and who can afford it: the generic cell rate algorithm (GCRA) over credits.

One credit is one default picture of the default model. An allowance of `burst` credits refills at `rate`; the whole
state is one number, the theoretical arrival time (TAT): the moment at which the allowance would be full again.
Source: ITU-T I.371; a refund is the subtraction of the same increment.
"""

from __future__ import annotations

from dataclasses import dataclass

from generation.request import Request


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many credits may be spent at once, how fast they come back, and how many a day."""

    burst: float  # credits
    per_hour: float  # credits that come back in an hour
    daily: float  # credits in a calendar day (UTC), whatever the line looks like
    waiting: int  # jobs a member may have waiting or running
    weight: float = 1.0  # share of the painting time while others wait

    @property
    def interval(self) -> float:
        """Seconds in which one credit comes back."""
        return 3600.0 / self.per_hour


@dataclass(frozen=True, slots=True)
class Charge:
    """The outcome of asking for credits."""

    affordable: bool
    tat: float  # the new state if charged, epoch seconds
    seconds: float  # what a refund subtracts again
    retry_at: float | None  # when the same cost is affordable; None when it is larger than the burst


def charge(tat: float, cost: float, now: float, allowance: Allowance) -> Charge:
    """Spend `cost` credits of an allowance whose state is `tat` (epoch seconds; 0.0 for a newcomer)."""
    start = max(tat, now)
    after = start + cost * allowance.interval
    latest = now + allowance.burst * allowance.interval
    if after <= latest + 1e-6:
        return Charge(True, after, after - start, None)
    # Whoever is served all the same, because nobody else waits, ends with an empty allowance but never in debt.
    emptied = max(start, latest)
    possible = cost <= allowance.burst
    return Charge(False, emptied, emptied - start, now + (after - latest) if possible else None)


def available(tat: float, now: float, allowance: Allowance) -> float:
    """Credits that could be spent now."""
    return min(allowance.burst, max(0.0, allowance.burst - (tat - now) / allowance.interval))


def cost_of(request: Request, *, default_megapixel_steps: float, model_factor: float = 1.0) -> float:
    """Credits for `request`: its work relative to one default picture, never less than a tenth."""
    return max(0.1, request.megapixel_steps / default_megapixel_steps * model_factor)
