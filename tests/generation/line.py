"""A line in memory that records every outcome; the dispatcher's other half in tests without a store."""

from __future__ import annotations

import time
from dataclasses import replace

from generation.errors import PaintingError
from generation.job import Job, Result


class MemoryLedger:
    """`stumble` makes the next writes fail as a full disk would."""

    def __init__(self, *jobs: Job) -> None:
        self.waiting = list(jobs)
        self.outcomes: list[tuple[str, str]] = []
        self.ended: dict[str, float] = {}  # when, by monotonic clock
        self.results: dict[str, Result] = {}
        self.stumble = 0
        self.claims = 0

    async def claim(self) -> Job | None:
        self.claims += 1
        if not self.waiting:
            return None
        job = self.waiting.pop(0)
        return replace(job, attempt=job.attempt + 1)

    async def rendered(self, job: Job, result: Result) -> None:
        self._write(job.id, "rendered")
        assert result.job_id == job.id
        self.results[job.id] = result
        self.ended[job.id] = time.monotonic()

    async def failed(self, job: Job, error: PaintingError) -> None:
        told = "" if error.sentence == type(error)().sentence else f": {error.sentence}"
        self._write(job.id, type(error).__name__ + told)
        self.ended[job.id] = time.monotonic()

    async def released(self, job: Job) -> None:
        self._write(job.id, "released")
        self._put_back(job)

    async def crashed(self, job: Job) -> None:
        self._write(job.id, "crashed")
        self._put_back(replace(job, crashes=job.crashes + 1))

    def _put_back(self, job: Job) -> None:
        self.waiting.insert(0, job)

    def _write(self, job_id: str, outcome: str) -> None:
        if self.stumble:
            self.stumble -= 1
            raise OSError("No space left on device")
        self.outcomes.append((job_id, outcome))
