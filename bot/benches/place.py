"""Whether the place in line that members read is the one at which they are painted.

Two measures. *At the moment*: the line is copied while people come and go, the copy is emptied with nobody joining or
leaving any more, and every place that was shown is compared with the real one: what can be known must be right. *To the
end*: the place shown at admission against the number of jobs that were really painted before, latecomers of other
members and cancellations included: nobody can know those, so this is told and not judged.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.benches.paced import Paced
from bot.benches.report import percentile, show, write
from bot.benches.submit import an_order, front_desk
from bot.order import Member, Order
from bot.store.database import Database
from bot.store.jobs import JobStore
from bot.studio import Studio
from generation.errors import BadRequest
from generation.job import Job, JobState, Progress, Result
from generation.models import ModelCard

MEMBERS = 1000
CANCELLED = 0.05  # share of all jobs
LOOKS = 3  # copies of the line that are emptied
LOOKED_AT = 300  # jobs of each
NEAR = 2  # places


@dataclass(slots=True)
class Run:
    """What happened to the jobs of one run."""

    shown: dict[str, int] = field(default_factory=dict)  # ahead at admission, by job
    painted_then: dict[str, int] = field(default_factory=dict)  # jobs that had been painted at that moment
    painted: list[str] = field(default_factory=list)  # in the order in which they were begun
    off: list[int] = field(default_factory=list)  # places by which the shown ones were off, at a moment


async def measure(*, jobs: int, guilds: int, seconds: float, report: Path | None) -> None:
    """`jobs` orders in `seconds`, half as many painted in that time; then the rest of the line is painted."""
    run = Run()
    with tempfile.TemporaryDirectory(prefix="atelier-bench-") as name:
        folder = Path(name)
        painter = _Noting(2 * seconds / jobs, run)
        async with front_desk(folder, worker=painter) as (studio, desk):
            for part in range(LOOKS + 1):
                await _come_and_go(studio, run, part, jobs // (LOOKS + 1), guilds, seconds / (LOOKS + 1))
                if part < LOOKS:
                    run.off += await _looked(folder, part)
            while (await desk.jobs.counts()).get(JobState.ACCEPTED, 0):  # noqa: ASYNC110 - only the store knows
                await asyncio.sleep(0.2)
    places = {job_id: place for place, job_id in enumerate(run.painted)}
    late = [
        abs(places[job_id] - run.painted_then[job_id] - ahead)
        for job_id, ahead in run.shown.items()
        if job_id in places
    ]
    figures = {
        "place_jobs": float(jobs),
        "place_members": float(MEMBERS),
        "place_guilds": float(guilds),
        "place_compared": float(len(run.off)),
        "place_within_2": sum(off <= NEAR for off in run.off) / max(1, len(run.off)),
        "place_off_p95": percentile([float(off) for off in run.off], 0.95),
        "place_off_worst": float(max(run.off, default=0)),
        "place_to_the_end_within_2": sum(off <= NEAR for off in late) / max(1, len(late)),
        "place_to_the_end_off_p50": percentile([float(off) for off in late], 0.5),
    }
    show(figures)
    if report is not None:
        command = f"python -m bot bench place --jobs {jobs} --guilds {guilds} --seconds {seconds:g}"
        await asyncio.to_thread(write, report, figures, command)


class _Noting(Paced):
    """Notes who is painted when."""

    def __init__(self, seconds: float, run: Run) -> None:
        super().__init__(seconds)
        self._run = run

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        """As it always does."""
        self._run.painted.append(job.id)
        return await super().paint(job, on_progress)


async def _come_and_go(studio: Studio, run: Run, part: int, jobs: int, guilds: int, seconds: float) -> None:
    """Members send `jobs` orders over `seconds`, and some of them change their minds."""
    chance = random.Random(part)  # noqa: S311 - the same crowd each time
    loop = asyncio.get_running_loop()
    began, waiting = loop.time(), dict[str, Member]()
    for number in range(jobs):
        await asyncio.sleep(max(0.0, began + seconds * number / jobs - loop.time()))
        order = _order(part * jobs + number, chance, guilds, studio.card)
        job_id = (await studio.submit(order)).job_id
        run.shown[job_id] = (await studio.standing(job_id)).ahead
        run.painted_then[job_id] = len(run.painted) - 1 if run.painted else 0
        waiting[job_id] = order.member
        if chance.random() < CANCELLED:
            gone = chance.choice([*waiting])
            try:
                await studio.cancel(gone, waiting.pop(gone))
            except BadRequest:
                continue  # it was painted already


def _order(number: int, chance: random.Random, guilds: int, card: ModelCard) -> Order:
    """Of somebody; a tenth of the members ask for half of everything, and a picture costs one to four credits."""
    member = chance.randrange(MEMBERS // 10) if chance.random() < 0.5 else chance.randrange(MEMBERS)
    guild_id = member % guilds + 1
    order = an_order(number, card)
    return replace(
        order,
        request=replace(order.request, count=chance.randint(1, 4)),
        member=Member(id=member + 1, guild_id=guild_id),
        address=replace(order.address, guild_id=guild_id),
    )


async def _looked(folder: Path, part: int) -> list[int]:
    """By how many places what is shown at this moment is off, with nobody coming or going any more."""
    copy = folder / f"copy{part}"
    copy.mkdir()
    await asyncio.to_thread(_copied, folder / "atelier.sqlite", copy / "atelier.sqlite")
    async with Database(f"sqlite+aiosqlite:///{copy / 'atelier.sqlite'}", copy) as database:
        jobs = JobStore(database)
        waiting = [commission.id for commission in await jobs.in_state(JobState.ACCEPTED)]
        running = len(await jobs.in_state(JobState.RUNNING))
        chosen = random.Random(part).sample(waiting, min(LOOKED_AT, len(waiting)))  # noqa: S311 - as above
        shown = {job_id: (await jobs.ahead(job_id))[0] for job_id in chosen}
        order = dict[str, int]()
        while (job := await jobs.claim()) is not None:
            order[job.id] = running + len(order)
    return [abs(order[job_id] - ahead) for job_id, ahead in shown.items()]


def _copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(target)) as after:
        before.backup(after)
