"""The bot process of a soak: the real bot in all its parts, with a painter of fixed speed in place of the engine."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path

import typer

from bot.app import only_this_machine, run
from bot.config import load
from bot.soak.painter import FixedSpeed
from generation.errors import ConfigError

SERVING = "serving"  # the line on standard output that says so


async def serve(path: Path, *, seconds: float, capacity: int) -> None:
    """Run the bot as `python -m bot run` does; SIGUSR1 takes down whatever is being painted."""
    config = load(path)
    if not only_this_machine(config):
        raise ConfigError("The soak's bot paints noise that nobody looked at; it speaks to a local Discord only.")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    painter = FixedSpeed(seconds, capacity)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, painter.lose)
    await run(config, lambda: typer.echo(SERVING), (painter,))


def _end_with_parent() -> None:
    """Nobody is left who would end this process when whoever started it is gone: its standard input closes then."""
    while os.read(0, 4096):
        continue
    os.kill(os.getpid(), signal.SIGKILL)
