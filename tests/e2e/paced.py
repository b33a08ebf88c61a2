"""The real bot in a process with a painter of fixed speed: started at once, and sent signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.e2e.house import ROOT, free_port
from tests.local_discord import LocalDiscord

WIDE = {"member": {"burst": 100000, "per_hour": 1000000, "daily": 10000000, "waiting": 100}}


@dataclass
class PacedBot:
    """A running bot, its log and its settings file."""

    process: asyncio.subprocess.Process
    config: Path
    settings: dict[str, Any]
    port: int
    log: list[str] = field(default_factory=list)

    async def health(self) -> dict[str, Any]:
        """What the health page says; empty while it cannot be reached."""
        try:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self.port}/health") as response:
                return dict(await response.json())
        except aiohttp.ClientError:
            return {}

    async def until(self, **values: Any) -> None:
        """Until the health page says all of this."""
        async with asyncio.timeout(40):
            while not values.items() <= (await self.health()).items():
                assert self.process.returncode is None, self.log
                await asyncio.sleep(0.05)

    async def logged(self, words: str, since: int = 0) -> str:
        """The first line of the log after the first `since` ones that contains `words`."""
        async with asyncio.timeout(40):
            while True:
                found = next((line for line in self.log[since:] if words in line), None)
                if found is not None:
                    return found
                await asyncio.sleep(0.02)

    def send(self, name: signal.Signals) -> float:
        """Send a signal; returns the moment."""
        self.process.send_signal(name)
        return time.monotonic()

    async def rewrite(self, text: str | None = None, **settings: Any) -> int:
        """Change the settings file and have it read again; returns how long the log was before."""
        await asyncio.to_thread(self.config.write_text, text or yaml.safe_dump(self.settings | settings))
        length = len(self.log)
        self.send(signal.SIGHUP)
        return length

    async def ended(self, seconds: float = 30.0) -> int:
        """Its exit code."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def paced_bot(
    folder: Path, discord: LocalDiscord, seconds: float, *, token: str | None = None, **settings: Any
) -> AsyncIterator[PacedBot]:
    """Started, not necessarily ready; a picture takes `seconds`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    values = {"data_dir": str(folder / "data"), "metrics": {"port": port}, "limits": WIDE} | settings
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "ATELIER_"))}
    where = {"DISCORD_API_URL": discord.api_url, "DISCORD_TOKEN": token or discord.token, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.benches.paced", str(path), str(seconds)),
        cwd=folder,
        env=plain | where,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    bot = PacedBot(process, path, values, port)
    reading = asyncio.create_task(_read(bot))
    try:
        yield bot
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def _read(bot: PacedBot) -> None:
    assert bot.process.stderr is not None
    while line := (await bot.process.stderr.readline()).decode(errors="replace"):
        bot.log.append(line.rstrip())
