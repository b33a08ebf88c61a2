"""Throughput of admission: filter, limits and a durable commit, on the real front desk over a real database."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.benches.report import percentile, show, write
from bot.benches.scratch import scratch
from bot.config import Config
from bot.desk import Desk
from bot.moderation.entries import Entry
from bot.order import Address, Member, Order
from bot.policybook import PolicyBook
from bot.rulebook import RuleBook
from bot.sections import Budgets, Line, Purse, Tier
from bot.store.database import Database
from bot.studio import Studio
from generation.job import Job, JobState, Progress, Result
from generation.models import ModelCard, describe
from generation.request import Request
from generation.workers.worker import Worker, WorkerStatus

GUILD = 1
MEMBERS = 1000
RULES = 1000
AT_ONCE = 64  # members who press at the same time while the most possible is measured
WORDS = ("red", "blue", "small", "tall", "quiet", "house", "tree", "boat", "hill", "lake", "cloud", "garden", "fox")
WIDE = Tier(burst=1e6, per_hour=1e6, daily=1e6, waiting=1000)


class Asleep:
    """A worker that takes no job: what is measured ends with the commit."""

    capacity = 0
    trouble = ""
    status: WorkerStatus | None = None

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    def cancel(self, job_id: str) -> None:
        """Nothing runs."""

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        """Never called: there is room for no job."""
        raise NotImplementedError


def busy_rules() -> list[Entry]:
    """As many rules as a busy server may have, of words that nobody writes: prompts are looked through to their end."""
    letters = random.Random(20)  # noqa: S311 - the same words each time
    return [Entry("".join(letters.choices("bcdfghjklmnpqrstvwxz", k=8))) for _ in range(RULES)]


async def measure(config: Path | None, *, rate: float, seconds: float, report: Path | None) -> None:
    """Take all figures; `rate` submissions a second are offered for `seconds`, on a database of the configured kind."""
    async with scratch(config) as (url, folder), front_desk(folder, url=url) as (studio, desk):
        card = studio.card
        orders = (an_order(number, card) for number in range(10**9))
        await _at_once(studio, [next(orders) for _ in range(300)])  # what is done once is done
        most = int(rate * seconds / 2)
        figures = {"submit_rules": float(RULES), "submit_members": float(MEMBERS)}
        figures |= {"submit_most_per_s": await _at_once(studio, [next(orders) for _ in range(most)])}
        planned, busy = int(rate * seconds), time.process_time()
        latencies, took = await _offered(studio, [next(orders) for _ in range(planned)], rate)
        figures |= {
            "submit_offered_per_s": rate,
            "submit_admitted_per_s": planned / took,
            "submit_cpu_ms": (time.process_time() - busy) / planned * 1000,
            "submit_p50_ms": percentile(latencies, 0.5) * 1000,
            "submit_p99_ms": percentile(latencies, 0.99) * 1000,
            "submit_worst_ms": max(latencies) * 1000,
            "submit_waiting_at_the_end": float((await desk.jobs.counts())[JobState.ACCEPTED]),
        }
    show(figures)
    if report is not None:
        command = f"python -m bot bench submit --rate {rate:g} --seconds {seconds:g}"
        await asyncio.to_thread(write, report, figures, command)


@asynccontextmanager
async def front_desk(
    folder: Path, worker: Worker | None = None, *, url: str = ""
) -> AsyncIterator[tuple[Studio, Desk]]:
    """Everything between a member and the line, as the app wires it; budgets of all kinds are kept."""
    purse = Purse(per_hour=1e6, daily=1e6)
    config = Config(
        data_dir=folder,
        database_url=url,
        limits={"member": WIDE},
        line=Line(waiting=10**6),
        budgets=Budgets(server=purse, house=purse),
    )
    async with Database(config.database, folder) as database:
        desk = Desk.over(database, folder)
        rules = RuleBook(desk)
        await rules.open()
        await rules.put(GUILD, busy_rules(), added_by=1)
        policies = PolicyBook(desk.policies)
        studio = Studio(
            config,
            desk=desk,
            rules=rules,
            policies=policies,
            workers=(worker or Asleep(),),
            card=describe("starter"),
            alone=True,
        )
        await studio.start()
        try:
            yield studio, desk
        finally:
            await studio.close(grace=0.0)
            await rules.close()


def an_order(number: int, card: ModelCard) -> Order:
    """The order that somebody presses as the `number`th; every one with words of its own."""
    words = random.Random(number)  # noqa: S311 - the same orders each time
    request = Request(
        prompt=" ".join(words.choices(WORDS, k=12)),
        width=card.native,
        height=card.native,
        steps=card.steps,
        guidance=card.guidance,
        sampler=card.sampler,
        seed=number,
        model=card.name,
    )
    address = Address(
        channel_id=2,
        guild_id=GUILD,
        interaction_id=number + 1,
        token="t" * 200,  # as long as Discord's
        token_expires=time.time() + 900.0,
        application_id=3,
    )
    return Order(request=request, member=Member(id=number % MEMBERS + 1, guild_id=GUILD), address=address)


async def _at_once(studio: Studio, orders: list[Order]) -> float:
    """Submissions a second when AT_ONCE members each press again as soon as they are answered."""
    left = iter(orders)

    async def presses() -> None:
        for order in left:
            await studio.submit(order)

    began = time.perf_counter()
    await asyncio.gather(*(presses() for _ in range(AT_ONCE)))
    return len(orders) / (time.perf_counter() - began)


async def _offered(studio: Studio, orders: list[Order], rate: float) -> tuple[list[float], float]:
    """Latencies in seconds from the planned moment of each press, whether or not the ones before are answered."""
    chance = random.Random(5)  # noqa: S311 - the same moments each time
    latencies: list[float] = []

    async def press(order: Order, due: float) -> None:
        await studio.submit(order)
        latencies.append(time.perf_counter() - due)

    began = due = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for order in orders:
            due += chance.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(press(order, due))
    return latencies, time.perf_counter() - began
