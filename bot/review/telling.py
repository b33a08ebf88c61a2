"""The member is told: to them alone while the interaction lives, else directly, else in the channel without details."""

from __future__ import annotations

import logging

from bot.card import Face
from bot.courier import Courier, Parcel, Rejected, Sent, WayClosed
from bot.order import Commission
from bot.press import CaseDeed, CasePress
from bot.review.case import Case

log = logging.getLogger(__name__)

UNDISCLOSED = "A moderator has decided about one of your pictures."
UNREACHED = "The member could not be told: no way to them is open."


def case_nonce(case: Case, letter: str) -> str:
    """At most 25 characters, Discord's limit; one for each round and purpose."""
    return f"ac{case.id}{letter}{case.round}"


async def once(courier: Courier, channel_id: int, parcel: Parcel, nonce: str, *, fresh: bool) -> Sent:
    """A message that is posted once: after an attempt that may have come through, it is looked for by its button."""
    if not fresh and parcel.rows:
        try:
            found = await courier.find(channel_id, parcel.rows[0][0].press.custom_id)
        except WayClosed:
            found = None  # no right to read the history; the nonce still guards the last minutes
        if found is not None:
            return found
    return await courier.to_channel(channel_id, parcel, nonce)


async def tell_member(courier: Courier, case: Case, commission: Commission, parcel: Parcel, *, fresh: bool) -> str:
    """Tell the member of a case; returns a sentence when that was not possible."""
    address, nonce = commission.address, case_nonce(case, "t")
    try:
        await courier.follow_up(address, parcel, ephemeral=True)
        return ""
    except (WayClosed, Rejected):
        log.debug("case %d: its interaction has ended", case.id)
    try:
        await once(courier, await courier.direct_channel(case.author_id), parcel, nonce, fresh=fresh)
        return ""
    except (WayClosed, Rejected):
        log.info("case %d: its member takes no direct messages", case.id)
    if address.private or not address.channel_reachable:
        return UNREACHED
    face = Face(CasePress(CaseDeed.DETAILS, case.id), "See what happened")
    hint = Parcel(text=f"<@{case.author_id}> {UNDISCLOSED}", rows=((face,),), mention=case.author_id)
    try:
        await once(courier, address.channel_id, hint, nonce, fresh=fresh)
    except (WayClosed, Rejected):
        return UNREACHED
    return ""
