"""Something said by an interaction's token, once: such a message has no nonce, and nobody can look for it afterwards.

So it is put there in two steps: first a message that says nothing yet, whose id is written down, then its words, which
may be put in as often as it takes. A crash in between leaves an empty line behind at worst, never the words twice.
"""

from __future__ import annotations

from contextlib import suppress

from bot.courier import Courier, Gone, Parcel, Rejected, Sent, Unavailable, WayClosed
from bot.order import Address
from bot.store.outbox import Outbox, OutboxEntry

COMING = "One moment …"


async def whisper(
    courier: Courier,
    outbox: Outbox,
    address: Address,
    entry: OutboxEntry,
    parcel: Parcel,
    *,
    ephemeral: bool,
) -> Sent:
    """Say it; `entry` is the intention, or what was begun of it.

    Raises WayClosed when the token has ended, and whatever else a courier does; Unavailable too when another process
    says it at this moment.
    """
    message_id = entry.message_id
    if message_id is None:
        held = await courier.follow_up(address, Parcel(text=COMING), ephemeral=ephemeral)
        if not await outbox.hold(entry, held.channel_id, held.message_id):
            with suppress(WayClosed, Rejected):
                await courier.remove(address, held.message_id)
            raise Unavailable
        message_id = held.message_id
    try:
        return await courier.rewrite(address, message_id, parcel)
    except Gone:  # whoever deleted it does not want it back
        return Sent(address.channel_id, message_id)
    except WayClosed:
        if entry.message_id is None:
            await outbox.let_go(entry)
        raise
