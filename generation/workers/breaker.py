"""When a painting process that ended is replaced, and when it is better to pause: no processes, only time.

closed ── deaths in a short time ──► open ── the pause is over ──► trying ── a job came through ──► closed
                                       ▲                              │
                                       └──────────── died ────────────┘
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from enum import Enum

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds before a process is replaced
FORGIVEN = 60.0  # seconds alive that make up for one death
DEATHS, WITHIN = 5, 600.0  # so many in so many seconds open the breaker
PAUSE, LONGEST_PAUSE = 60.0, 900.0  # seconds that it stays open, doubled each time that the try fails


class Backoff:
    """How long to wait before the next process: longer after deaths in a row, shorter after a long life."""

    def __init__(
        self,
        first: float = FIRST_WAIT,
        longest: float = LONGEST_WAIT,
        *,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first = first
        self._longest = longest
        self._draw = draw  # full jitter: several machines must not come back in step
        self._row = 0.0  # deaths, less those made up for

    def after(self, alive: float) -> float:
        """Seconds to wait now that a process has ended which was of use for `alive` seconds."""
        self._row = max(0.0, self._row - alive / FORGIVEN) + 1.0
        longest = min(self._longest, self._first * 2.0 ** min(self._row, 16.0))
        return self._draw(self._first, max(self._first, longest))


class Position(Enum):
    """Of the breaker."""

    CLOSED = "closed"
    OPEN = "open"
    TRYING = "trying"


class Breaker:
    """Pauses the painting where processes keep dying; then one job alone decides whether it goes on."""

    def __init__(
        self,
        *,
        deaths: int = DEATHS,
        within: float = WITHIN,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = deaths
        self._within = within
        self._first_pause = self._pause = pause
        self._clock = clock
        self._deaths: deque[float] = deque(maxlen=deaths)
        self._until = 0.0
        self.position = Position.CLOSED

    @property
    def wait(self) -> float:
        """Seconds until the next try may begin; 0 unless open."""
        return max(0.0, self._until - self._clock()) if self.position is Position.OPEN else 0.0

    def died(self) -> None:
        """A process ended that nobody wanted to end."""
        now = self._clock()
        self._deaths.append(now)
        if self.position is Position.TRYING:
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
            self._open(now)
        elif len(self._deaths) == self._most and now - self._deaths[0] <= self._within:
            self._open(now)

    def attempt(self) -> None:
        """A process is started: where the breaker was open, this is the try."""
        if self.position is Position.OPEN:
            self.position = Position.TRYING

    def proven(self) -> None:
        """A job came through: where this was the try, everything is as before."""
        if self.position is Position.TRYING:
            self.position = Position.CLOSED
            self._deaths.clear()
            self._pause = self._first_pause

    def _open(self, now: float) -> None:
        self.position = Position.OPEN
        self._until = now + self._pause
