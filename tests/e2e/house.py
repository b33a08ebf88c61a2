"""The product as an owner starts it: real processes, watched from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import yaml

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 90.0  # seconds until the bot is connected
READY_TIMEOUT = 180.0  # seconds until the model is loaded, on a busy machine


class RunningBot:
    """`python -m bot run` in a folder of its own."""

    def __init__(self, process: asyncio.subprocess.Process, metrics_port: int) -> None:
        self.process = process
        self.lines: list[str] = []
        self.health_page = f"http://127.0.0.1:{metrics_port}/health"
        self._reading = asyncio.create_task(self._read())

    async def said(self, words: str) -> str:
        """The first line on stdout that contains `words`."""
        async with asyncio.timeout(START_TIMEOUT):
            while True:
                found = next((line for line in self.lines if words in line), None)
                if found is not None:
                    return found
                assert self.process.returncode is None, f"the bot ended with {self.process.returncode}"
                await asyncio.sleep(0.05)

    async def health(self) -> dict[str, Any]:
        """What the health page says; empty while it cannot be reached."""
        try:
            async with aiohttp.ClientSession() as http, http.get(self.health_page) as response:
                return dict(await response.json())
        except aiohttp.ClientError:
            return {}

    async def ready(self) -> None:
        """Until the model is loaded and Discord connected."""
        async with asyncio.timeout(READY_TIMEOUT):
            while not (await self.health()).get("healthy"):
                assert self.process.returncode is None, f"the bot ended with {self.process.returncode}"
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """As a power cut would end it."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """As an owner would end it; returns the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(60):
                    await self.process.wait()
            except TimeoutError:
                await self.kill()
        await self._reading
        return int(self.process.returncode or 0)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode(errors="replace"):
            self.lines.append(line.rstrip())


@contextlib.asynccontextmanager
async def running_bot(
    folder: Path, *arguments: str, settings: dict[str, Any] | None = None, **environment: str
) -> AsyncIterator[RunningBot]:
    """Start the bot with `settings` over the defaults; stopped at the end unless it ended before."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    path = folder / "config.yaml"
    values = {"data_dir": str(folder / "data"), "metrics": {"port": port}} | (settings or {})
    await asyncio.to_thread(path.write_text, yaml.safe_dump(values))
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "ATELIER_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        "--config",
        str(path),
        *arguments,
        cwd=folder,
        env=plain | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | environment,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    bot = RunningBot(process, port)
    try:
        yield bot
    finally:
        await bot.stop()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
