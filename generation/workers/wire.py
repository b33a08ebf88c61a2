"""Everything that is said between a worker and its child process.

A painting is known by a number of its own, not by its job: a job may come twice, and word of its first painting must
not be taken for word of the second.
"""

from __future__ import annotations

from dataclasses import dataclass

from generation.errors import AtelierError
from generation.job import Job, Progress, Result
from generation.workers.worker import EngineSettings, WorkerStatus

# ── to the child ──


@dataclass(frozen=True, slots=True)
class Start:
    """The first message: load a model."""

    settings: EngineSettings
    log_level: int


@dataclass(frozen=True, slots=True)
class Paint:
    """Paint this job when those before it are done."""

    painting: int
    job: Job


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this painting at its next step, or forget it when it has not begun."""

    painting: int


ToChild = Start | Paint | Cancel

# ── from the child ──


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded, warmed up and its gate tested."""

    status: WorkerStatus


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The child gives up loading and ends."""

    sentence: str
    may_pass: bool = False  # what is in the way may be gone at the next try


@dataclass(frozen=True, slots=True)
class Alive:
    """Work goes on between two steps: loading, decoding, checking."""

    doing: str
    seconds: float = 0.0  # how long it may take until the next sign; 0: as usual


@dataclass(frozen=True, slots=True)
class Stepped:
    """One denoising step is done."""

    painting: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Done:
    """The job's pictures."""

    painting: int
    result: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ends with this error."""

    painting: int
    error: AtelierError


@dataclass(frozen=True, slots=True)
class Hand:
    """What is being worked at from now on; should this process end, it is to be found among these."""

    paintings: frozenset[int]


@dataclass(frozen=True, slots=True)
class Leaving:
    """The child ends for a reason of its own, and no job's."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line for the parent's log."""

    level: int
    name: str
    text: str


FromChild = Ready | LoadFailed | Alive | Stepped | Done | Failed | Hand | Leaving | LogLine
