"""Accepted means delivered: shows each outcome exactly once, by whatever way is open, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from enum import Enum, auto
from weakref import WeakValueDictionary

from bot.courier import Courier, Rejected, Sent, TokenRefused, TooLarge, Unavailable, WayClosed
from bot.desk import Desk
from bot.order import Commission
from bot.outcome import Outcome, max_level, notice_of, result_of
from bot.packing import Packing
from bot.store.outbox import Forgotten
from bot.studio import Studio
from bot.ticket import Tickets
from bot.waiting import either, ended, within
from bot.ways import Passage
from generation.errors import ConfigError, NotApproved
from generation.job import ENDED, JobState

log = logging.getLogger(__name__)

AT_ONCE = 16  # deliveries under way, each with its pictures in memory
PATIENCE = 8  # attempts after which a result lets the others of its channel go first, if others get through
OUTAGE = 3  # attempts that fail in a row when Discord itself is away: whatever gets through then wakes all the others
RUSH = 2.0  # seconds over which they come back
CROWD = 300  # outcomes on their way from which on nothing more is painted: Discord is away, or slow
CLOSE_PATIENCE = 5.0  # seconds for messages under way at the end
SLOWEST = 60.0  # seconds between two attempts at most
BAD_KEY = "Discord does not accept the bot's token any more; put a new one into DISCORD_TOKEN."
NOWHERE = "The picture was painted, but there was no way left to show it."
NOT_HERE = "This channel does not show such pictures any more, so yours is not posted here."
LOST = "The picture's file is damaged or gone, so it cannot be shown; please ask for it again."
TOO_LARGE = "The picture was painted, but its file is larger than Discord takes here; please ask for a smaller one."


class NotShownHere(NotApproved):
    """This channel does not show pictures of this level."""


class Attempt(Enum):
    """How one attempt to show an outcome has ended."""

    DONE = auto()  # there is nothing left to do
    AWAY = auto()  # Discord or the disk is away; others would fare no better
    FAULT = auto()


class Delivery:
    """One task per settled job until its outcome was seen to arrive."""

    def __init__(
        self,
        studio: Studio,
        desk: Desk,
        courier: Courier,
        tickets: Tickets,
        packing: Packing,
        stop: Callable[[ConfigError], None],
    ) -> None:
        self.packing = packing
        self._studio = studio
        self._desk = desk
        self._courier = courier
        self._tickets = tickets
        self._stop = stop
        self._online = asyncio.Event()
        self._closing = asyncio.Event()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._lanes: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._through = 0  # outcomes that have arrived
        self._failures = 0  # attempts that failed since the last of them
        self._back = asyncio.Event()  # set when Discord is there again after an outage, and then replaced
        # Messages that this process began to send: since when (epoch seconds) one may be there; None: none can be.
        self._doubts: dict[tuple[str, str], float | None] = {}

    @property
    def unshown(self) -> int:
        """Outcomes that are still on their way."""
        return len(self._tasks)

    def is_crowded(self) -> bool:
        """Whether so much waits to be shown that painting more makes no sense."""
        return self.unshown >= CROWD

    async def settled(self, commission: Commission) -> None:
        """The job has an outcome: show it. Returns at once."""
        self._tickets.stop(commission.id)
        self._tickets.moved()
        if commission.id not in self._tasks:
            task = asyncio.create_task(self._until_delivered(commission), name=f"delivery-{commission.id}")
            self._tasks[commission.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(commission.id, None))

    async def recover(self) -> None:
        """After a restart: take up every outcome that nobody has seen yet and that is this process's, oldest first."""
        for commission in await self._desk.jobs.unshown():
            await self.settled(commission)

    def begin(self) -> None:
        """Discord can be spoken to from now on."""
        self._online.set()

    async def send(self, commission: Commission, outcome: Outcome) -> Sent:
        """Send one more message of a job, once, by whatever way is open; raises WayClosed when none is."""
        return await self._once(commission, outcome, None)

    async def drain(self, seconds: float) -> None:
        """Give deliveries a little time; what is left is taken up at the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)

    async def close(self) -> None:
        """Begin no further attempt and let those under way end; nothing is lost, see `recover`."""
        self._closing.set()
        await ended([*self._tasks.values()], CLOSE_PATIENCE)

    async def _until_delivered(self, commission: Commission) -> None:
        await either(self._online, self._closing)
        attempt, patience = 0, PATIENCE
        while not self._closing.is_set():
            async with self._lane(commission):
                through, tries = self._through, 0
                while not self._closing.is_set():
                    async with self._places:
                        if self._closing.is_set():
                            return
                        ended = await self._attempt(commission)
                    if ended is Attempt.DONE:
                        return
                    attempt, tries = attempt + 1, tries + 1
                    if tries >= patience and (ended is Attempt.FAULT or self._through > through):
                        break  # it is not Discord, it is this one
                    await self._pause(min(SLOWEST, 0.5 * 2 ** min(attempt, 8)))
            patience = 1  # from now on it keeps the others waiting for one attempt at a time
            await self._pause(min(SLOWEST, 0.5 * 2 ** min(attempt, 8)))

    def _lane(self, commission: Commission) -> AbstractAsyncContextManager[None]:
        """A channel's results wait behind each other, between attempts too, so that they keep their order."""
        if commission.state is not JobState.RENDERED:
            return nullcontext()  # notices go by tokens, which have limits of their own
        return self._lanes.setdefault(commission.address.channel_id, asyncio.Lock())

    async def _attempt(self, commission: Commission) -> Attempt:
        """Show it; whatever goes wrong, the outcome is stored and only this try is lost."""
        job_id = commission.id
        try:
            await self._deliver(job_id)
        except Forgotten:
            await self._forget(commission)
        except TokenRefused:
            self._stop(ConfigError(BAD_KEY))
        except Unavailable as error:
            log.warning("job %s: Discord could not be reached (%s), trying again", job_id, error.__cause__)
            self._failures += 1
            return Attempt.AWAY
        except Exception as error:  # a fault of ours: the outcome is stored, only this attempt is lost
            if self._desk.disk.failed(error):
                await either(self._desk.disk.working, self._closing)
                return Attempt.AWAY
            log.exception("job %s: could not be delivered, trying again", job_id)
            return Attempt.FAULT
        return Attempt.DONE

    def _arrived(self) -> None:
        self._through += 1
        if self._failures >= OUTAGE:
            self._back.set()
            self._back = asyncio.Event()
        self._failures = 0

    async def _pause(self, longest: float) -> None:
        """Wait somewhere up to `longest` seconds, jitter over the whole of it, or until Discord is back."""
        back, end = self._back, asyncio.timeout(random.uniform(0, longest))  # noqa: S311 - jitter, no secret
        with suppress(TimeoutError):
            async with end:
                await either(back, self._closing)
        if back.is_set():
            await within(self._closing, random.uniform(0, RUSH))  # noqa: S311 - as above

    async def _deliver(self, job_id: str) -> None:
        commission = await self._studio.get(job_id)
        if commission is None:  # its author had everything deleted: nothing is said of it any more
            raise Forgotten
        if not self._desk.jobs.is_ours(commission):
            return  # shown already, or taken over by a process that had not heard of this one for too long
        if commission.state is JobState.RENDERED:
            await self._show_result(commission)
        elif commission.state in ENDED and commission.state is not JobState.POSTED:
            await self._show_notice(commission)

    async def _forget(self, commission: Commission) -> None:
        ticket_id = (await self._tickets.finished(commission)).message_id
        if ticket_id is not None:
            with suppress(Unavailable):
                await self._remove(commission, ticket_id)
        log.info("job %s: deleted by its author", commission.id)

    # -- a painted job -----------------------------------------------------------------------------------------------

    async def _show_result(self, commission: Commission) -> None:
        ticket = await self._tickets.finished(commission)
        ticket_id = ticket.message_id
        if ticket_id is not None and ticket.thinking:
            await self._remove(commission, ticket_id)  # first: see `_show_notice`
        limit, sent = self._courier.size_limit(commission.address.guild_id), None
        try:
            while sent is None:
                outcome = await self._result(commission, limit)
                try:
                    sent = await self._once(commission, outcome, ticket.writable)
                except TooLarge:  # Discord may take less than it says, and less of several files together
                    limit = min(limit, max(len(each.picture.data) for each in outcome.parcel.enclosures)) // 2
        except WayClosed:
            await self._give_up(commission, NOWHERE)
            return
        except TooLarge:
            await self._give_up(commission, TOO_LARGE)
            return
        except NotApproved as error:
            await self._give_up(commission, NOT_HERE if isinstance(error, NotShownHere) else LOST)
            return
        except Rejected as error:
            log.error("job %s: Discord did not accept its result", commission.id, exc_info=error)
            await self._give_up(commission, NOWHERE)
            return
        if ticket_id is not None and ticket_id != sent.message_id:
            await self._remove(commission, ticket_id)
        await self._desk.jobs.posted(commission.id)
        log.info("job %s: posted", commission.id)

    async def _result(self, commission: Commission, limit: int) -> Outcome:
        place = self._courier.place_now(commission)
        policy = self._studio.policies.of(place)
        outcome = await result_of(commission, self.packing, limit, policy)
        if max_level(outcome) > policy.clearance(place):
            raise NotShownHere
        return outcome

    async def _give_up(self, commission: Commission, reason: str) -> None:
        log.warning("job %s: %s", commission.id, reason)
        await self._studio.undeliverable(commission.id, reason)
        ended = await self._studio.get(commission.id)
        if ended is not None and ended.state is JobState.FAILED:
            await self._show_notice(ended)

    # -- a job without a picture -------------------------------------------------------------------------------------

    async def _show_notice(self, commission: Commission) -> None:
        ticket = await self._tickets.finished(commission)
        ticket_id = ticket.message_id
        outcome = notice_of(commission)
        if ticket_id is not None and (ticket.thinking or not outcome.in_ticket):
            await self._remove(commission, ticket_id)  # first: a follow-up would fill a ticket that still thinks
        try:
            try:
                sent = await self._once(commission, outcome, ticket.writable)
            except Rejected:  # perhaps for the words that it quotes
                sent = await self._once(commission, notice_of(commission, quoting=False), ticket.writable)
        except (WayClosed, Rejected, TooLarge) as error:
            log.warning("job %s: its author could not be told (%s)", commission.id, error)
            sent = Sent(0, 0)
            await self._desk.outbox.sent(commission.id, outcome.kind, sent.channel_id, sent.message_id)
        if ticket_id is not None and ticket_id != sent.message_id:
            await self._remove(commission, ticket_id)

    # -- one message -------------------------------------------------------------------------------------------------

    async def _once(self, commission: Commission, outcome: Outcome, ticket_id: int | None) -> Sent:
        """Send one message of a job unless it was sent before; raises WayClosed when no way is left."""
        before = await self._desk.outbox.message_of(commission.id, outcome.kind)
        if before is not None:
            return Sent(*before)
        entry = await self._desk.outbox.intend(commission.id, outcome.kind)
        key = (commission.id, outcome.kind)
        since = self._doubts.setdefault(key, None if entry.fresh else entry.intended_at)
        began = self._studio.clock()
        try:
            passage = Passage(
                self._courier,
                self._desk.outbox,
                self._studio.clock,
                commission=commission,
                outcome=outcome,
                ticket_id=ticket_id,
                entry=entry,
                since=since,
            )
            sent = await passage.go()
            kept = await self._desk.outbox.sent(commission.id, outcome.kind, sent.channel_id, sent.message_id)
        except (WayClosed, Rejected, TokenRefused):  # it is not there, and will not be
            self._doubts.pop(key, None)
            raise
        except TooLarge:  # it is not there, and is tried again in a smaller file
            raise
        except BaseException as error:
            if since is None and not (isinstance(error, Unavailable) and not error.in_doubt):
                self._doubts[key] = began
            raise
        self._doubts.pop(key, None)
        self._arrived()
        if not kept:  # deleted while it was on its way
            await self._take_back(sent)
            raise Forgotten
        return sent

    async def _take_back(self, sent: Sent) -> None:
        """Written down first: where Discord is away right now, the message goes later."""
        await self._desk.archive.owe_farewell(sent.channel_id, sent.message_id)
        with suppress(Unavailable, Rejected):
            await self._courier.withdraw(sent.channel_id, sent.message_id)
            await self._desk.archive.farewell_said(sent.channel_id, sent.message_id)

    async def _remove(self, commission: Commission, ticket_id: int) -> None:
        try:
            await self._courier.remove(commission.address, ticket_id)
        except (WayClosed, Rejected):
            log.debug("job %s: its ticket was gone already", commission.id)
