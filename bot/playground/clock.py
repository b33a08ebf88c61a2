"""The time everything in the local Discord goes by; a test may jump it forward."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any


class Timer:
    """One call that is due later; `cancel` takes it back."""

    __slots__ = ("_order", "callback", "due")

    def __init__(self, due: float, order: int, callback: Callable[[], object]) -> None:
        self.due = due
        self._order = order
        self.callback: Callable[[], object] | None = callback

    def __lt__(self, other: Timer) -> bool:
        return (self.due, self._order) < (other.due, other._order)

    def cancel(self) -> None:
        """Makes the call not happen; harmless after it has."""
        self.callback = None


class Clock:
    """Real time plus every jump so far. All times are seconds; timers live in the running event loop."""

    def __init__(self) -> None:
        self._jumped = 0.0
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._jumped

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic() + self._jumped

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Calls back after so many seconds of this clock, jumps included."""
        timer = Timer(self.monotonic() + delay, next(self._order), lambda: callback(*args))
        heapq.heappush(self._timers, timer)
        self._set_alarm()
        return timer

    async def sleep(self, delay: float) -> None:
        """Waits so many seconds of this clock, jumps included."""
        woken = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self.call_later(delay, wake)
        try:
            await woken
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Jumps forward. Timers in between are called at once, each at the moment it was due, in that order."""
        if seconds < 0:
            raise ValueError("time only goes forward")
        end = self.monotonic() + seconds
        try:
            while (timer := self._next()) is not None and timer.due <= end:
                self._jumped += max(0.0, timer.due - self.monotonic())
                self._fire()
        finally:
            self._jumped += max(0.0, end - self.monotonic())
            self._set_alarm()

    def _next(self) -> Timer | None:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0] if self._timers else None

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if (timer := self._next()) is not None:
            delay = max(0.0, timer.due - self.monotonic())
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        try:
            while (timer := self._next()) is not None and timer.due <= self.monotonic():
                self._fire()
        finally:
            # A broken timer is the event loop's to report; the ones after it still get their turn.
            self._set_alarm()

    def _fire(self) -> None:
        timer = heapq.heappop(self._timers)
        callback, timer.callback = timer.callback, None
        if callback is not None:
            callback()
