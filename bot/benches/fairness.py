"""Fairness of the line: the real store with ten thousand jobs, a painter of fixed speed, and time that is simulated."""

from __future__ import annotations

import asyncio
import tempfile
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.benches.crowd import FLURRY, Asked, crowd
from bot.benches.fluid import Ideal, ideal
from bot.benches.report import percentile, show, write
from bot.order import Address, Member, Order
from bot.store.database import Database
from bot.store.jobs import JobStore
from generation.job import JobState
from generation.limits import Allowance
from generation.request import Request

WHOLE = 7200.0  # seconds that the painter needs for everything
HORIZON = 3600.0  # seconds after which shares are compared
WIDE = Allowance(burst=1e6, per_hour=1e6, daily=1e6, waiting=10_000)
LINE = 20_000
EPOCH = 1_800_000_000.0  # seconds; where simulated time begins


@dataclass(slots=True)
class Outcome:
    """What one way of ordering the line came to."""

    finished: list[float]  # seconds from the beginning, of each job
    painted: dict[int, float]  # credits that each member had got at the horizon


async def measure(*, minutes: float, guilds: int, report: Path | None) -> None:
    """Play the crowd to the real store and to a plain line, and compare both with the ideal."""
    jobs = crowd(minutes, guilds)
    speed = sum(job.cost for job in jobs) / WHOLE
    best = ideal(jobs, speed, HORIZON)
    figures: dict[str, float] = {"jobs": float(len(jobs)), "guilds": float(guilds), "members_come_over_min": minutes}
    with tempfile.TemporaryDirectory(prefix="atelier-bench-") as folder:
        ours, costs = await _through_the_store(jobs, speed, Path(folder))
    for name, outcome in (("fair", ours), ("fifo", first_come(jobs, speed))):
        figures |= {f"{name}_{key}": value for key, value in compared(jobs, outcome, best).items()}
    figures |= costs
    show(figures)
    if report is not None:
        command = f"python -m bot bench fairness --over {minutes:g} --guilds {guilds}"
        await asyncio.to_thread(write, report, figures, command)


def compared(jobs: Sequence[Asked], outcome: Outcome, best: Ideal) -> dict[str, float]:
    """Jain's index over what each member got of their fair share; waits of light members beside the ideal's."""
    shares = [outcome.painted.get(member, 0.0) / fair for member, fair in best.painted.items() if fair > 0]
    waits = _light_waits(jobs, outcome.finished)
    ideals = _light_waits(jobs, best.finished)
    return {
        "jain_1h": jain(shares),
        "least_share_1h": min(shares),
        "light_wait_p50_s": percentile(waits, 0.5),
        "light_wait_p99_s": percentile(waits, 0.99),
        "light_wait_p50_to_ideal": percentile(waits, 0.5) / percentile(ideals, 0.5),
        "light_wait_p99_to_ideal": percentile(waits, 0.99) / percentile(ideals, 0.99),
    }


def jain(values: Sequence[float]) -> float:
    """Jain's fairness index: 1 when all are equal, 1/n when one has everything."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 0.0


def first_come(jobs: Sequence[Asked], speed: float) -> Outcome:
    """A line in which whoever came first is served first."""
    outcome = Outcome([0.0] * len(jobs), {})
    now = 0.0
    for number, job in enumerate(jobs):
        now = _paint(outcome, job, number, max(now, job.at), speed)
    return outcome


async def _through_the_store(jobs: Sequence[Asked], speed: float, folder: Path) -> tuple[Outcome, dict[str, float]]:
    """The same painter served by the real store, whose clock is the simulated one."""
    outcome = Outcome([0.0] * len(jobs), {})
    now, number, most = 0.0, 0, 0
    numbers: dict[str, int] = {}
    claims: list[float] = []
    async with Database(f"sqlite+aiosqlite:///{folder / 'bench.sqlite'}", folder) as database:
        store = JobStore(database, lambda: EPOCH + now)
        while len(claims) < len(jobs):
            if number < len(jobs) and number == len(claims):
                now = max(now, jobs[number].at)  # nobody waits: the painter does, for the next to come
            come = bisect_right(jobs, now, lo=number, key=lambda job: job.at)
            arriving = [*enumerate(jobs[number:come], number)]
            for start in range(0, len(arriving), 500):
                group = arriving[start : start + 500]
                admitted = await asyncio.gather(*(_ask(store, job, index) for index, job in group))
                numbers |= dict(zip(admitted, (index for index, _ in group), strict=True))
            number += len(arriving)
            most = max(most, number - len(claims))
            began = time.perf_counter()
            claimed = await store.claim()
            claims.append(time.perf_counter() - began)
            assert claimed is not None, "somebody waits"
            painted = numbers[claimed.id]
            now = _paint(outcome, jobs[painted], painted, now, speed)
            await store.end(claimed.id, JobState.POSTED, only_from=(JobState.RUNNING,))
    costs = {
        "most_waiting": float(most),
        "claim_p50_ms": percentile(claims, 0.5) * 1000,
        "claim_p99_ms": percentile(claims, 0.99) * 1000,
    }
    return outcome, costs


def _paint(outcome: Outcome, job: Asked, number: int, begins: float, speed: float) -> float:
    """Paint one job to its end; returns the moment. What falls before the horizon counts for its member."""
    ends = begins + job.cost / speed
    outcome.finished[number] = ends
    within = max(0.0, min(ends, HORIZON) - min(begins, HORIZON)) * speed
    outcome.painted[job.member] = outcome.painted.get(job.member, 0.0) + within
    return ends


def _light_waits(jobs: Sequence[Asked], finished: Sequence[float]) -> list[float]:
    """Seconds from asking to the finished picture, of everybody who asks for little."""
    return [end - job.at for job, end in zip(jobs, finished, strict=True) if job.light]


async def _ask(store: JobStore, job: Asked, number: int) -> str:
    request = Request(
        prompt="a red house",
        width=256,
        height=256,
        steps=20,
        guidance=4.0,
        sampler="dpmpp_2m",
        seed=number,
        model="starter",
    )
    address = Address(
        channel_id=2,
        guild_id=job.guild + 1,
        interaction_id=number + 1,
        token="t" * 200,  # as long as Discord's
        token_expires=EPOCH + FLURRY,
        application_id=3,
    )
    order = Order(request=request, member=Member(id=job.member + 1, guild_id=job.guild + 1), address=address)
    job_id, _ = await store.enqueue(order, job.cost, WIDE, LINE)
    return job_id
