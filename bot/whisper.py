"""Something said by an interaction's token, once: such a message has no nonce, and nobody can look for it afterwards.

So it is put there in two steps: first a message that says nothing yet, whose id is written down, then its words, which
may be put in as often as it takes. A crash in between, or a lost answer, leaves an empty line behind, never the words
twice; where the channel can be read back, empty lines are taken away. Those that one person alone sees are in no
channel's history: they go when that person's Discord is started again.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from bot.courier import Courier, Gone, Parcel, Rejected, Sent, Unavailable, WayClosed
from bot.order import Address
from bot.store.outbox import Outbox, OutboxEntry

COMING = "One moment …"
AT_ONCE = 0.9  # seconds; an answer that took longer may be one to a second attempt, made after a second by discord.py
TIDYING = 5.0  # seconds that looking for empty lines may take
MOST = 20  # of them are taken away


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
    message_id, began = entry.message_id, time.monotonic()
    if message_id is None:
        held = await courier.follow_up(address, Parcel(text=COMING), ephemeral=ephemeral)
        if not await outbox.hold(entry, held.channel_id, held.message_id):
            with suppress(WayClosed, Rejected):
                await courier.remove(address, held.message_id)
            raise Unavailable
        message_id = held.message_id
    alone = entry.fresh and time.monotonic() - began < AT_ONCE
    try:
        sent = await courier.rewrite(address, message_id, parcel)
    except Gone:  # whoever deleted it does not want it back; one of a moment ago was taken for left over, see `_tidy`
        if entry.message_id is not None:
            return Sent(address.channel_id, message_id)
        await outbox.let_go(entry)
        raise
    except WayClosed:
        if entry.message_id is None:
            await outbox.let_go(entry)
        raise
    if not alone and not ephemeral:
        with suppress(WayClosed, Rejected, Unavailable, TimeoutError):
            async with asyncio.timeout(TIDYING):
                await _tidy(courier, outbox, entry, sent)
    return sent


async def _tidy(courier: Courier, outbox: Outbox, entry: OutboxEntry, sent: Sent) -> None:
    """Take away the empty lines from between the first intention and the message that was filled in the end."""
    oldest = _milliseconds(sent.message_id) - (time.time() - entry.intended_at + 1.0) * 1000.0

    async def is_another(message_id: int) -> bool:
        in_time = message_id < sent.message_id and _milliseconds(message_id) >= oldest
        return not in_time or await outbox.knows(message_id)

    for _ in range(MOST):
        empty = await courier.find(sent.channel_id, None, COMING, entry.intended_at, is_another)
        if empty is None:
            return
        await courier.withdraw(empty.channel_id, empty.message_id)


def _milliseconds(message_id: int) -> int:
    """When a message was posted, by Discord's clock, since the beginning of 2015."""
    return message_id >> 22
