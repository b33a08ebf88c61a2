"""The member is told: to them alone while the interaction lives, else directly, else in the channel without details."""

from __future__ import annotations

import logging

from bot.card import Face
from bot.courier import Courier, Parcel, Rejected, Sent, WayClosed
from bot.order import Commission
from bot.press import CaseDeed, CasePress
from bot.review.case import Case
from bot.store.outbox import Outbox
from bot.whisper import whisper

log = logging.getLogger(__name__)

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
TOLD = "t"  # how the kinds of what members are told begin in the outbox; no kind of a picture begins so
UNDISCLOSED = "A moderator has decided about one of your pictures."
UNREACHED = "The member could not be told: no way to them is open."


def case_nonce(case: Case, letter: str) -> str:
    """At most 25 characters, Discord's limit; one for each round and purpose."""
    return f"ac{case.id}{letter}{case.round}"


async def once(
    courier: Courier, outbox: Outbox, channel_id: int, parcel: Parcel, nonce: str, *, since: float | None
) -> Sent:
    """A message that is posted once: after an attempt that may have come through, it is looked for by its button.

    `since` says when that may have been at the earliest (epoch seconds); None: there was none.
    """
    if since is not None:
        mark = parcel.rows[0][0].press.custom_id if parcel.rows else None
        try:
            found = await courier.find(channel_id, mark, parcel.text, since, outbox.knows)
        except WayClosed:
            found = None  # no right to read the history; the nonce still guards the last minutes
        if found is not None:
            return found
    return await courier.to_channel(channel_id, parcel, nonce)


async def tell_member(
    courier: Courier, outbox: Outbox, case: Case, commission: Commission, parcel: Parcel, *, fresh: bool
) -> str:
    """Tell the member of a case; returns a sentence when that was not possible."""
    address, nonce = commission.address, case_nonce(case, "t")
    kind = f"{TOLD}{base36(case.id)}{case.round}"
    entry = await outbox.intend(commission.id, kind)
    if entry.sent:
        return ""
    try:
        sent = await whisper(courier, outbox, address, entry, parcel, ephemeral=True)
        await outbox.sent(commission.id, kind, sent.channel_id, sent.message_id)
        return ""
    except (WayClosed, Rejected):
        log.debug("case %d: its interaction has ended", case.id)
    since = entry.intended_at
    try:
        person = await courier.direct_channel(case.author_id)
        sent = await once(courier, outbox, person, parcel, nonce, since=None if fresh else since)
        await outbox.sent(commission.id, kind, sent.channel_id, sent.message_id)
        return ""
    except (WayClosed, Rejected):
        log.info("case %d: its member takes no direct messages", case.id)
    if address.private or not address.channel_reachable:
        return UNREACHED
    face = Face(CasePress(CaseDeed.DETAILS, case.id), "See what happened")
    hint = Parcel(text=f"<@{case.author_id}> {UNDISCLOSED}", rows=((face,),), mention=case.author_id)
    try:
        sent = await once(courier, outbox, address.channel_id, hint, nonce, since=None if fresh else since)
    except (WayClosed, Rejected):
        return UNREACHED
    await outbox.sent(commission.id, kind, sent.channel_id, sent.message_id)
    return ""


def base36(number: int) -> str:
    """A number that is not negative in few letters: six at most for what fits 32 bits."""
    letters = ""
    while number or not letters:
        number, digit = divmod(number, 36)
        letters = DIGITS[digit] + letters
    return letters
