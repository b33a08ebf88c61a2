"""The seam between the line and the place of painting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from generation.engine.options import EngineOptions
from generation.job import Job, Progress, Result
from generation.models import ModelCard
from generation.provenance.identity import Identity

# torch's threads wait for each other by spinning; where the bot, the file encoders or a browser share the cores, that
# makes a step ten times slower. A short spin costs nothing on a quiet machine. Read when torch is imported.
THREADS_SETTINGS = {"GOMP_SPINCOUNT": "1000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What a worker needs to know to start; plain values, so that they can cross to another process or machine."""

    model: str = "starter"  # the one in service from the start
    places: Mapping[str, str] = field(default_factory=dict)  # further models: name → folder, file or hub id
    loras: str = ""  # folder of LoRAs; empty: none
    device: str = "auto"  # auto, cpu, cuda, cuda:1
    dtype: str = "auto"  # auto, float32, float16, bfloat16
    threads: int = 0  # CPU threads for painting; 0: one per physical core
    checkers: tuple[str, ...] = ()  # names or folders, see generation.safety.gate
    allow_unchecked_uploads: bool = False  # only ever true when no other person can be reached (the local Discord)
    file_format: str = "webp"  # webp, png, jpeg
    embed_recipe: bool = True  # the line of settings; the prompt is in it only where its author wants that
    identity: Identity | None = None  # who signs the files; None: nobody
    watermark: str = ""  # folder of a watermark's weights; empty: pictures carry none
    step_timeout: float = 60.0  # seconds without any sign of life from the engine before it is replaced
    options: EngineOptions = field(default_factory=EngineOptions)
    notebook: str = ""  # file in which measurements are kept between starts; empty: nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """What a running worker says of itself."""

    card: ModelCard
    device: str  # in words, e.g. "CPU (2 threads)" or "NVIDIA RTX 4090"
    seconds_per_megapixel_step: float | None  # of one picture in a full call; None where nothing was measured
    checkers: tuple[str, ...]  # what the gate stands on
    accepts_uploads: bool
    coverage: tuple[str, ...] = ()  # what each of them looks for and does not, for moderators
    together: int = 1  # jobs that may be in the engine at once
    rows: int = 2  # of one denoiser call: the knee, or what exact mode allows
    exact: bool = False  # whether a picture has the same bits in any company
    alone_factor: float = 1.0  # how much longer a picture's steps take alone than its share of a full call
    call_seconds: Mapping[int, float] = field(default_factory=dict)  # of the model's own size, by rows


class Worker(Protocol):
    """Paints jobs somewhere; every method may be called from one event loop only."""

    @property
    def capacity(self) -> int:
        """How many jobs may be in `paint` at once; 0 while painting pauses, and whoever waits is to go on waiting."""
        ...

    @property
    def trouble(self) -> str:
        """Why painting pauses, in a sentence for members; empty when it does not."""
        ...

    @property
    def status(self) -> WorkerStatus | None:
        """None until the model is loaded, and again while the worker is being replaced."""
        ...

    async def start(self) -> None:
        """Start loading; returns at once. Faults while loading show up in `paint` as ModelUnavailable."""
        ...

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        """Paint `job`; raises a PaintingError (Cancelled after `cancel`, WorkerLost when the process died)."""
        ...

    def cancel(self, job_id: str) -> None:
        """Ask for `job_id` to stop at its next step; unknown ids are ignored."""
        ...

    async def close(self) -> None:
        """Stop now; jobs still painting end in WorkerLost."""
        ...
