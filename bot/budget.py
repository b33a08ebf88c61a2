"""How often messages may be edited: a token bucket shared by all tickets, and a calmer one for each ticket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from enum import IntEnum

SHARED_BURST = 5.0  # edits that may happen at once over all tickets


class Urgency(IntEnum):
    """Who goes first when edits are scarce."""

    NOW = 0  # first answers and first previews: somebody looks at an empty message
    PREVIEW = 1
    PLACE = 2  # a place in line that moved up


class Pace:
    """A token bucket in plain numbers: `burst` at once, then `per_second`."""

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._rate = per_second
        self._burst = burst
        self._tokens = burst
        self._at = now

    def wait(self, now: float) -> float:
        """Seconds until one token is there."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def take(self, now: float) -> None:
        """Spend one token, going into debt when there is none."""
        self._refill(now)
        self._tokens -= 1.0

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now


class Turn:
    """One place in the queue for an edit; given up when its ticket ends."""

    def __init__(self) -> None:
        self._future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    def open(self) -> bool:
        """Whether somebody still waits for it."""
        return not self._future.done()

    def grant(self) -> None:
        """It is this one's turn."""
        if not self._future.done():
            self._future.set_result(True)

    def give_up(self) -> None:
        """Nobody needs this turn any more."""
        if not self._future.done():
            self._future.set_result(False)

    async def granted(self) -> bool:
        """Wait for the turn; False when it was given up."""
        return await self._future


class EditBudget:
    """The edits of all tickets together; the most urgent first, then in the order of asking."""

    def __init__(self, per_second: Callable[[], float], clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._per_second = per_second
        self._rate = per_second()
        self._pace = self._new_pace()
        self._queues: dict[Urgency, deque[Turn]] = {urgency: deque() for urgency in Urgency}
        self._timer: asyncio.TimerHandle | None = None

    def _new_pace(self) -> Pace:
        return Pace(self._rate, max(1.0, min(SHARED_BURST, self._rate)), self._clock())

    def ask(self, urgency: Urgency) -> Turn:
        """Join the queue; the turn may be granted at once."""
        turn = Turn()
        self._queues[urgency].append(turn)
        if self._timer is None:
            self._serve()
        return turn

    def spend(self) -> None:
        """Count an edit that cannot wait, as far as there is room; a crowd must not put off everybody's previews."""
        now = self._clock()
        if self._pace.wait(now) <= 0:
            self._pace.take(now)

    def _serve(self) -> None:
        self._timer = None
        if self._per_second() != self._rate:  # the owner has changed it
            self._rate = self._per_second()
            self._pace = self._new_pace()
        while (queue := self._waiting()) is not None:
            wait = self._pace.wait(self._clock())
            if wait > 0:
                self._timer = asyncio.get_running_loop().call_later(wait, self._serve)
                return
            self._pace.take(self._clock())
            queue.popleft().grant()

    def _waiting(self) -> deque[Turn] | None:
        """The most urgent queue in which somebody still waits."""
        for queue in self._queues.values():
            while queue and not queue[0].open:
                queue.popleft()
            if queue:
                return queue
        return None
