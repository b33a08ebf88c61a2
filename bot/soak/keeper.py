"""Keeps the bot's processes: starts them, kills them, starts them again when they end, and watches what they hold."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.soak.house import SERVING

END_PATIENCE = 90.0  # seconds a process may take to end after SIGTERM
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process held at one moment."""

    jobs: int  # that had been accepted by then
    resident: int  # bytes
    descriptors: int


@dataclass(slots=True)
class Life:
    """One process of the bot. Moments are seconds since the epoch."""

    process: asyncio.subprocess.Process
    began: float
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    served_from: float | None = None
    ended: float | None = None
    asked_to_end: bool = False
    samples: list[Sample] = field(default_factory=list)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one to a process that has just ended is nothing."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def sample(self, jobs: int) -> None:
        """Note what it holds now; nothing where /proc does not tell."""
        proc = Path("/proc") / str(self.process.pid)
        with suppress(OSError):
            resident = int((proc / "statm").read_text(encoding="ascii").split()[1]) * PAGE
            self.samples.append(Sample(jobs, resident, len(list((proc / "fd").iterdir()))))


class Keeper:
    """Starts processes over one settings file; their log lines all go to one file."""

    def __init__(self, settings: Path, environment: Mapping[str, str], *, seconds: float, capacity: int) -> None:
        arguments = ["-m", "bot", "soak", "house", "--config", str(settings)]
        self._command = [sys.executable, *arguments, "--seconds", str(seconds), "--capacity", str(capacity)]
        self._environment = dict(environment)
        self._log = settings.with_name("house.log")
        self.lives: list[Life] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def alive(self) -> list[Life]:
        """The processes that run now."""
        return [life for life in self.lives if life.ended is None]

    async def start(self) -> Life:
        """A new process; it does not serve yet."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"-- process {len(self.lives) + 1}\n")
            log.flush()
            began = time.time()
            process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,  # closes when this process ends, however it does
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        life = Life(process, began)
        self.lives.append(life)
        following = asyncio.create_task(self._follow(life), name=f"life-{len(self.lives)}")
        self._tasks.add(following)
        following.add_done_callback(self._tasks.discard)
        return life

    async def kill(self, life: Life) -> None:
        """`kill -9`, and wait until it is gone."""
        life.asked_to_end = True
        life.signal(signal.SIGKILL)
        await life.process.wait()
        life.ended = life.ended or time.time()

    async def end(self, life: Life) -> int:
        """SIGTERM, and wait; returns the exit code."""
        life.asked_to_end = True
        life.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_PATIENCE):
                code = await life.process.wait()
        except TimeoutError:
            life.signal(signal.SIGKILL)
            code = await life.process.wait()
        life.ended = life.ended or time.time()
        return code

    async def close(self) -> None:
        """Nothing is left behind."""
        for life in self.alive:
            await self.kill(life)
        await asyncio.gather(*self._tasks)

    async def _follow(self, life: Life) -> None:
        assert life.process.stdout is not None, "stdout is a pipe"
        async for line in life.process.stdout:
            if line.decode().strip() == SERVING:
                life.served_from = time.time()
                life.serving.set()
        await life.process.wait()
        life.ended = life.ended or time.time()
