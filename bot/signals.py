"""What the operating system asks of the process: stop, stop at once, read the settings again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any

STOPPING = (signal.SIGTERM, signal.SIGINT)
AT_ONCE = b"Stopped at once; what was being painted is painted again at the next start.\n"


class Signals:
    """Heard from the first moment on, even while the event loop is busy. Use as a context manager.

    A second wish to stop ends the process where it stands: everything that was promised is committed, and the painting
    process and the local Discord end by themselves when their pipes close.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}
        self.stop = asyncio.Event()
        self.reread = asyncio.Event()  # SIGHUP came
        self.serving = False  # from then on whoever serves ends in their own time

    def __enter__(self) -> Signals:
        # Not through the event loop: a loop that is blocked would not even hear of the second one.
        for name in STOPPING:
            self._before[name] = signal.signal(name, self._on_stop)
        self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._on_reread)
        return self

    def __exit__(self, *_: object) -> None:
        for name, before in self._before.items():
            # Whoever was asked to stop hears a second wish until the interpreter itself is gone.
            if not (self._asked and name in STOPPING):
                signal.signal(name, before)

    async def through(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; a wish to stop that comes before it is `serving` breaks it off, and it ends cleanly."""
        working = asyncio.create_task(work, name="work")
        stopping = asyncio.create_task(self.stop.wait(), name="stop")
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not self.serving:
            working.cancel()
        try:
            await working
        except asyncio.CancelledError:
            if not self.stop.is_set():
                raise

    def _on_stop(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            with suppress(OSError):  # nobody may be reading it
                os.set_blocking(2, False)
                os.write(2, AT_ONCE)
            os._exit(128 + number)
        self._asked = True
        self._loop.call_soon_threadsafe(self.stop.set)

    def _on_reread(self, _number: int, _frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self.reread.set)
