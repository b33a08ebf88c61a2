"""kill -9 of the painting process at random steps: is anything lost, and is any picture another one afterwards?"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from generation.bench.report import Report, Sheet
from generation.dispatch import Dispatcher
from generation.engine.options import EngineOptions
from generation.errors import PaintingError
from generation.job import Job, Progress, Result
from generation.request import Request
from generation.workers.breaker import Backoff, Breaker
from generation.workers.child import ChildWorker
from generation.workers.worker import EngineSettings

SAMPLERS = ("dpmpp_2m", "euler_a", "unipc", "ddim")
SIDE, STEPS = 64, 6
OPTIONS = EngineOptions(exact="on", measure_seconds=0.0, previews_per_second=0.0)
NEVER = 10**9  # deaths: the breaker is not what is looked at here


@dataclass(slots=True)
class Line:
    """The dispatcher's memory, in this process: who waits, and how everybody ended."""

    waiting: deque[Job]
    results: dict[str, Result] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    again: int = 0  # times that a job went back to the line

    async def claim(self) -> Job | None:
        """See Ledger."""
        return self.waiting.popleft() if self.waiting else None

    async def rendered(self, job: Job, result: Result) -> None:
        """See Ledger."""
        self.results[job.id] = result

    async def failed(self, job: Job, error: PaintingError) -> None:
        """See Ledger."""
        self.failures[job.id] = error.sentence

    async def released(self, job: Job) -> None:
        """See Ledger."""
        self.again += 1
        self.waiting.appendleft(replace(job, attempt=job.attempt + 1))

    async def crashed(self, job: Job) -> None:
        """See Ledger."""
        await self.released(replace(job, crashes=job.crashes + 1))

    @property
    def ended(self) -> int:
        """Jobs that wait no longer."""
        return len(self.results) + len(self.failures)


class Killer:
    """Kills the painting process once for each of some jobs, at a step of that job."""

    def __init__(self, worker: ChildWorker, at: dict[str, int]) -> None:
        self._worker = worker
        self._at = dict(at)
        self._victim: int | None = None
        self._killed_at = 0.0
        self.kills = 0
        self.pauses: list[float] = []  # seconds from a kill to the next step of anybody

    def watch(self, job: Job, progress: Progress) -> None:
        """A step was painted."""
        pid = self._worker.pid
        if not progress.step or pid is None or pid == self._victim:
            return  # what a dead process still had to say
        if self._victim is not None and self._killed_at:
            self.pauses.append(time.monotonic() - self._killed_at)
            self._killed_at = 0.0
        if progress.step >= self._at.get(job.id, NEVER):
            del self._at[job.id]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._victim, self._killed_at = pid, time.monotonic()
            self.kills += 1


async def measure(kills: int, seed: int, *, threads: int = 1, told: Callable[[str, int, int], None]) -> Report:
    """Paint two jobs for each of `kills`, in peace and under fire; report what differs."""
    rng = random.Random(seed)  # noqa: S311 - the same run again, nothing secret
    jobs = [_job(number, rng) for number in range(2 * kills)]
    at = {job.id: rng.randint(1, job.request.steps) for job in rng.sample(jobs, kills)}
    settings = EngineSettings(device="cpu", threads=threads, options=OPTIONS)
    peaceful, _ = await _painted(settings, jobs, {}, lambda done: told("In peace", done, len(jobs)))
    line, killer = await _painted(settings, jobs, at, lambda done: told("Under fire", done, len(jobs)))
    return _report(jobs, peaceful, line, killer, seed)


def _job(number: int, rng: random.Random) -> Job:
    request = Request(
        prompt="a red house on the hill at night",
        width=SIDE * rng.choice((1, 2)),
        height=SIDE,
        steps=rng.randint(2, STEPS),
        guidance=4.0,
        sampler=rng.choice(SAMPLERS),
        seed=number,
        model="starter",
        count=rng.choice((1, 1, 2)),
    )
    return Job(id=f"job-{number}", request=request)


async def _painted(
    settings: EngineSettings, jobs: Sequence[Job], at: dict[str, int], told: Callable[[int], None]
) -> tuple[Line, Killer]:
    worker = ChildWorker(settings, backoff=Backoff(0.05, 0.1), breaker=Breaker(deaths=NEVER))
    line, killer = Line(deque(jobs)), Killer(worker, at)
    dispatcher = Dispatcher(line, [worker], killer.watch)
    await dispatcher.start()
    try:
        while line.ended < len(jobs):
            told(line.ended)
            await asyncio.sleep(0.05)
    finally:
        await dispatcher.close(grace=0)
    return line, killer


def _report(jobs: Sequence[Job], peaceful: Line, line: Line, killer: Killer, seed: int) -> Report:
    lost = [job.id for job in jobs if job.id not in line.results]
    changed = [
        job.id
        for job in jobs
        if job.id not in lost and line.results[job.id].pictures != peaceful.results[job.id].pictures
    ]
    figures = {
        "kills": float(killer.kills),
        "jobs": float(len(jobs)),
        "lost": float(len(lost)),
        "other_pictures": float(len(changed)),
        "painted_again": float(line.again),
        "kill_to_next_step_median_s": statistics.median(killer.pauses) if killer.pauses else 0.0,
        "kill_to_next_step_worst_s": max(killer.pauses, default=0.0),
    }
    sheet = Sheet(
        f"kill -9 of the painting process at {killer.kills} random steps",
        ("figure", "value"),
        [(name, f"{value:g}" if value == int(value) else f"{value:.2f}") for name, value in figures.items()],
    )
    told = [f"Seed {seed}; pictures are compared byte for byte, as files."]
    return Report({}, figures, [sheet], notes=told + [f"{name}: {line.failures.get(name, '')}" for name in lost])
