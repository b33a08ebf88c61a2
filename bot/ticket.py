"""The progress messages: one task per ticket keeps its edits in order, one budget keeps all of them few."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.budget import EditBudget, Pace, Turn, Urgency
from bot.card import Rows, ticket_rows
from bot.courier import Courier, Parcel, Rejected, Unavailable, WayClosed
from bot.order import INTERACTION_TOKEN_LIFE, Commission
from bot.sections import Previews
from bot.store.jobs import LIVE, JobStore
from bot.studio import Studio
from bot.ticket_text import farewell_text, painting_text, waiting_text
from bot.waiting import ended, within
from bot.webhook_lock import mend
from generation.errors import Refusal
from generation.job import Progress

log = logging.getLogger(__name__)

BURST = 3.0  # edits of one ticket that may come faster than its usual pace
GAP = 0.4  # seconds between two edits of one ticket at least: what changed in less nobody would see
FAREWELL = 30.0  # seconds before its token ends at which a ticket says that it will not follow any longer
CLOSE_PATIENCE = 2.0  # seconds for edits under way at the end
EDIT = 5.0  # seconds that an edit may take: an outcome waits for it
# Seconds after which an edit without an answer was carried out, or never will be. Those of a former process are not
# known; a start takes longer than all but the slowest of them.
LATE = 60.0
PAUSE = 2.0  # seconds after Discord could not be reached, doubled each time
LONGEST_PAUSE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Stub:
    """What the end of a job leaves of its ticket."""

    message_id: int | None
    late: bool = False  # an edit may still be carried out, over whatever is written into the message by then
    thinking: bool = False  # while `late`: it may not say anything yet, so that a follow-up would fill it

    @property
    def writable(self) -> int | None:
        """The message, if it may become the outcome."""
        return None if self.late else self.message_id


class Ticket:
    """One job's progress message and what it has to show next."""

    def __init__(self, commission: Commission, message_id: int, pace: Pace, *, resumed: bool = False) -> None:
        self.commission = commission
        self.message_id = message_id
        self.pace = pace
        self.progress: Progress | None = None  # the newest; an older one is never shown any more
        self.shown = ""  # the latest words that Discord answered, if only that it does not take them
        self.answered = resumed  # there were such words, if only of a former process
        self.thinking = True  # as far as this process knows, its message does not say anything yet
        self.drawn_at = 0.0  # loop time of the latest preview
        self.painting = False  # whether the message already shows the painting
        self.failures = 0  # edits in a row for which Discord could not be reached
        self.ended = asyncio.Event()
        self.changed = asyncio.Event()
        self.turn: Turn | None = None

    @property
    def urgency(self) -> Urgency:
        """How much its next edit matters among all tickets."""
        if self.progress is None:
            return Urgency.PLACE
        return Urgency.PREVIEW if self.painting else Urgency.NOW

    def show(self, progress: Progress) -> None:
        """Show this instead of whatever was to be shown."""
        if self.progress is None:
            self._leave_the_queue()  # it stood there for a place in line; a first preview comes before those
        elif progress.preview is None:
            progress = replace(progress, preview=self.progress.preview)
        self.progress = progress
        self.changed.set()

    def stop(self) -> None:
        """No edit begins after this."""
        self.ended.set()
        self.changed.set()
        self._leave_the_queue()

    def _leave_the_queue(self) -> None:
        if self.turn is not None:
            self.turn.give_up()


class Tickets:
    """All live tickets."""

    def __init__(self, studio: Studio, jobs: JobStore, courier: Courier) -> None:
        mend()  # edits are torn off
        self._studio = studio
        self._jobs = jobs
        self._courier = courier
        self._time = asyncio.get_running_loop().time
        self._budget = EditBudget(lambda: self._previews.per_second, self._time)
        self._live: dict[str, tuple[Ticket, asyncio.Task[None]]] = {}
        self._late: dict[str, tuple[float, Stub]] = {}  # tickets with an edit that may be late: until when (loop time)

    @property
    def _previews(self) -> Previews:
        return self._studio.config.previews

    async def open(self, commission: Commission) -> None:
        """Follow a job from now on; returns at once."""
        self._budget.spend()  # the first answer never waits
        self._begin(commission)

    def _begin(self, commission: Commission, *, resumed: bool = False) -> None:
        message_id = commission.address.ticket_id
        if commission.id not in self._live and message_id is not None:
            pace = Pace(1.0 / self._previews.every, BURST, self._time())
            ticket = Ticket(commission, message_id, pace, resumed=resumed)
            task = asyncio.create_task(self._follow(ticket), name=f"ticket-{commission.id}")
            task.add_done_callback(_log_fault)
            self._live[commission.id] = (ticket, task)

    async def resume(self) -> None:
        """After a restart: follow every job that still waits and whose message can still be changed."""
        oldest = self._studio.clock() - INTERACTION_TOKEN_LIFE
        async for commission in self._jobs.live_since(oldest):
            await self.adopt(commission)

    async def adopt(self, commission: Commission) -> None:
        """Follow a job that may have been admitted by another process, if it is this one's now; returns at once."""
        if self._jobs.is_ours(commission) and self._courier.token_lives(commission.address):
            self._begin(commission, resumed=True)

    def progress(self, job_id: str, progress: Progress) -> None:
        """A step was painted; returns at once."""
        ticket, _ = self._live.get(job_id, (None, None))
        if ticket is None:
            return
        if ticket.progress is None:
            self.moved()
        ticket.show(progress if self._previews.enabled else replace(progress, preview=None))

    def returned(self, job_id: str) -> None:
        """The job waits in the line again: its ticket shows the place, no longer how far the painting had come."""
        ticket, _ = self._live.get(job_id, (None, None))
        if ticket is not None:
            ticket.progress, ticket.painting = None, False
            ticket.changed.set()

    def moved(self) -> None:
        """The line moved: waiting tickets look up their place again when there is room for it."""
        for ticket, _ in self._live.values():
            if ticket.progress is None:
                ticket.changed.set()

    def stop(self, job_id: str) -> None:
        """The job is over: no edit of its ticket begins any more."""
        ticket, _ = self._live.get(job_id, (None, None))
        if ticket is not None:
            ticket.stop()

    async def finished(self, commission: Commission) -> Stub:
        """Wait for an edit that is under way; returns what is left of the ticket. May be asked again."""
        ticket, task = self._live.pop(commission.id, (None, None))
        if ticket is not None and task is not None:
            ticket.stop()
            await asyncio.wait({task})
        until, stub = self._late.get(commission.id, (0.0, Stub(None)))
        return stub if until > self._time() else Stub(commission.address.ticket_id)

    async def told(self, seconds: float) -> None:
        """Give waiting tickets a little time to show what they have to say; as many as the budget allows do."""
        deadline = self._time() + seconds
        while self._time() < deadline and self._owing():  # noqa: ASYNC110 - of many tickets, each with its own events
            await asyncio.sleep(0.1)

    def _owing(self) -> bool:
        """Whether a ticket has something to say that its message does not show yet."""
        return any(ticket.changed.is_set() or ticket.turn is not None for ticket, _ in self._live.values())

    async def close(self) -> None:
        """Leave every ticket as it is; a later start follows them again."""
        live = [*self._live.values()]
        self._live.clear()
        for ticket, _ in live:
            ticket.stop()
        await ended([task for _, task in live], CLOSE_PATIENCE)

    async def _follow(self, ticket: Ticket) -> None:
        ticket.changed.set()
        try:
            while not ticket.ended.is_set():
                await self._next_change(ticket)
                if ticket.ended.is_set():
                    return
                ticket.changed.clear()
                if self._seconds_left(ticket) <= 0:
                    with suppress(Unavailable, TimeoutError):  # nobody misses a farewell
                        await self._write(ticket, Parcel(text=farewell_text(ticket.commission), rows=_rows(ticket)))
                    return
                if ticket.answered and not await self._my_turn(ticket):
                    continue
                await self._draw(ticket)
        except WayClosed:
            log.info("job %s: its ticket is gone; the job goes on", ticket.commission.id)

    async def _next_change(self, ticket: Ticket) -> None:
        await within(ticket.changed, max(0.0, self._seconds_left(ticket)))

    async def _my_turn(self, ticket: Ticket) -> bool:
        """Wait for this ticket's own pace, then for the budget; False when that has become pointless."""
        now = self._time()
        pause = max(ticket.pace.wait(now), ticket.drawn_at + GAP - now)
        if pause > 0:
            await within(ticket.ended, pause)
        if ticket.ended.is_set():
            return False
        ticket.turn = self._budget.ask(ticket.urgency)
        granted = await ticket.turn.granted()
        ticket.turn = None
        return granted and not ticket.ended.is_set()

    async def _draw(self, ticket: Ticket) -> None:
        try:
            parcel = await self._newest(ticket)
            if ticket.ended.is_set() or parcel.text == ticket.shown:
                return
            if ticket.shown:
                ticket.pace.take(self._time())
            if parcel.preview is not None:
                ticket.drawn_at = self._time()
            await self._write(ticket, parcel)
            ticket.failures = 0
        except (WayClosed, Refusal):
            raise
        except Exception as error:  # Discord is away, or the database: what it has to show is shown later
            if not isinstance(error, Unavailable):
                log.warning("job %s: its ticket has to wait", ticket.commission.id, exc_info=error)
            ticket.failures += 1
            longest = min(LONGEST_PAUSE, PAUSE * 2 ** min(ticket.failures, 8))
            await within(ticket.ended, random.uniform(PAUSE / 2, longest))  # noqa: S311 - jitter, no secret
            ticket.changed.set()

    async def _newest(self, ticket: Ticket) -> Parcel:
        if ticket.progress is not None:
            text = painting_text(ticket.commission, ticket.progress)
            return Parcel(text=text, rows=_rows(ticket), preview=ticket.progress.preview)
        standing = await self._studio.standing(ticket.commission.id)
        # Over before anybody followed it: its message may show the outcome. Painted elsewhere: it is not ours any more.
        if standing.state not in LIVE or standing.elsewhere:
            ticket.stop()
            self._live.pop(ticket.commission.id, None)
        return Parcel(text=waiting_text(ticket.commission, standing), rows=_rows(ticket))

    async def _write(self, ticket: Ticket, parcel: Parcel) -> None:
        try:
            async with asyncio.timeout(EDIT):
                await self._courier.rewrite(ticket.commission.address, ticket.message_id, parcel)
            ticket.thinking = False
        except Rejected as error:
            log.warning("job %s: Discord did not accept its ticket", ticket.commission.id, exc_info=error)
        except (Unavailable, TimeoutError) as error:
            if isinstance(error, TimeoutError) or error.in_doubt:
                self._may_be_late(ticket)
            raise
        ticket.shown, ticket.answered = parcel.text, True
        ticket.painting = parcel.preview is not None or ticket.painting

    def _may_be_late(self, ticket: Ticket) -> None:
        """Remember it even if a later edit is answered: Discord may carry them out in another order."""
        now = self._time()
        self._late = {job_id: entry for job_id, entry in self._late.items() if entry[0] > now}
        stub = Stub(ticket.message_id, late=True, thinking=ticket.thinking)
        self._late[ticket.commission.id] = (now + LATE, stub)

    def _seconds_left(self, ticket: Ticket) -> float:
        return ticket.commission.address.token_expires - FAREWELL - self._studio.clock()


def _rows(ticket: Ticket) -> Rows:
    return ticket_rows(ticket.commission.id)


def _log_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("A ticket stopped being followed; its job goes on", exc_info=task.exception())
