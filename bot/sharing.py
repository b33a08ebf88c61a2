"""This process among those that share the database: its heartbeat, and what it takes over from dead ones."""

from __future__ import annotations

import asyncio
import logging

from bot.desk import Desk
from bot.ledger import Listeners
from bot.store.processes import BEAT
from bot.waiting import within
from generation.dispatch import Dispatcher

log = logging.getLogger(__name__)


class Sharing:
    """One round at each heartbeat; what a round missed the next one finds."""

    def __init__(self, desk: Desk, dispatcher: Dispatcher, listeners: Listeners, *, beat: float = BEAT) -> None:
        self._processes = desk.processes
        self._jobs = desk.jobs
        self._dispatcher = dispatcher
        self._listeners = listeners
        self._beat = beat
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unpainted: frozenset[tuple[str, int]] = frozenset()  # claims that nobody here painted at the last round

    async def start(self) -> None:
        """Become one of them and take up what dead ones left; outcomes are shown as soon as somebody asks for them."""
        await self._processes.join()
        returned = await self._jobs.recover()
        if returned:
            log.info("%d unfinished jobs go back to the line", returned)
        self._task = asyncio.create_task(self._run(), name="heartbeat")

    async def close(self) -> None:
        """No further heartbeat. There is time to end in order until others count this process as dead."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._closing.is_set():
            await within(self._closing, self._beat)
            if self._closing.is_set():
                return
            try:
                await self.round()
            except Exception:  # the database is away: others may take over, and what this one writes late is refused
                log.exception("This process could not be heard of; trying again in %.0f s", self._beat)

    async def round(self) -> None:
        """Say that this process lives; see what others left and what this one has lost sight of."""
        await self._processes.beat()
        if returned := await self._jobs.recover():
            log.info("%d jobs of processes that are gone go back to the line", returned)
            self._dispatcher.notify()
        for commission in await self._jobs.unshown():
            await self._listeners.tell(self._listeners.inherited, commission)
        await self._let_go()

    async def _let_go(self) -> None:
        """A claim whose commit was not heard of, since the connection broke just then, is painted by nobody."""
        claims = frozenset(each for each in await self._jobs.claims() if each[0] not in self._dispatcher.running)
        for job_id, attempt in claims & self._unpainted:
            log.warning("job %s: claimed here but painted by nobody, back to the line", job_id)
            await self._jobs.let_go(job_id, attempt)
        self._unpainted = claims
