"""What can be chosen about a training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generation.starter.training.diffusion import ATTENTION, CENTRE


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One call of the trainer."""

    run: Path  # folder of checkpoint, log, cached latents and sheets
    start: Path  # weights folder to begin from, and the template of what is written
    world: str = "narrow"
    device: str = "cpu"
    minutes: float = 30.0
    pictures: int = 30000  # cached pictures of the world
    batch: int = 16  # per process
    processes: int = 1
    threads: int = 1  # per process
    workers: int = 2  # processes that draw pictures
    lr: float = 1e-3
    warmup: int = 60  # steps
    cooldown: float = 0.0  # share of the minutes at the end in which the learning rate falls
    ema: float = 0.998
    unconditional: float = 0.1  # share of empty captions
    centre: float = CENTRE  # log signal-to-noise ratio that is trained most
    attention: float = ATTENTION  # extra weight of the cells that show a thing
    many: float = 1.0  # how often a picture of several things is seen, one thing being 1
    hazards: float = 0.04  # share of pictures with hazard tape
    # How often a picture with this part is seen, others being 1: a thing, a style, a weather or "hazard" that is weak.
    favoured: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    save_every: float = 60.0  # seconds
    steps: int = 0  # stop after so many; 0 is no limit
    compile: bool = False

    @property
    def checkpoint(self) -> Path:
        """Where the run continues from."""
        return self.run / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """JSON lines: samples, loss, seconds."""
        return self.run / "log.jsonl"
