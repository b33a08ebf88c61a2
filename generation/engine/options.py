"""How the engine goes about its work; plain values with defaults that were measured (see BENCHMARKS.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Choice = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What can be chosen about batches, exactness and speed."""

    exact: Choice = "auto"  # the same bits whoever shares a call; auto: where it costs under a tenth
    rows: int = 0  # the most rows of one denoiser call; 0: the measured knee
    stepping: Literal["tables", "objects"] = "tables"  # objects: the library's own steps, for comparison
    preview_first: bool = True  # a newcomer's first step comes before everybody's next
    decode_batch: int = 0  # pictures decoded together; 0: one on a CPU, up to eight on a GPU
    channels_last: Choice = "auto"  # memory layout of convolutions; auto: on, measured as a gain everywhere
    compile: Choice = "auto"  # auto: on CUDA
    graphs: Choice = "auto"  # CUDA graphs of the compiled denoiser; auto: off until measured on your card
    measure_seconds: float = 3.0  # how long the measurement of one size may take; 0: do not measure
    preview_every: float = 1.5  # seconds between two previews of one job, after its first
    previews_per_second: float = 5.0  # over all jobs; 0: none at all
    memory_budget: int = 0  # bytes for resident models; 0: what the machine has free
    patience: float = 30.0  # seconds a job may wait for its model before the models in service make room
