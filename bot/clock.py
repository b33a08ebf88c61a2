"""The time of day, watched: a second clock that nobody sets tells when it was set, and how far.

What is timed inside the process goes by a steady clock anyway, and what is stored is read so that nobody waits longer
than they were meant to (see `generation.limits`, `bot.probing`, `bot.store.stamps`). What is left is deleting: a clock
that jumps ahead makes everything look old. So a jump is doubted for as long as it was long, a day at most; an owner who
sets the clock right meanwhile has lost nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.store.small import Notes
from bot.troubles import Trouble, Troubles

log = logging.getLogger(__name__)

LOOK = 5.0  # seconds between two looks at both clocks
WRITE = 300.0  # seconds between two notes of what time it was
STEP = 2.0  # seconds that are worth a line in the log
SET_BACK = 30.0  # seconds after which stored stamps are looked at
DOUBTED = 3600.0  # seconds ahead that are doubted
LONGEST_DOUBT = 86_400.0  # seconds
NOTE = "clock"


def _steady() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while a machine sleeps, as the time of day does


class Clock:
    """Says what time it is, and whether to believe it."""

    def __init__(
        self,
        troubles: Troubles,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = _steady,
    ) -> None:
        self._troubles = troubles
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._ahead = 0.0  # seconds by which it may be wrong
        self._doubted_until = 0.0  # on the steady clock
        self.set_back: list[Callable[[], Awaitable[None]]] = []  # told when it was

    def __call__(self) -> float:
        """Epoch seconds."""
        return self._wall()

    @property
    def trusted(self) -> bool:
        """Whether something may be deleted because of its age."""
        return self._ahead <= DOUBTED or self._steady() >= self._doubted_until

    async def begin(self, last_seen: float | None) -> None:
        """Compare with the latest time that a former process noted, in epoch seconds; None when there was none."""
        if last_seen is not None:
            await self._moved(self._wall() - last_seen, "It is {:,.1f} h later than when the bot last ran")

    async def look(self) -> None:
        """Compare both clocks."""
        offset = self._wall() - self._steady()
        step, self._offset = offset - self._offset, offset
        if abs(step) > STEP:
            log.info("The clock was set by %+.0f s", step)
            await self._moved(step, "The clock went {:,.1f} h ahead")
        if self._ahead > DOUBTED and self.trusted:
            self._ahead = 0.0
            self._troubles.end(Trouble.CLOCK, "The clock is believed: what is too old is deleted again.")

    async def watch(self, notes: Notes) -> None:
        """Look again and again, and note the time for the next process; for ever."""
        begun, noted = False, float("-inf")
        while True:
            try:
                if not begun:
                    await self.begin(_number(await notes.get(NOTE)))
                    begun = True
                await self.look()
                if self._steady() - noted > WRITE:
                    await notes.set(NOTE, f"{self._wall():.0f}")
                    noted = self._steady()
            except Exception as error:  # a full disk: the next look is soon
                log.debug("The time could not be noted", exc_info=error)
            await asyncio.sleep(LOOK)

    async def _moved(self, step: float, words: str) -> None:
        self._ahead = max(0.0, self._ahead + step)
        if step > DOUBTED:
            doubt = min(self._ahead, LONGEST_DOUBT)
            self._doubted_until = self._steady() + doubt
            self._troubles.begin(
                Trouble.CLOCK,
                f"{words.format(step / 3600)}: should the clock be wrong, set it right; nothing is deleted because of"
                f" its age for the next {doubt / 3600:.1f} h.",
            )
        elif step < 0 and self._ahead <= DOUBTED:
            self._troubles.end(Trouble.CLOCK, "The clock was set right: what is too old is deleted again.")
        if step < -SET_BACK:
            for told in self.set_back:
                await told()


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
