"""Accepted means delivered: shows each outcome exactly once, by whatever way is open, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import replace
from weakref import WeakValueDictionary

from bot.courier import Courier, Rejected, Sent, TokenRefused, TooLarge, Unavailable, WayClosed
from bot.desk import Desk
from bot.order import Commission
from bot.outcome import Outcome, max_level, notice_of, results_of
from bot.store.outbox import Forgotten
from bot.studio import Studio
from bot.ticket import Tickets
from bot.waiting import either, ended, within
from generation.errors import ConfigError, NotApproved
from generation.job import ENDED, JobState
from generation.safety.level import Level

log = logging.getLogger(__name__)

AT_ONCE = 32  # deliveries under way, each with its pictures in memory
IN_ONE_CHANNEL = 2  # Discord takes about one message a second there; a busy channel must not hold up the others
CLOSE_PATIENCE = 5.0  # seconds for messages under way at the end
SLOWEST = 60.0  # seconds between two attempts at most
ANNOUNCE_WITHIN = 24 * 3600.0  # seconds after which a missed failure notice would only confuse
BAD_KEY = "Discord does not accept the bot's token any more; put a new one into DISCORD_TOKEN."
NOWHERE = "The picture was painted, but there was no way left to show it."
NOT_HERE = "This channel does not show such pictures any more, so yours is not posted here."
LOST = "The picture's file is damaged or gone, so it cannot be shown; please ask for it again."
TOO_LARGE = "The picture was painted, but its file is larger than Discord takes here; please ask for a smaller one."


class Delivery:
    """One task per settled job until its outcome was seen to arrive."""

    def __init__(
        self,
        studio: Studio,
        desk: Desk,
        courier: Courier,
        tickets: Tickets,
        stop: Callable[[ConfigError], None],
    ) -> None:
        self._studio = studio
        self._desk = desk
        self._courier = courier
        self._tickets = tickets
        self._stop = stop
        self._online = asyncio.Event()
        self._closing = asyncio.Event()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._lanes: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def settled(self, commission: Commission) -> None:
        """The job has an outcome: show it. Returns at once."""
        self._tickets.stop(commission.id)
        self._tickets.moved()
        if commission.id not in self._tasks:
            task = asyncio.create_task(self._until_delivered(commission), name=f"delivery-{commission.id}")
            self._tasks[commission.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(commission.id, None))

    async def recover(self) -> None:
        """After a restart: take up every outcome that nobody has seen yet, oldest first."""
        for commission in await self._desk.jobs.in_state(JobState.RENDERED):
            await self.settled(commission)
        for job_id in await self._desk.outbox.unannounced(self._studio.clock() - ANNOUNCE_WITHIN):
            commission_or_none = await self._studio.get(job_id)
            if commission_or_none is not None:
                await self.settled(commission_or_none)

    def begin(self) -> None:
        """Discord can be spoken to from now on."""
        self._online.set()

    async def send(self, commission: Commission, outcome: Outcome) -> Sent:
        """Send one more message of a job, once, by whatever way is open; raises WayClosed when none is."""
        return await self._once(commission, outcome, None, again=False)

    async def drain(self, seconds: float) -> None:
        """Give deliveries a little time; what is left is taken up at the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)

    async def close(self) -> None:
        """Begin no further attempt and let those under way end; nothing is lost, see `recover`."""
        self._closing.set()
        await ended([*self._tasks.values()], CLOSE_PATIENCE)

    async def _until_delivered(self, commission: Commission) -> None:
        job_id = commission.id
        lane: AbstractAsyncContextManager[None] = nullcontext()  # notices go by tokens, which have limits of their own
        if commission.state is JobState.RENDERED:
            lane = self._lanes.setdefault(commission.address.channel_id, asyncio.Semaphore(IN_ONE_CHANNEL))
        await either(self._online, self._closing)
        attempt = 0
        while not self._closing.is_set():
            try:
                async with lane, self._places:
                    if not self._closing.is_set():
                        await self._deliver(job_id, again=attempt > 0)
                return
            except Forgotten:
                await self._forget(commission)
                return
            except TokenRefused:
                self._stop(ConfigError(BAD_KEY))
                return
            except Unavailable as error:
                log.warning("job %s: Discord could not be reached (%s), trying again", job_id, error.__cause__)
            except Exception:  # a full disk or a fault of ours: the outcome is stored, only this attempt is lost
                log.exception("job %s: could not be delivered, trying again", job_id)
            attempt += 1
            pause = random.uniform(0, min(SLOWEST, 0.5 * 2 ** min(attempt, 8)))  # noqa: S311 - jitter, no secret
            await within(self._closing, pause)

    async def _deliver(self, job_id: str, *, again: bool) -> None:
        commission = await self._studio.get(job_id)
        if commission is None:  # its author had everything deleted: nothing is said of it any more
            raise Forgotten
        if commission.state is JobState.RENDERED:
            await self._show_result(commission, again=again)
        elif commission.state in ENDED and commission.state is not JobState.POSTED:
            await self._show_notice(commission, again=again)

    async def _forget(self, commission: Commission) -> None:
        ticket_id = await self._tickets.finished(commission)
        if ticket_id is not None:
            with suppress(Unavailable):
                await self._remove(commission, ticket_id)
        log.info("job %s: deleted by its author", commission.id)

    # -- a painted job -----------------------------------------------------------------------------------------------

    async def _show_result(self, commission: Commission, *, again: bool) -> None:
        limit = self._courier.size_limit(commission.address.guild_id)
        place = self._courier.place_now(commission)
        policy = self._studio.policies.of(place)
        try:
            outcomes = await results_of(commission, self._desk.pictures, limit, policy)
            if max_level(outcomes) > policy.clearance(place):
                await self._give_up(commission, NOT_HERE)
                return
            ticket_id = await self._tickets.finished(commission)
            shown = [await self._once(commission, outcome, ticket_id, again=again) for outcome in outcomes]
        except WayClosed:
            await self._give_up(commission, NOWHERE)
            return
        except TooLarge:
            await self._give_up(commission, TOO_LARGE)
            return
        except NotApproved:
            await self._give_up(commission, LOST)
            return
        except Rejected as error:
            log.error("job %s: Discord did not accept its result", commission.id, exc_info=error)
            await self._give_up(commission, NOWHERE)
            return
        if ticket_id is not None and ticket_id not in {sent.message_id for sent in shown}:
            await self._remove(commission, ticket_id)
        await self._desk.jobs.posted(commission.id)
        log.info("job %s: posted", commission.id)

    async def _give_up(self, commission: Commission, reason: str) -> None:
        log.warning("job %s: %s", commission.id, reason)
        await self._studio.undeliverable(commission.id, reason)
        ended = await self._studio.get(commission.id)
        if ended is not None and ended.state is JobState.FAILED:
            await self._show_notice(ended, again=True)

    # -- a job without a picture -------------------------------------------------------------------------------------

    async def _show_notice(self, commission: Commission, *, again: bool) -> None:
        ticket_id = await self._tickets.finished(commission)
        outcome = notice_of(commission)
        if ticket_id is not None and not outcome.in_ticket:
            await self._remove(commission, ticket_id)  # first: a follow-up would fill a ticket that still thinks
        try:
            sent = await self._once(commission, outcome, ticket_id, again=again)
        except (WayClosed, Rejected, TooLarge) as error:
            log.warning("job %s: its author could not be told (%s)", commission.id, error)
            sent = Sent(0, 0)
            await self._desk.outbox.sent(commission.id, outcome.kind, sent.channel_id, sent.message_id)
        if ticket_id is not None and ticket_id != sent.message_id:
            await self._remove(commission, ticket_id)

    # -- ways --------------------------------------------------------------------------------------------------------

    async def _once(self, commission: Commission, outcome: Outcome, ticket_id: int | None, *, again: bool) -> Sent:
        """Send one message of a job unless it was sent before; raises WayClosed when no way is left."""
        before = await self._desk.outbox.message_of(commission.id, outcome.kind)
        if before is not None:
            return Sent(*before)
        entry = await self._desk.outbox.intend(commission.id, outcome.kind)
        sent = await self._by_any_way(commission, outcome, ticket_id, maybe_sent=again or not entry.fresh)
        if not await self._desk.outbox.sent(commission.id, outcome.kind, sent.channel_id, sent.message_id):
            await self._courier.withdraw(sent.channel_id, sent.message_id)  # deleted while it was on its way
            raise Forgotten
        return sent

    async def _by_any_way(
        self, commission: Commission, outcome: Outcome, ticket_id: int | None, *, maybe_sent: bool
    ) -> Sent:
        address = commission.address
        in_ticket = replace(outcome.parcel, text=outcome.quiet_text, mention=None)
        if outcome.in_channel and address.channel_reachable and not address.private:
            try:
                return await self._to_channel(address.channel_id, outcome, maybe_sent=maybe_sent)
            except WayClosed:
                log.info("job %s: its channel is closed to the bot", commission.id)
        if ticket_id is not None and outcome.in_ticket:
            try:
                return await self._courier.rewrite(address, ticket_id, in_ticket)
            except WayClosed:
                log.info("job %s: its ticket cannot be changed any more", commission.id)
        try:
            return await self._courier.follow_up(address, in_ticket, ephemeral=address.private or outcome.author_alone)
        except WayClosed:
            log.info("job %s: its interaction has ended", commission.id)
        in_public = not address.private and not outcome.author_alone
        if not outcome.in_channel and address.channel_reachable and in_public:
            try:
                return await self._to_channel(address.channel_id, outcome, maybe_sent=maybe_sent)
            except WayClosed:
                log.info("job %s: its channel is closed to the bot", commission.id)
        if max_level([outcome]) > Level.NEUTRAL:
            raise WayClosed("What only its channel may show is not sent elsewhere.")
        person = await self._courier.direct_channel(commission.author_id)
        return await self._to_channel(person, outcome, maybe_sent=maybe_sent)

    async def _to_channel(self, channel_id: int, outcome: Outcome, *, maybe_sent: bool) -> Sent:
        if maybe_sent and outcome.mark is not None:
            try:
                found = await self._courier.find(channel_id, outcome.mark)
            except WayClosed:
                found = None  # no right to read the history; the nonce still guards the last minutes
            if found is not None:
                return found
        return await self._courier.to_channel(channel_id, outcome.parcel, outcome.nonce)

    async def _remove(self, commission: Commission, ticket_id: int) -> None:
        try:
            await self._courier.remove(commission.address, ticket_id)
        except (WayClosed, Rejected):
            log.debug("job %s: its ticket was gone already", commission.id)
