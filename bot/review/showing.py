"""Pictures under review: posted when a moderator lets them through, hidden and put back where they stand."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.card import result_rows, result_text, single_rows, single_text
from bot.courier import Courier, Parcel, Rejected, TooLarge, WayClosed
from bot.delivery import Delivery
from bot.desk import Desk
from bot.moderation.policy import Policy
from bot.order import Commission
from bot.outcome import NOTICE, Outcome, enclosure, max_level, nonce_of, result_of
from bot.policybook import PolicyBook
from bot.press import Deed, Press
from bot.review.case import Case, Kind, Ruling
from bot.review.telling import TOLD, base36
from bot.review.words import HIDDEN
from bot.store.pictures import GRID, StoredPicture
from generation.errors import NotApproved
from generation.safety.approved import Approved

log = logging.getLogger(__name__)

SPOILER = "SPOILER_"  # what a file's name begins with that Discord shows behind a click
LET_THROUGH = "-# A moderator looked at this picture and let it through."
GONE = "The picture's file is not kept any more, so it could not be shown."
NOT_HERE = "Its channel does not show pictures of this level any more, so it was not posted."
NOWHERE = "There was no way left to show the picture."
TOO_LARGE = "The picture's file is larger than Discord takes."


class Showing:
    """What a ruling does to the messages of a job; everything may be done twice."""

    def __init__(self, desk: Desk, courier: Courier, delivery: Delivery, policies: PolicyBook) -> None:
        self._desk = desk
        self._packing = delivery.packing
        self._courier = courier
        self._delivery = delivery
        self._policies = policies

    async def show(self, case: Case, commission: Commission) -> str:
        """Post what was kept back or removed; returns a sentence when that cannot be."""
        try:
            outcome = await self._outcome(case, commission)
            place = self._courier.place_now(commission)
            if max_level(outcome) > self._policies.of(place).clearance(place):
                return NOT_HERE
            await self._delivery.send(commission, outcome)
        except NotApproved:
            return GONE
        except TooLarge:
            return TOO_LARGE
        except (WayClosed, Rejected) as error:
            log.warning("case %d: its picture could not be shown (%r)", case.id, error)
            return NOWHERE
        return ""

    async def hide(self, commission: Commission) -> None:
        """Take the pictures out of every message of the job."""
        for channel_id, message_id in (await self._messages(commission)).values():
            await self._change(commission, channel_id, message_id, Parcel(text=HIDDEN))

    async def restore(self, case: Case, commission: Commission) -> None:
        """Put the pictures back into every message of the job, behind a spoiler when a moderator said so."""
        parcels = await self._parcels(commission)
        for kind, (channel_id, message_id) in (await self._messages(commission)).items():
            if kind in parcels:
                parcel = covered(parcels[kind]) if case.ruling is Ruling.SPOILER else parcels[kind]
                await self._change(commission, channel_id, message_id, parcel)

    async def remove(self, commission: Commission) -> None:
        """Delete every message of the job, and put its files out of reach."""
        await self._desk.withdrawals.withdraw(commission.id)
        for channel_id, message_id in (await self._messages(commission)).values():
            await self._delete(commission, channel_id, message_id)

    async def discard(self, case: Case) -> None:
        """Forget the bytes of what nobody will see any more."""
        if case.kind is Kind.REPORTED:
            await self._desk.withdrawals.forget(case.job_id)
        else:
            await self._desk.pictures.discard(case.job_id, case.place)

    async def _outcome(self, case: Case, commission: Commission) -> Outcome:
        if case.kind is Kind.REPORTED:
            await self._desk.withdrawals.reinstate(case.job_id)
            return once_more(case.id, await self._result(commission))
        by = f"moderator {case.ruled_by}, case {case.id}"
        approved = await self._desk.pictures.let_through(case.job_id, case.place, by)
        approved = approved or await self._desk.pictures.load(case.job_id, case.place)  # by an earlier attempt
        if approved is None:
            raise NotApproved
        approved = await self._fitting(commission, approved)
        policy = self._policies.of(commission.place)
        stored = await self._desk.pictures.of(case.job_id)
        picture = next(picture for picture in stored if picture.index == case.place)
        outcome = let_through(commission, policy, stored, picture, approved)
        return replace(outcome, parcel=covered(outcome.parcel)) if case.ruling is Ruling.SPOILER else outcome

    async def _result(self, commission: Commission) -> Outcome:
        limit = self._courier.size_limit(commission.address.guild_id)
        return await result_of(commission, self._packing, limit, self._policies.of(commission.place))

    async def _fitting(self, commission: Commission, approved: Approved) -> Approved:
        limit = self._courier.size_limit(commission.address.guild_id)
        smaller = await self._packing.fitting(commission, approved, limit)
        if smaller is None:
            raise TooLarge
        return smaller

    async def _messages(self, commission: Commission) -> dict[str, tuple[int, int]]:
        sent = await self._desk.outbox.messages_of(commission.id)
        return {kind: place for kind, place in sent.items() if kind != NOTICE and not kind.startswith(TOLD)}

    async def _parcels(self, commission: Commission) -> dict[str, Parcel]:
        """Every message that a job can have, by its kind in the outbox."""
        policy = self._policies.of(commission.place)
        stored = await self._desk.pictures.of(commission.id)
        try:
            result = await self._result(commission)
        except (TooLarge, NotApproved):
            return {}
        found = {result.kind: result.parcel}
        for case in await self._desk.cases.of_job(commission.id):
            found[once_more(case.id, result).kind] = result.parcel
        for picture in stored:
            approved = await self._desk.pictures.load(commission.id, picture.index)
            if picture.index == GRID or approved is None:
                continue
            approved = await self._fitting(commission, approved)
            single = Parcel(
                text=single_text(commission, picture),
                enclosures=(enclosure(commission, policy, picture, approved),),
                rows=single_rows(commission, picture.index),
            )
            # Former versions posted a set that was too large for one message as a page for each picture.
            found |= {f"single{picture.index}": single, f"page{picture.index}": single}
            outcome = let_through(commission, policy, stored, picture, approved)
            found[outcome.kind] = outcome.parcel
        return found

    async def _change(self, commission: Commission, channel_id: int, message_id: int, parcel: Parcel) -> None:
        try:
            try:
                await self._courier.change(channel_id, message_id, parcel)
            except WayClosed:  # private, or where the bot is a guest: the interaction's token may still open it
                await self._courier.rewrite(commission.address, message_id, parcel)
        except (WayClosed, Rejected, TooLarge) as error:
            log.info("job %s: message %d could not be changed (%r)", commission.id, message_id, error)

    async def _delete(self, commission: Commission, channel_id: int, message_id: int) -> None:
        try:
            try:
                await self._courier.delete(channel_id, message_id)
            except WayClosed:  # as above
                await self._courier.remove(commission.address, message_id)
        except (WayClosed, Rejected):
            log.info("job %s: message %d was gone already, or out of reach", commission.id, message_id)


def let_through(
    commission: Commission,
    policy: Policy,
    stored: list[StoredPicture],
    picture: StoredPicture,
    approved: Approved,
) -> Outcome:
    """One picture that was kept back, as its result would have shown it."""
    alone = commission.request.count == 1
    quiet = result_text(commission, stored, mention=False) if alone else single_text(commission, picture)
    text = f"{quiet}\n{LET_THROUGH}"
    return Outcome(
        kind=f"shown{picture.index}",
        nonce=nonce_of(commission.id, f"s{picture.index}"),
        parcel=Parcel(
            text=f"<@{commission.author_id}> {text}",
            enclosures=(enclosure(commission, policy, picture, approved),),
            rows=result_rows(commission, stored) if alone else single_rows(commission, picture.index),
            mention=commission.author_id,
        ),
        quiet_text=text,
        mark=Press(Deed.DELETE, commission.id, None if alone else picture.index).custom_id,
        in_ticket=False,
    )


def covered(parcel: Parcel) -> Parcel:
    """The same with its files behind a click."""
    files = tuple(
        file if file.name.startswith(SPOILER) else replace(file, name=SPOILER + file.name) for file in parcel.enclosures
    )
    return replace(parcel, enclosures=files)


def once_more(case_id: int, outcome: Outcome) -> Outcome:
    """A message that was deleted and is posted again, told apart from all others in memory and by its nonce.

    A job may be removed and reinstated more than once, by a case each time. The name fits the outbox's ten letters.
    """
    end = outcome.kind[-1]  # "t" of a result, the number of a page
    return replace(outcome, kind=f"b{base36(case_id)}{end}", nonce=f"ab{case_id}{end}")
