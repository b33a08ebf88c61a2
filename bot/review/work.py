"""How each errand of a case is done; every one of them may be done twice without harm."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.card import ENDINGS
from bot.courier import Courier, Enclosure, Parcel, Rejected, TooLarge, WayClosed
from bot.desk import Desk
from bot.order import Commission
from bot.press import CaseDeed, CasePress
from bot.review.case import FIRST_ROUND, SECOND_ROUND, Case, Ruling, Task
from bot.review.evidence import QUEUE, Evidence, Exhibit, Seat
from bot.review.guild_rules import GuildRules
from bot.review.showing import SPOILER, Showing
from bot.review.strikes import HOUR, ban_sentence
from bot.review.telling import case_nonce, once, tell_member
from bot.review.words import DONE, case_rows, case_text, told_rows, told_text
from bot.store.errands import Errand
from generation.errors import BadRequest

log = logging.getLogger(__name__)

NO_TIMEOUT = (
    "Discord did not let me time this member out: I need the permission “Time out members” and a role above theirs."
    " The warning stands."
)
NO_SERVER = "There is no server here from which to time this member out; the warning stands."
NOT_OURS = "The member's present time-out is not the one of this case, so I left it alone."
NOT_RELEASED = "I could not see or end the member's time-out; if it still runs, please end it by hand."
SAME_MOMENT = 1.0  # seconds that Discord may round away
QUEUE_CLOSED = "I cannot write into the review channel; let me see it, send messages and attach files there."

FORGOTTEN = "What this case was about is not kept any more."


class CaseWork:
    """Does one errand at a time."""

    def __init__(
        self, desk: Desk, courier: Courier, showing: Showing, rules: GuildRules, clock: Callable[[], float]
    ) -> None:
        self._desk = desk
        self._courier = courier
        self._showing = showing
        self._rules = rules
        self._evidence = Evidence(desk, courier, rules)
        self._clock = clock
        # These need no more than what the case itself says, and are done even when its job is gone.
        self._always: dict[Task, Callable[[Case], Awaitable[str]]] = {
            Task.REFRESH: self._refresh,
            Task.DISCARD: self._discard,
            Task.TIMEOUT: self._time_out,
            Task.RELEASE: self._release,
        }
        self._how: dict[Task, Callable[[Errand, Case, Commission], Awaitable[str]]] = {
            Task.QUEUE: self._queue,
            Task.HIDE: self._hide,
            Task.RESTORE: self._restore,
            Task.SHOW: self._show,
            Task.REMOVE: self._remove,
            Task.TELL: self._tell,
        }

    async def do(self, errand: Errand) -> str:
        """Do it; returns a sentence for moderators when it could not be done. Raises Unavailable to be asked again."""
        try:
            case = await self._desk.cases.get(errand.case_id)
        except BadRequest:
            return ""  # the case was forgotten with its member's data
        if (always := self._always.get(errand.task)) is not None:
            return await always(case)
        commission = await self._desk.jobs.get(case.job_id)
        if commission is None:
            return ""
        return await self._how[errand.task](errand, case, commission)

    async def parcel(self, case: Case, commission: Commission, seat: Seat = QUEUE) -> Parcel:
        """A case as moderators see it: words, evidence while it is open, buttons."""
        exhibit = await self._evidence.of(case, commission, seat) if case.open else Exhibit()
        text = await self._text(case, commission, exhibit.remark)
        enclosures = tuple(
            Enclosure(
                picture=picture,
                name=f"{SPOILER}case-{case.id}.{ENDINGS.get(picture.media_type, 'bin')}",
                alt=f"Evidence for case {case.id}",
            )
            for picture in exhibit.pictures
        )
        return Parcel(text=text, enclosures=enclosures, rows=case_rows(case))

    async def told(self, case: Case, commission: Commission) -> Parcel:
        """A decided case as its member reads it."""
        now = self._clock()
        ban = await self._desk.strikes.ban_of(case.guild_id, case.author_id)
        banned = ban_sentence(ban) if ban is not None and case.ruling in (Ruling.WARN, Ruling.TIMEOUT) else ""
        return Parcel(text=told_text(case, commission, banned=banned, now=now), rows=told_rows(case, now))

    # -- moderators --------------------------------------------------------------------------------------------------

    async def _queue(self, errand: Errand, case: Case, commission: Commission) -> str:
        channel_id = (self._rules.of_case(case, commission)).channel
        if case.queue is not None or channel_id is None:
            return ""  # without a channel it waits in /review list
        if not case.open:
            await self._find_again(errand, case, channel_id)
            return ""
        parcel = await self.parcel(case, commission)
        try:
            sent = await self._post(channel_id, parcel, case, fresh=errand.fresh)
        except (WayClosed, Rejected) as error:
            log.warning("case %d: the review channel %d cannot be used (%r)", case.id, channel_id, error)
            return QUEUE_CLOSED
        await self._desk.cases.queued(case.id, *sent)
        return ""

    async def _find_again(self, errand: Errand, case: Case, channel_id: int) -> None:
        """A case that was decided before its message was known to be there: `refresh` still has to change that."""
        if errand.fresh:
            return
        first = SECOND_ROUND[0] if case.round > 1 else FIRST_ROUND[0]
        try:
            mark = CasePress(CaseDeed(first), case.id).custom_id
            found = await self._courier.find(channel_id, mark, "", case.opened_at, self._desk.outbox.knows)
        except WayClosed:
            return
        if found is not None:
            await self._desk.cases.queued(case.id, found.channel_id, found.message_id)

    async def _post(self, channel_id: int, parcel: Parcel, case: Case, *, fresh: bool) -> tuple[int, int]:
        nonce, since = case_nonce(case, "q"), None if fresh else case.opened_at
        try:
            sent = await once(self._courier, self._desk.outbox, channel_id, parcel, nonce, since=since)
        except TooLarge:
            bare = Parcel(text=parcel.text, rows=parcel.rows)
            sent = await once(self._courier, self._desk.outbox, channel_id, bare, nonce, since=since)
        return sent.channel_id, sent.message_id

    async def _refresh(self, case: Case) -> str:
        if case.queue is None:
            return ""
        commission = await self._desk.jobs.get(case.job_id)
        text = forgotten_text(case)
        if commission is not None:
            exhibit = await self._evidence.of(case, commission) if case.open else Exhibit()
            text = await self._text(case, commission, exhibit.remark)
        try:
            parcel = Parcel(text=text, rows=case_rows(case))
            await self._courier.change(*case.queue, parcel, keep_files=case.open)
        except (WayClosed, Rejected):
            log.info("case %d: its message in the queue is gone", case.id)
        return ""

    async def _text(self, case: Case, commission: Commission, remark: str) -> str:
        return case_text(
            case,
            commission,
            await self._desk.pictures.of(case.job_id),
            strikes=await self._desk.strikes.of(case.guild_id, case.author_id),
            reasons=await self._desk.reports.reasons(case.id),
            notes=await self._desk.errands.notes(case.id),
            now=self._clock(),
            remark=remark,
        )

    # -- the picture -------------------------------------------------------------------------------------------------

    async def _hide(self, _: Errand, case: Case, commission: Commission) -> str:
        if case.open:  # a moderator may have been faster
            await self._showing.hide(commission)
        return ""

    async def _restore(self, _: Errand, case: Case, commission: Commission) -> str:
        await self._showing.restore(case, commission)
        return ""

    async def _show(self, _: Errand, case: Case, commission: Commission) -> str:
        return await self._showing.show(case, commission)

    async def _discard(self, case: Case) -> str:
        await self._showing.discard(case)
        return ""

    async def _remove(self, _: Errand, __: Case, commission: Commission) -> str:
        await self._showing.remove(commission)
        return ""

    # -- the member --------------------------------------------------------------------------------------------------

    async def _time_out(self, case: Case) -> str:
        if case.guild_id is None:
            return NO_SERVER
        if case.ruled_at is None or case.hours is None or case.author_id < 0:
            return ""  # appealed meanwhile, or nobody knows any more whose picture it was
        until = datetime.fromtimestamp(case.ruled_at + case.hours * HOUR, UTC)
        try:
            await self._courier.time_out(case.guild_id, case.author_id, until, f"Atelier, case {case.id}")
        except (WayClosed, Rejected):
            return NO_TIMEOUT
        return ""

    async def _release(self, case: Case) -> str:
        """End the time-out that this case brought; one that somebody else set, or changed, is theirs."""
        ours = await self._ours(case)
        if case.guild_id is None or case.author_id < 0 or ours is None:
            return ""
        try:
            present = await self._courier.timed_out_until(case.guild_id, case.author_id)
            if present is None or present <= self._clock():
                return ""
            if abs(present - ours) > SAME_MOMENT:
                return NOT_OURS
            await self._courier.time_out(case.guild_id, case.author_id, None, f"Atelier, case {case.id}: appeal")
        except (WayClosed, Rejected):
            return NOT_RELEASED
        return ""

    async def _ours(self, case: Case) -> float | None:
        """When the time-out ends that this case brought, in epoch seconds: so long after its warning."""
        warnings = await self._desk.strikes.of(case.guild_id, case.author_id)
        given = [strike.given_at for strike in warnings if strike.case_id == case.id]
        return given[-1] + case.hours * HOUR if given and case.hours is not None else None

    async def _tell(self, errand: Errand, case: Case, commission: Commission) -> str:
        if case.open:
            return ""  # appealed before they were told, so they know
        parcel = await self.told(case, commission)
        return await tell_member(self._courier, self._desk.outbox, case, commission, parcel, fresh=errand.fresh)


def forgotten_text(case: Case) -> str:
    """A case whose job is gone, as moderators see it."""
    decided = f"\n**Decided** by <@{case.ruled_by}>: {DONE[case.ruling]}" if case.ruling is not None else ""
    return f"**Case {case.id}** · {FORGOTTEN}{decided}"
