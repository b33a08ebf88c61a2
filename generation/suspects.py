"""Jobs that may have taken a painting process down: set aside until they can be painted with nobody beside them.

Whoever was in the same call as a poisonous job looks as guilty as it does. Painted alone, an innocent one is done, and
only the guilty one goes on to collect crashes. One that is known to be guilty lets everybody else go first, so that
whoever waits sees no more of its restarts than there were before it came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from generation.job import Job

PASSED_OVER = 600.0  # seconds after which a known culprit has its turn however many others wait


@dataclass(frozen=True, slots=True)
class _Held:
    job: Job
    known: bool
    since: float


class Suspects:
    """Those of one worker; each was claimed and is not being painted yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, job: Job, *, known: bool) -> None:
        """Set a job aside; `known`: it was the only one at work when a painting process ended."""
        self._held[job.id] = _Held(job, known, self._clock())

    @property
    def due(self) -> bool:
        """Whether nobody else may begin before one of these had its turn."""
        return any(not held.known or self._clock() - held.since >= PASSED_OVER for held in self._held.values())

    def take(self) -> Job | None:
        """The next to be painted, alone: those who are probably innocent first."""
        if not self._held:
            return None
        first = min(self._held.values(), key=lambda held: held.known)
        return self._held.pop(first.job.id).job

    def withdraw(self, ids: Collection[str]) -> Job | None:
        """One of those with these ids, if any is here."""
        found = next((name for name in self._held if name in ids), None)
        return self._held.pop(found).job if found is not None else None

    def empty(self) -> list[Job]:
        """All of them; none is here any more."""
        jobs = [held.job for held in self._held.values()]
        self._held.clear()
        return jobs
