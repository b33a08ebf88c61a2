"""What thousands of jobs leave behind in the bot: memory by the job, and file descriptors; a real bot, no model."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path

from bot.bench import running
from bot.benches.report import show, write
from bot.benches.start import PACED, settings

MEMBERS = 50  # who each ask once a round
PICTURE = 0.01  # seconds


async def measure(*, jobs: int, report: Path | None) -> None:
    """Have `jobs` painted and shown, reading memory after every round; the slope is that of the second half."""
    with tempfile.TemporaryDirectory(prefix="atelier-bench-") as name:
        folder = Path(name)
        config = settings(folder, 10 * MEMBERS)
        done: list[int] = []
        memory: list[float] = []
        files: list[float] = []
        async with running(config, folder, guests=MEMBERS, program=PACED, last=str(PICTURE)) as bench:
            while not done or done[-1] < jobs:
                await bench.acknowledgements(MEMBERS)
                await bench.idle()
                health = await bench.health()
                done.append(MEMBERS * (len(done) + 1))
                memory.append(health["memory_mib"] * 1024)
                files.append(float(health["open_files"]))
    half = len(done) // 2
    slope = statistics.linear_regression(done[half:], memory[half:]).slope if len(done) - half > 1 else 0.0
    figures = {
        "growth_jobs": float(done[-1]),
        "growth_kib_per_job": slope,
        "growth_memory_first_mib": memory[0] / 1024,
        "growth_memory_half_mib": memory[half] / 1024,
        "growth_memory_last_mib": memory[-1] / 1024,
        "growth_files_half": files[half],
        "growth_files_last": files[-1],
    }
    show(figures)
    if report is not None:
        await asyncio.to_thread(write, report, figures, f"python -m bot bench growth --jobs {jobs}")
