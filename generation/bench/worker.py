"""Measures the worker as the bot uses it, through the process boundary and the gate."""

from __future__ import annotations

import asyncio
import json
import platform
import statistics
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from generation.errors import ModelUnavailable
from generation.job import Job, Progress
from generation.request import Request
from generation.workers.child import ChildWorker
from generation.workers.worker import EngineSettings, WorkerStatus

PACKAGES = ("torch", "diffusers", "transformers", "pillow", "numpy")


def run(settings: EngineSettings, rounds: int, json_file: Path | None, console: Console) -> None:
    """Measure `rounds` times, print medians, and write them to `json_file` if given."""
    figures, status = asyncio.run(_measure(settings, rounds, console))
    table = Table("figure", "median", title=f"{status.card.name} on {status.device}")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3f}")
    console.print(table)
    if json_file is not None:
        environment = {
            "device": status.device,
            "platform": platform.platform(),
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        }
        command = " ".join(["python -m generation", *sys.argv[1:]])
        data = {"figures": figures, "environment": environment, "command": command}
        json_file.write_text(json.dumps(data, indent=2) + "\n", "utf-8")


async def _measure(settings: EngineSettings, rounds: int, console: Console) -> tuple[dict[str, float], WorkerStatus]:
    worker = ChildWorker(settings)
    try:
        began = time.perf_counter()
        await worker.start()
        status = await _ready(worker)
        seen: dict[str, list[float]] = {"start_to_ready_s": [time.perf_counter() - began]}
        card = status.card
        picture = Request(
            prompt="a red house on the hill at night",
            width=card.native,
            height=card.native,
            steps=20,
            guidance=card.guidance,
            sampler=card.sampler,
            seed=1,
            model=card.name,
        )
        arms = {
            "picture_20_steps": picture,
            "picture_8_steps": replace(picture, steps=8),
            "set_of_4_20_steps": replace(picture, count=4),
        }
        for index in track(range(rounds + 1), description="Measuring", console=console):
            for name, request in arms.items():
                timed = await _time(worker, name, request)
                if index > 0:  # the first round fills the caches of every shape
                    for key, seconds in timed.items():
                        seen.setdefault(key, []).append(seconds)
        return {name: statistics.median(values) for name, values in seen.items()}, status
    finally:
        await worker.close()


async def _ready(worker: ChildWorker) -> WorkerStatus:
    while worker.status is None:
        if worker.fault or worker.trouble:
            raise ModelUnavailable(worker.fault or worker.trouble)
        await asyncio.sleep(0.01)
    return worker.status


async def _time(worker: ChildWorker, name: str, request: Request) -> dict[str, float]:
    """Seconds from handing over `request`: to the first preview, per step, from the last step to the file, in all."""
    marks = [time.perf_counter()]

    def stepped(progress: Progress) -> None:
        marks.append(time.perf_counter())

    await worker.paint(Job(id="bench", request=request), stepped)
    end = time.perf_counter()
    return {
        f"{name}_first_preview_s": marks[1] - marks[0],
        f"{name}_per_step_s": (marks[-1] - marks[1]) / max(1, len(marks) - 2),
        f"{name}_decode_check_encode_s": end - marks[-1],
        f"{name}_total_s": end - marks[0],
    }
