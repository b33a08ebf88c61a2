"""One run of the house, from its start to its end: signals, settings read again, the last words before a restart."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable

from bot import open_files
from bot.app import App, opened
from bot.config import Config
from bot.rereading import Read, read_again
from bot.signals import Signals
from generation.workers.worker import Worker

log = logging.getLogger(__name__)

LAST_WORDS = 3.0  # seconds at least in which tickets can say that a restart comes


async def run(
    config: Config,
    signals: Signals,
    read: Read,
    on_ready: Callable[[], None] = lambda: None,
    *,
    workers: tuple[Worker, ...] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; running pictures may finish. SIGHUP takes what `read` returns.

    `workers`: what paints, instead of the engine.
    """
    open_files.raise_limit()
    assert config.token is not None, "the caller has a token or starts the local Discord"
    async with opened(config, workers) as app:
        signals.serving = True
        token = config.token.get_secret_value()
        serving = asyncio.create_task(app.client.serve(token, lambda: _ready(on_ready)), name="discord")
        stopping = asyncio.create_task(signals.stop.wait(), name="signals")
        rereading = asyncio.create_task(_reread(app, signals.reread, read), name="settings")
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        rereading.cancel()
        if serving.done():
            serving.result()  # a login that failed says why
            return
        await _wind_up(app)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _wind_up(app: App) -> None:
    """Claim nothing more, let running pictures finish, show what is finished and tell whoever waits."""
    grace = app.studio.config.shutdown_grace
    log.info("Stopping: running pictures may finish for %.0f s; a second signal stops at once", grace)
    # Orders are taken for as long as Discord is connected: they are kept, and say so.
    last_words = asyncio.create_task(app.client.tickets.told(LAST_WORDS), name="last-words")
    await app.studio.close(grace=grace)
    await app.client.finish_deliveries()
    await last_words


async def _reread(app: App, wanted: asyncio.Event, read: Read) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            await read_again(app, read)
        except Exception:  # the bot goes on with what it has
            log.exception("The settings could not be read again")


def _ready(on_ready: Callable[[], None]) -> None:
    # What is there after the start stays: keeping it out of every later collection spares the loop long pauses.
    gc.collect()
    gc.freeze()
    on_ready()
