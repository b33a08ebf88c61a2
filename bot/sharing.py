"""This process among those that share the database: its heartbeat, what it takes over, and what others have changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.desk import Desk
from bot.ledger import Listeners
from bot.policybook import PolicyBook
from bot.rulebook import RuleBook
from bot.store.audit import Act
from bot.store.bulletin import Bulletin, News
from bot.store.processes import BEAT
from bot.waiting import either
from generation.dispatch import Dispatcher

log = logging.getLogger(__name__)

RULES = {Act.RULE_ADDED, Act.RULE_REMOVED, Act.EXEMPTED, Act.BOUND}
ARTISTS = {Act.ARTIST_ADDED, Act.ARTIST_REMOVED, Act.ARTIST_ACCEPTED}
POLICIES = {Act.POLICY, Act.SETTINGS}
TOGETHER = 0.05  # seconds in which news are gathered: a busy line tells hundreds of them


class Sharing:
    """One round at each heartbeat. News only let its looks come sooner, so one that is missed costs time alone."""

    def __init__(
        self,
        desk: Desk,
        rules: RuleBook,
        policies: PolicyBook,
        dispatcher: Dispatcher,
        listeners: Listeners,
        *,
        beat: float = BEAT,
    ) -> None:
        self._desk = desk
        self._jobs = desk.jobs
        self._rules = rules
        self._policies = policies
        self._dispatcher = dispatcher
        self._listeners = listeners
        self._beat = beat
        self._bulletin = Bulletin(desk.database, self._hear)
        self._heard: set[News] = set()
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unpainted: frozenset[tuple[str, int]] = frozenset()  # claims that nobody here painted at the last round
        self._decided = 0  # line of the audit log up to which everything is in memory

    async def start(self) -> None:
        """Become one of them and take up what dead ones left; outcomes are shown as soon as somebody asks for them."""
        self._decided = await self._desk.audit.last()
        await self._desk.processes.join()
        returned = await self._jobs.recover()
        if returned:
            log.info("%d unfinished jobs go back to the line", returned)
        self._tasks.append(asyncio.create_task(self._run(), name="heartbeat"))
        self._tasks.append(asyncio.create_task(self._bulletin.run(self._closing), name="bulletin"))

    async def close(self) -> None:
        """No further heartbeat. There is time to end in order until others count this process as dead."""
        self._closing.set()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # -- rounds ------------------------------------------------------------------------------------------------------

    async def round(self) -> None:
        """Say that this process lives; see what others left and what this one has lost sight of."""
        await self._desk.processes.beat()
        taken = await self._jobs.take_over()
        if taken.waiting:
            log.info("%d jobs of processes that are gone are followed here from now on", taken.waiting)
            for resume in self._listeners.waiting:
                await resume()
        for commission in await self._jobs.unshown():
            await self._listeners.tell(self._listeners.inherited, commission)
        await self._let_go()
        await self._look(set(News))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self._beat
        while not self._closing.is_set():
            try:
                async with asyncio.timeout_at(due):
                    await either(self._closing, self._news)
            except TimeoutError:
                due = loop.time() + self._beat
                await self._safely(self.round)
                continue
            if not self._closing.is_set():
                await asyncio.sleep(TOGETHER)
                self._news.clear()
                heard, self._heard = self._heard, set()
                await self._safely(lambda heard=heard: self._look(heard))  # type: ignore[misc]

    async def _safely(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception:  # the database is away: others may take over, and what this process writes late is refused
            log.exception("The other processes could not be asked, trying again at the next heartbeat")

    async def _let_go(self) -> None:
        """Stop what was taken over by others, and give back what is painted by nobody.

        The commit of such a claim was not heard of, since the connection broke just then.
        """
        running = self._dispatcher.running
        held = await self._jobs.claims()
        for job_id in running - {each[0] for each in held}:
            self._dispatcher.cancel(job_id)
        claims = frozenset(each for each in held if each[0] not in self._dispatcher.running)
        for job_id, attempt in claims & self._unpainted:
            log.warning("job %s: claimed here but painted by nobody, back to the line", job_id)
            await self._jobs.let_go(job_id, attempt)
        self._unpainted = claims

    # -- news --------------------------------------------------------------------------------------------------------

    def _hear(self, news: News) -> None:
        self._heard.add(news)
        self._news.set()

    async def _look(self, heard: set[News]) -> None:
        if News.LINE in heard:
            self._dispatcher.notify()
        if News.CLAIMED in heard:
            for listener in self._listeners.moved:
                listener()
        if News.STOP in heard:
            for job_id in await self._jobs.to_be_stopped():
                self._dispatcher.cancel(job_id)
        if News.DECIDED in heard:
            await self._read_again()

    async def _read_again(self) -> None:
        """What is kept in memory of the tables whose every change stands in the audit log."""
        acts, newest = await self._desk.audit.acts_since(self._decided)
        if not acts:
            return
        self._desk.strikes.changed()
        if acts & (RULES | ARTISTS):
            await self._rules.read_again()
        if acts & POLICIES:
            await self._policies.read_again()
        self._decided = newest
