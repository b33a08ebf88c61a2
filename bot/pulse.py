"""The event loop's pulse: how late it is, and an alarm with the place in the code where it is blocked."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

log = logging.getLogger(__name__)

BEAT = 0.01  # seconds between two heartbeats
BLOCKED = 1.0  # seconds without one that raise the alarm
LOOK = 0.25  # seconds between two looks of the watch
WINDOW = 300.0  # seconds over which the worst lag is remembered, and once more as the former window
FRAMES = 12  # innermost frames of the stack that an alarm shows


class Pulse:
    """Beats on the loop that entered it; a thread listens, since a blocked loop cannot. An async context manager."""

    def __init__(
        self,
        observe: Callable[[float], None] = lambda _: None,
        busy: Callable[[float], None] = lambda _: None,
        *,
        blocked: float = BLOCKED,
    ) -> None:
        self._observe = observe  # told every lag, in seconds
        self._busy = busy  # told what the loop itself computed meanwhile, in seconds: a busy machine does not count
        self._blocked = blocked
        self._beat = time.monotonic()
        self._window_began = self._beat
        self._lag_now = self._lag_before = 0.0  # seconds, the worst of this window and of the one before
        self._loop_thread = 0
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._listen, name="loop-watch", daemon=True)
        self._beating: asyncio.Task[None] | None = None
        self.alarms = 0

    @property
    def worst(self) -> float:
        """The longest the event loop was late in the last five to ten minutes, in seconds."""
        return max(self._lag_now, self._lag_before)

    async def __aenter__(self) -> Pulse:
        self._loop_thread = threading.get_ident()
        self._beat = time.monotonic()
        self._beating = asyncio.create_task(self._go_on(), name="loop-pulse")
        self._watch.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        await asyncio.to_thread(self._watch.join)

    async def _go_on(self) -> None:
        while True:
            asked, computed = time.monotonic(), time.thread_time()
            await asyncio.sleep(BEAT)
            self._busy(time.thread_time() - computed)
            self._beat = time.monotonic()
            lag = max(0.0, self._beat - asked - BEAT)
            self._observe(lag)
            self._notice(lag, asked)

    def _notice(self, lag: float, now: float) -> None:
        if now - self._window_began >= WINDOW:
            self._window_began, self._lag_before, self._lag_now = now, self._lag_now, 0.0
        self._lag_now = max(self._lag_now, lag)

    def _listen(self) -> None:
        """Runs in the thread: one alarm for each time that the loop is blocked."""
        alarmed = 0.0  # the last beat before the latest alarm
        while not self._stopping.wait(LOOK):
            beat = self._beat
            if beat != alarmed and time.monotonic() - beat > self._blocked:
                alarmed = beat
                self.alarms += 1
                log.error("The event loop is blocked for more than %g s, here:\n%s", self._blocked, self._place())

    def _place(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        if frame is None:
            return "(its thread is gone)"
        return "".join(traceback.format_list(traceback.extract_stack(frame)[-FRAMES:])).rstrip()
