"""The bot process of a soak: the real bot in all its parts, with a painter of fixed speed in place of the engine."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path

import typer

from bot.app import only_this_machine
from bot.config import load
from bot.running import run
from bot.signals import Signals
from bot.soak.painter import Losable
from generation.errors import ConfigError

SERVING = "serving"  # the line on standard output that says so


async def serve(path: Path, *, seconds: float, capacity: int) -> None:
    """Run the bot as `python -m bot run` does; SIGUSR1 takes down whatever is being painted."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Signals() as signals:
        config = load(path)
        if not only_this_machine(config):
            raise ConfigError("The soak's bot paints what nobody looked at; it speaks to a local Discord only.")
        painter = Losable(seconds, capacity)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, painter.lose)
        running = run(config, signals, lambda: load(path), lambda: typer.echo(SERVING), workers=(painter,))
        await signals.through(running)


def _end_with_parent() -> None:
    """Nobody is left who would end this process when whoever started it is gone: its standard input closes then."""
    while os.read(0, 4096):
        continue
    os.kill(os.getpid(), signal.SIGKILL)
