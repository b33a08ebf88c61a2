"""The crowd that fairness is measured with: 1,000 members ask for 10,000 pictures, and ten of them for half of it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

MEMBERS = 1000
HEAVY = 10  # members who ask for half of everything
JOBS = 10_000
COSTS = (1.0, 2.0, 3.0, 4.0)  # credits of a job, each as likely
FLURRY = 60.0  # seconds in which somebody sends all they want


@dataclass(frozen=True, slots=True)
class Asked:
    """One job as it arrives."""

    at: float  # seconds from the beginning
    guild: int
    member: int  # the first HEAVY are the heavy ones
    cost: float

    @property
    def light(self) -> bool:
        """Whether it is of somebody who asks for little."""
        return self.member >= HEAVY


def crowd(minutes: float, guilds: int) -> list[Asked]:
    """All jobs in the order of their arrival; the same each time.

    The heavy members ask at once for all they want. The others come evenly over `minutes`; members are dealt out over
    `guilds` one by one, the heavy ones too.
    """
    chance = Random(1)  # noqa: S311 - the same crowd each time
    comes = [0.0] * HEAVY + [1.0 + chance.uniform(0.0, minutes * 60.0) for _ in range(MEMBERS - HEAVY)]
    flurry = FLURRY if minutes else 0.0
    heavy = [number % HEAVY for number in range(JOBS // 2)]
    light = [HEAVY + number % (MEMBERS - HEAVY) for number in range(JOBS - JOBS // 2)]
    found = [
        Asked(
            at=comes[member] + (chance.uniform(0.0, flurry) if member >= HEAVY else chance.random()),
            guild=member % guilds,
            member=member,
            cost=chance.choice(COSTS),
        )
        for member in (*heavy, *light)
    ]
    return sorted(found, key=lambda job: job.at)
