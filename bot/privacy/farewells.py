"""Deletes messages in Discord that people asked to be gone: one after the other, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging

from bot.courier import Courier, Rejected, TokenRefused, Unavailable
from bot.desk import Desk
from bot.waiting import ended, within

log = logging.getLogger(__name__)

PACE = 1.2  # seconds between two deletions; Discord takes about five in five seconds of a channel
RETRY = 60.0  # seconds after Discord could not be reached
LOOK = 60.0  # seconds between two looks by itself: another process, or a late result, may have left something
CLOSE_PATIENCE = 5.0


class Farewells:
    """One task; what it has not come to is in the store and taken up at the next start."""

    def __init__(self, desk: Desk, courier: Courier, pace: float = PACE) -> None:
        self._desk = desk
        self._courier = courier
        self._pace = pace
        self._closing = asyncio.Event()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Discord can be spoken to from now on."""
        if self._task is None:
            self._work.set()
            self._task = asyncio.create_task(self._run(), name="farewells")

    def wake(self) -> None:
        """There may be something to do."""
        self._work.set()

    async def close(self) -> None:
        """Begin no further deletion."""
        self._closing.set()
        self._work.set()
        if self._task is not None:
            await ended([self._task], CLOSE_PATIENCE)

    async def _run(self) -> None:
        while not self._closing.is_set():
            await within(self._work, LOOK)
            self._work.clear()
            try:
                await self._all()
            except Exception:  # the list is stored; a later round goes on with it
                log.exception("Messages could not be deleted, trying again later")
                await within(self._closing, RETRY)
                self._work.set()

    async def _all(self) -> None:
        while not self._closing.is_set() and (where := await self._desk.archive.next_farewell()) is not None:
            try:
                await self._courier.withdraw(*where)
            except (Unavailable, TokenRefused):
                await within(self._closing, RETRY)
                continue
            except Rejected as error:
                log.warning("A message could not be deleted", exc_info=error)
            await self._desk.archive.farewell_said(*where)
            await within(self._closing, self._pace)
