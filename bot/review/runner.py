"""Does the errands of cases, in order for each case, for as long as it takes; a restart takes up what is left."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from bot.courier import TokenRefused, Unavailable
from bot.store.errands import Errand, ErrandStore
from bot.waiting import either, ended, within

log = logging.getLogger(__name__)

AT_ONCE = 4  # cases worked on at a time: moderators' clicks must not hold up members' pictures
CLOSE_PATIENCE = 5.0  # seconds for messages under way at the end
SLOWEST = 60.0  # seconds between two attempts at most

Doer = Callable[[Errand], Awaitable[str]]  # does one errand and returns a sentence for moderators, or nothing


class Runner:
    """One task for each case that has something left to do."""

    def __init__(self, errands: ErrandStore, do: Doer) -> None:
        self._errands = errands
        self._do = do
        self._online = asyncio.Event()
        self._closing = asyncio.Event()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()

    def wake(self, case_id: int) -> None:
        """Something was committed for this case; returns at once."""
        if case_id in self._tasks:
            self._again.add(case_id)
            return
        task = asyncio.create_task(self._until_done(case_id), name=f"case-{case_id}")
        self._tasks[case_id] = task
        task.add_done_callback(lambda _: self._ended(case_id))

    async def recover(self) -> None:
        """After a restart: take up what a former process left."""
        for case_id in await self._errands.waiting():
            self.wake(case_id)

    def begin(self) -> None:
        """Discord can be spoken to from now on."""
        self._online.set()

    async def close(self) -> None:
        """Begin nothing more and let what is under way end; the rest is kept."""
        self._closing.set()
        await ended([*self._tasks.values()], CLOSE_PATIENCE)

    def _ended(self, case_id: int) -> None:
        self._tasks.pop(case_id, None)
        if case_id in self._again and not self._closing.is_set():
            self._again.discard(case_id)
            self.wake(case_id)

    async def _until_done(self, case_id: int) -> None:
        await either(self._online, self._closing)
        attempt = 0
        while not self._closing.is_set():
            try:
                async with self._places:
                    while not self._closing.is_set():
                        self._again.discard(case_id)
                        errand = await self._errands.begin(case_id)
                        if errand is None:
                            return
                        await self._errands.done(errand, await self._do(errand))
                        attempt = 0
                return
            except TokenRefused:
                return  # the delivery of results says so and ends the process; what is left is kept
            except Unavailable as error:
                log.warning("case %d: Discord could not be reached (%s), trying again", case_id, error.__cause__)
            except Exception:  # a full disk or a fault of ours: the errand is kept, only this attempt is lost
                log.exception("case %d: an errand failed, trying again", case_id)
            attempt += 1
            pause = random.uniform(0, min(SLOWEST, 0.5 * 2 ** min(attempt, 8)))  # noqa: S311 - jitter, no secret
            await within(self._closing, pause)
